// Bodies through the real nginx: token by token, large, slow, and their framing.
import { createHash } from "node:crypto";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

/** A request as received by an instance on plain TCP. */
interface BareRequest {
  socket: Socket;
  /** Everything received on the connection. */
  text: string;
}

/** An instance on plain TCP, so that a test controls each byte of an answer. */
class BareInstance {
  readonly #requests = new Map<string, BareRequest>();
  readonly server: Server = createServer((socket) => {
    let request: BareRequest = { socket, text: "" };
    socket.on("error", () => undefined);
    socket.on("data", (part: Buffer) => {
      const bytes = part.toString("latin1");
      const [, path] = /^\w+ (\S+) HTTP\/1\.1\r\n/.exec(bytes) ?? [];
      if (path === undefined) request.text += bytes;
      else request = { socket, text: bytes };
      if (path === "/round-trip") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      else if (path !== undefined) this.#requests.set(path, request);
    });
  });
  request(path: string): Promise<BareRequest> {
    return until(`the instance has the request for ${path}`, () => this.#requests.get(path));
  }
}

async function podWith(env: Record<string, string>): Promise<{ pod: ReloaderPod; bare: BareInstance }> {
  const pod = await openReloaderPod();
  const bare = new BareInstance();
  const port = await pod.sandbox.port();
  await new Promise<void>((resolve) => bare.server.listen(port, "127.0.0.1", resolve));
  await pod.publish({ generation: 1, server: { scheme: "http", host: "127.0.0.1", port } });
  await pod.startReloader(env);
  await pod.startNginx();
  await pod.applied(1);
  return { pod, bare };
}

// An idle limit short enough for a test.
const LIMIT_MS = 1_000;
const SHORT = { NGINX_TIMEOUT_SECONDS: String(LIMIT_MS / 1000) };
const pods = new Map<string, { pod: ReloaderPod; bare: BareInstance }>();
beforeAll(async () => {
  const [on, off, short] = await Promise.all([podWith({}), podWith({ NGINX_PROXY_BUFFERING: "off" }), podWith(SHORT)]);
  pods.set("on", on).set("off", off).set("on, with a short limit", short);
});
afterAll(async () => {
  for (const { pod, bare } of pods.values()) {
    bare.server.close();
    await pod.close();
  }
});
function withBuffering(setting: string) {
  const found = pods.get(setting);
  if (found === undefined) throw new Error(`no pod with buffering ${setting}`);
  return found;
}

/** A client that shows what it has received so far. */
function client(pod: ReloaderPod, bytes: string) {
  const state = { text: "", closed: false };
  const socket = connect(pod.proxyPort, "127.0.0.1", () => socket.write(bytes, "latin1"));
  socket.setEncoding("latin1").on("data", (part) => {
    state.text += part;
  });
  socket.on("close", () => {
    state.closed = true;
  });
  return Object.assign(state, { socket });
}

const FRAMINGS = {
  chunked: {
    head: "Transfer-Encoding: chunked\r\n",
    token: (t: string) => `${t.length.toString(16)}\r\n${t}\r\n`,
    end: "0\r\n\r\n",
  },
  "up to the end of the connection": { head: "Connection: close\r\n", token: (t: string) => t, end: null },
  "of a length": { head: "Content-Length: 12\r\n", token: (t: string) => t, end: "" },
} as const;

// The README's table.
describe("an answer", () => {
  test.each([
    ["chunked", "on", "", true],
    ["chunked", "off", "", true],
    ["up to the end of the connection", "on", "", false],
    ["up to the end of the connection", "on", "X-Accel-Buffering: no\r\n", true],
    ["up to the end of the connection", "off", "", true],
    ["of a length", "on", "", false],
    ["of a length", "on", "X-Accel-Buffering: no\r\n", true],
    ["of a length", "off", "", true],
  ] as const)("%s under buffering %s %s comes token by token: %s", async (framing, buffering, header, streams) => {
    const { pod, bare } = withBuffering(buffering);
    const path = `/${encodeURIComponent(framing + buffering + header)}`;
    const { head, token, end } = FRAMINGS[framing];
    const asked = client(pod, `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    const { socket } = await bare.request(path);
    socket.write(`HTTP/1.1 200 OK\r\n${head}${header}\r\n${token("token1")}`);
    if (streams) await until("the first token is there", () => asked.text.includes("token1"));
    else for (let i = 0; i < 50; i += 1) expect((await pod.get("/round-trip")).body).toBe("ok");
    expect(asked.text.includes("token1")).toBe(streams);
    const rest = `${token("token2")}${end ?? ""}`;
    if (end === null) socket.end(rest);
    else socket.write(rest);
    await until("the answer is complete", () => asked.closed);
    expect(asked.text.match(/token\d/g)).toEqual(["token1", "token2"]);
  });

  test.each(["chunked", "up to the end of the connection", "of a length"] as const)(
    "%s has its head at the client before its body begins",
    async (framing) => {
      const { pod, bare } = withBuffering("on");
      const path = `/head-first/${encodeURIComponent(framing)}`;
      const { head, token, end } = FRAMINGS[framing];
      const asked = client(pod, `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      const { socket } = await bare.request(path);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${head}\r\n`);
      await until("the head is there", () => asked.text.includes("\r\n\r\n"));
      expect(asked.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*text\/event-stream[\s\S]*\r\n\r\n$/);
      const rest = `${token("token1")}${token("token2")}${end ?? ""}`;
      if (end === null) socket.end(rest);
      else socket.write(rest);
      await until("the answer is complete", () => asked.closed);
      expect(asked.text.match(/token\d/g)).toEqual(["token1", "token2"]);
    },
  );

  test("may pause repeatedly for almost the limit, and is cut off after a longer pause", async () => {
    const { pod, bare } = withBuffering("on, with a short limit");
    const slow = client(pod, "GET /slow HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const { socket } = await bare.request("/slow");
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    // This test is about time: each pause is below the limit, their sum is above it.
    for (let i = 1; i <= 3; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, LIMIT_MS * 0.6));
      socket.write(`1\r\n${i}\r\n`);
    }
    await until("all parts are there", () => /1[\s\S]*2[\s\S]*3\r\n$/.test(slow.text));
    await until("the silent answer is cut off", () => slow.closed);
    expect(slow.text).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  test("that does not start within the limit is a 504", async () => {
    const { pod, bare } = withBuffering("on, with a short limit");
    const never = client(pod, "GET /never HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    await bare.request("/never");
    await until("nginx gives up", () => never.closed);
    expect(never.text).toMatch(/^HTTP\/1\.1 504/);
  });

  test("to HEAD has the length and no body, and the connection stays open", async () => {
    const { pod, bare } = withBuffering("on");
    const asked = client(
      pod,
      "HEAD /head HTTP/1.1\r\nHost: h\r\n\r\nGET /round-trip HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    );
    (await bare.request("/head")).socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    await until("both answers are there", () => asked.closed);
    expect(asked.text).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Length: 1234\r\n[\s\S]*?\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*\r\n\r\nok$/,
    );
  });

  test("cannot redirect nginx to another place", async () => {
    const { pod, bare } = withBuffering("on");
    const asked = client(pod, "GET /steer HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    (await bare.request("/steer")).socket.write(
      "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /-/live\r\nContent-Length: 8\r\n\r\nits own.",
    );
    await until("the answer is complete", () => asked.closed);
    expect(asked.text).toMatch(/its own\.$/);
  });
});

describe("an upload", () => {
  test.each([
    ["chunked", "Transfer-Encoding: chunked", "6\r\ntoken1\r\n", "6\r\ntoken2\r\n0\r\n\r\n"],
    ["of a length", "Content-Length: 12", "token1", "token2"],
  ])("%s goes up token by token", async (kind, header, first, rest) => {
    const { pod, bare } = withBuffering("on");
    const path = `/up-${encodeURIComponent(kind)}`;
    const head = `POST ${path} HTTP/1.1\r\nHost: h\r\n${header}\r\nConnection: close\r\n\r\n`;
    const asked = client(pod, `${head}${first}`);
    const up = await bare.request(path);
    await until("the first token is up", () => up.text.includes("token1"));
    expect(up.text).not.toContain("token2");
    asked.socket.write(rest);
    await until("the second one is", () => up.text.includes("token2"));
    up.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    await until("it is answered", () => asked.closed);
    expect(asked.text).toMatch(/^HTTP\/1\.1 200[\s\S]*done$/);
  });
});

describe("a large upload", () => {
  let pod: ReloaderPod;
  const heard: { bytes: number; sha: string; expect: string | undefined; complete: boolean }[] = [];
  beforeAll(async () => {
    pod = await openReloaderPod();
    const instance = await pod.instance("it", (incoming, response) => {
      const hash = createHash("sha256");
      const seen = { bytes: 0, sha: "", expect: incoming.headers.expect, complete: false };
      heard.push(seen);
      incoming.on("data", (part: Buffer) => {
        hash.update(part);
        seen.bytes += part.length;
      });
      incoming.on("error", () => undefined);
      incoming.on("end", () => {
        Object.assign(seen, { sha: hash.digest("hex"), complete: incoming.complete });
        response.end("ok");
      });
    });
    await pod.publish({ generation: 1, server: instance.server });
    await pod.startReloader({ NGINX_MAX_BODY_SIZE: "3M" });
    await pod.startNginx();
    await pod.applied(1);
  });
  afterAll(() => pod.close());

  const LIMIT = 3 * 1024 * 1024;
  const body = (size: number) => Buffer.alloc(size, "the quick brown fox ");
  const post = (headers: Record<string, string | number>) =>
    request({ host: "127.0.0.1", port: pod.proxyPort, method: "POST", agent: false, headers });
  const answerTo = (outgoing: ClientRequest) =>
    new Promise<number | undefined>((resolve, reject) => {
      outgoing.on("response", (response: IncomingMessage) => {
        response.resume();
        resolve(response.statusCode);
      });
      outgoing.on("error", reject);
    });

  test.each(["of a length", "chunked"])("of exactly the limit arrives completely: %s", async (kind) => {
    const sent = body(LIMIT);
    const outgoing = post(kind === "chunked" ? {} : { "content-length": sent.length });
    const answered = answerTo(outgoing);
    for (let at = 0; at < sent.length; at += 65_536) outgoing.write(sent.subarray(at, at + 65_536));
    outgoing.end();
    expect(await answered).toBe(200);
    const sha = createHash("sha256").update(sent).digest("hex");
    expect(heard.at(-1)).toEqual({ bytes: LIMIT, sha, expect: undefined, complete: true });
  });

  test("above the limit is refused at once when its length is declared, also before it is sent", async () => {
    const before = heard.length;
    const text = await pod.raw(
      `POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ${LIMIT + 1}\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 413/);
    expect(heard.length).toBe(before);
  });

  test("above the limit is refused when it is chunked, and the instance never sees it as complete", async () => {
    const before = heard.length;
    const socket = connect(pod.proxyPort, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1").on("data", (part) => {
      text += part;
    });
    socket.on("error", () => undefined); // nginx closes the connection while the client still sends
    socket.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    const chunk = body(65_536);
    for (let sent = 0; sent <= LIMIT; sent += chunk.length) socket.write(`10000\r\n${chunk}\r\n`, "latin1");
    socket.write("0\r\n\r\n");
    await until("it is refused", () => /^HTTP\/1\.1 413/.test(text));
    socket.destroy();
    expect(heard.slice(before).every(({ complete }) => !complete)).toBe(true);
  });

  test("that waits for 100 Continue gets it from nginx, and the instance is not asked", async () => {
    const sent = body(LIMIT / 2);
    const outgoing = post({ expect: "100-continue", "content-length": sent.length });
    const answered = answerTo(outgoing);
    await new Promise((resolve) => {
      outgoing.on("continue", resolve);
      outgoing.flushHeaders();
    });
    outgoing.end(sent);
    expect(await answered).toBe(200);
    expect(heard.at(-1)).toMatchObject({ bytes: sent.length, expect: undefined, complete: true });
  });
});
