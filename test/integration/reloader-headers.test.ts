// Which request headers reach the instance through the real nginx, and which ones nginx sets itself.
import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { type Instance, openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
let instance: Instance;

beforeAll(async () => {
  pod = await openReloaderPod();
  instance = await pod.instance("it");
  await pod.publish({ generation: 1, server: instance.server });
  await pod.startReloader();
  await pod.startNginx();
  await pod.applied(1);
  await until("the proxy answers", async () => (await pod.get("/-/ready")).status === 200);
});
afterAll(() => pod.close());
afterEach(() => {
  instance.requests.length = 0;
});

/** Sends a request with these lines; returns the answer, and what the instance saw. */
async function send(requestLine: string, ...headers: string[]) {
  const answer = await pod.raw(`${[requestLine, ...headers].join("\r\n")}\r\n\r\n`);
  const seen = instance.requests.at(-1);
  if (seen === undefined) throw new Error(`the instance saw no request: ${answer}`);
  return { answer, headers: seen.headers, raw: seen.rawHeaders };
}

describe("an Upgrade header", () => {
  test.each([
    [
      "Java's h2c",
      ["Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"],
      "Upgrade, HTTP2-Settings",
    ],
    ["h2c in capitals", ["Upgrade: H2C", "HTTP2-Settings: AAMAAABk"], "upgrade, http2-settings"],
    ["TLS", ["Upgrade: TLS/1.3"], "Upgrade"],
    ["a list with WebSocket", ["Upgrade: h2c, websocket", "HTTP2-Settings: AAMAAABk"], "Upgrade, HTTP2-Settings"],
    ["h2c before WebSocket in a second header", ["Upgrade: h2c", "Upgrade: websocket"], "Upgrade"],
    ["a word that begins like WebSocket", ["Upgrade: websocket2"], "Upgrade"],
    ["HTTP/2", ["Upgrade: HTTP/2.0"], "Upgrade"],
  ])("that offers %s becomes a plain request", async (_, offer, connection) => {
    const { answer, headers } = await send("GET / HTTP/1.1", "Host: h", ...offer, `Connection: close, ${connection}`);
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    for (const name of ["upgrade", "http2-settings"]) expect(headers).not.toHaveProperty(name);
    expect(headers.connection ?? "keep-alive").not.toMatch(/upgrade|settings/i);
  });

  test.each(["POST / HTTP/1.1", "GET / HTTP/1.0"])("for WebSocket is no offer in a %s", async (requestLine) => {
    const length = requestLine.startsWith("POST") ? ["Content-Length: 0"] : [];
    const { answer, headers } = await send(
      requestLine,
      "Host: h",
      ...length,
      "Upgrade: websocket",
      "Connection: close, Upgrade",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(headers).not.toHaveProperty("upgrade");
  });

  test.each(["websocket", "WebSocket", "WEBSOCKET"])("that says %s is passed on", async (word) => {
    instance.http.removeAllListeners("upgrade").once("upgrade", (incoming, socket) => {
      instance.requests.push(incoming);
      socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
    });
    const { answer, headers } = await send("GET /ws HTTP/1.1", "Host: h", `Upgrade: ${word}`, "Connection: Upgrade");
    expect(answer).toMatch(/^HTTP\/1\.1 101[\s\S]*hello$/);
    expect(headers).toMatchObject({ upgrade: word, connection: "upgrade" });
    instance.http.removeAllListeners("upgrade");
  });
});

describe("the Host header", () => {
  test.each([
    ["is the client's", "GET /x HTTP/1.1", ["Host: app.example:81"], "app.example:81", "app.example:81"],
    [
      "is that of an absolute target",
      "GET http://b.example:82/x HTTP/1.1",
      ["Host: a.example"],
      "b.example:82",
      "b.example:82",
    ],
    ["is the instance's address without one", "GET /x HTTP/1.0", [], null, undefined],
  ] as const)("%s", async (_, requestLine, host, expected, forwarded) => {
    const { headers } = await send(requestLine, ...host, "Connection: close");
    expect(headers.host).toBe(expected ?? `127.0.0.1:${instance.server.port}`);
    expect(headers["x-forwarded-host"]).toBe(forwarded);
  });
});

test("what a client says about the way of its request is not passed on as the proxy's own word", async () => {
  const said = [
    "Forwarded: for=1.2.3.4",
    "Proxy: evil:1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
  ];
  const more = ["Port: 443", "Prefix: /x", "Scheme: https", "Server: s", "Ssl: on"].map((one) => `X-Forwarded-${one}`);
  const { headers } = await send("GET / HTTP/1.1", "Host: h", ...said, ...more, "Connection: close");
  expect(headers).toMatchObject({ "x-forwarded-proto": "http", "x-forwarded-host": "h" });
  const left = Object.keys(headers).filter((name) => /forwarded|^proxy/.test(name));
  expect(left.toSorted()).toEqual(["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]);
});

test("behind an ingress, NGINX_TRUST_FORWARDED=on keeps what it says", async () => {
  const behind = await openReloaderPod();
  try {
    const server = await behind.instance("it");
    await behind.publish({ generation: 1, server: server.server });
    await behind.startReloader({ NGINX_TRUST_FORWARDED: "on" });
    await behind.startNginx();
    await behind.applied(1);
    const said = "Forwarded: for=1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: e.example\r\nProxy: evil:1";
    await behind.raw(`GET / HTTP/1.1\r\nHost: h\r\n${said}\r\nConnection: close\r\n\r\n`);
    await behind.raw("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const [first, second] = server.requests.map((seen) => seen.headers);
    expect(first).toMatchObject({
      forwarded: "for=1.2.3.4",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "e.example",
    });
    expect(first).not.toHaveProperty("proxy");
    expect(second).toMatchObject({ "x-forwarded-proto": "http", "x-forwarded-host": "h" });
  } finally {
    await behind.close();
  }
});

test("each line of the access log is JSON in valid UTF-8, whatever bytes a client sends", async () => {
  const bytes = [
    "caf\xe9",
    "\xff\xfe",
    "\xc0\xaf",
    "\xed\xa0\x80",
    "\xf5\x80\x80\x80",
    "\xe2\x82",
    "\x80",
    "\xc3\xa9\xe2\x82\xac!",
  ];
  for (const [i, some] of bytes.entries()) {
    const lines = [
      `GET /bytes${i}${some} HTTP/1.1`,
      `User-Agent: u"${some}`,
      `X-Forwarded-For: ${some}`,
      `Host: h${some}`, // newer versions of nginx refuse it at once and read no further
    ];
    await pod.raw(`${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`);
  }
  await pod.raw("GET /refused HTTP/1.1\r\nUser-Agent: \xff\r\nHost: a b\r\n\r\n");
  const read = async () => new TextDecoder("utf-8", { fatal: true }).decode(await readFile(pod.files.stdout));
  const text = await until("all are logged", async () => {
    const found = await read();
    return found.split('"uri":"/bytes').length > bytes.length && found.includes('"uri":"/refused') ? found : null;
  });
  const logged = text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
  const uris = logged.map(({ uri }) => uri).filter((uri) => uri.startsWith("/bytes"));
  // Each worker writes its lines together.
  expect(uris.toSorted()).toEqual([
    "/bytes0caf",
    "/bytes1",
    "/bytes2",
    "/bytes3",
    "/bytes4",
    "/bytes5",
    "/bytes6",
    "/bytes7\u00e9\u20ac!",
  ]);
  expect(logged.find(({ uri }) => uri.startsWith("/bytes0"))).toMatchObject({
    host: "hcaf",
    user_agent: 'u"caf',
    http_x_forwarded_for: "caf",
  });
});

test.each([
  [502, "no_valid_answer"],
  [413, "body_too_large"],
])("the answer %d of nginx itself is JSON with the reason %s", async (status, reason) => {
  const length = status === 413 ? 11 * 1024 * 1024 : 0;
  instance.http.once("connection", (socket) => status === 502 && socket.destroy());
  instance.http.closeAllConnections();
  const head = `POST /x.html HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
  const answer = await pod.raw(head);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status}[\\s\\S]*Content-Type: application/json`));
  expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({ reason, message: expect.any(String) });
});
