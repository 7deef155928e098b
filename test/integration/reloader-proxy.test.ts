import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { type Instance, openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
let instance: Instance;
/** How the instance answers; a test can replace it. */
let answer: (request: IncomingMessage, response: import("node:http").ServerResponse) => void;

beforeAll(async () => {
  pod = await openReloaderPod();
  instance = await pod.instance("it", (incoming, response) => answer(incoming, response));
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

const ok: typeof answer = (_, response) => response.end("ok");
const last = () => {
  const seen = instance.requests.at(-1);
  if (seen === undefined) throw new Error("the instance saw no request");
  return seen;
};

describe("a request", () => {
  test.each([
    "/a%2Fb//c/%2e%2e/d?x=%20&y=/..",
    "/v1/models",
    "/?q=a+b%2B",
    "/caf%C3%A9/%7Euser",
    "//",
    "//a//b/",
    "/a/../b/./c",
    "/a?",
    "/a?b?c#d",
    `/\\<>"{}|^;=,'`,
    "/-/live/",
    `/${"x".repeat(8_000)}`,
  ])("reaches the instance with its URI as it came: %s", async (path) => {
    answer = ok;
    const text = await pod.raw(`GET ${path} HTTP/1.1\r\nHost: pod.example\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(last().url).toBe(path);
  });

  // What nginx does by default, as documented.
  test.each([
    ["/%2F/%2e%2e/x", 400],
    ["/../x", 400],
    ["/%00", 400],
    ["/%zz", 400],
    ["/a%", 400],
    ["/a b", 400],
    ["*", 400],
    [`/${"x".repeat(8_200)}`, 414],
  ])("with the URI %.30s is answered %d by nginx itself", async (path, status) => {
    const text = await pod.raw(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    expect(text.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(instance.requests).toEqual([]);
  });

  test.each(["/-/ready", "/-/%72eady", "/-//live", "/-/live?x"])("for %s never reaches the instance", async (path) => {
    expect((await pod.get(path)).status).toBe(200);
    expect(instance.requests).toEqual([]);
  });

  test("keeps its headers, except connection headers and headers with underscores", async () => {
    answer = ok;
    const kept = "X-Empty:\r\nx-case: V\r\nX-Dup: 1\r\nX-Dup: 2\r\nRange: bytes=0-1\r\nAccept-Encoding: gzip, br";
    const dropped = "X_Key: v\r\nX.Key: v\r\nTE: trailers\r\nKeep-Alive: x";
    await pod.raw(`GET / HTTP/1.1\r\nHost: h\r\n${kept}\r\n${dropped}\r\nConnection: close\r\n\r\n`);
    const raw = last().rawHeaders;
    expect(raw.join("\n")).toContain(
      "X-Empty\n\nx-case\nV\nX-Dup\n1\nX-Dup\n2\nRange\nbytes=0-1\nAccept-Encoding\ngzip, br",
    );
    for (const name of ["x_key", "x.key", "te", "keep-alive"]) expect(last().headers).not.toHaveProperty([name]);
  });

  test.each([
    ["OPTIONS", 200],
    ["DELETE", 200],
    ["PATCH", 200],
    ["PROPFIND", 200],
    ["TRACE", 405],
    ["CONNECT", 405],
  ])("with the method %s is answered %d", async (method, status) => {
    answer = ok;
    const text = await pod.raw(`${method} /m HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    expect(text.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(instance.requests.map((seen) => seen.method)).toEqual(status === 200 ? [method] : []);
  });

  test("carries the client's Host, the client's address and a request id", async () => {
    answer = ok;
    await pod.raw("GET / HTTP/1.1\r\nHost: pod.example:8443\r\nConnection: close\r\n\r\n");
    expect(last().headers).toMatchObject({
      host: "pod.example:8443",
      "x-real-ip": "127.0.0.1",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "pod.example:8443",
      "x-request-id": expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test("keeps the address chain and the request id of a proxy in front, and nothing else that it forwards", async () => {
    answer = ok;
    const said =
      "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\nX-Request-ID: abc\r\nX-Forwarded-Host: e.example";
    await pod.raw(`GET / HTTP/1.1\r\nHost: h\r\n${said}\r\nConnection: close\r\n\r\n`);
    expect(last().headers).toMatchObject({
      "x-forwarded-for": "198.51.100.7, 127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "h",
      "x-request-id": "abc",
    });
  });

  test("of HTTP/1.0 without a Host is served", async () => {
    answer = ok;
    expect(await pod.raw("GET /old HTTP/1.0\r\n\r\n")).toMatch(/200 OK[\s\S]*ok$/);
    expect(last().headers.host).toBeTruthy();
  });

  test("that changes something and fails is not retried", async () => {
    answer = (incoming) => incoming.socket.destroy();
    const text = await pod.raw("POST /once HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1\.1 502/);
    expect(instance.requests.map((seen) => seen.url)).toEqual(["/once"]);
  });

  test("that is too large is refused without asking the instance", async () => {
    answer = ok;
    const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${10 * 1024 * 1024 + 1}\r\n`;
    expect(await pod.raw(`${head}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413/);
    expect(instance.requests).toEqual([]);
  });

  test("is answered over IPv6 where there is IPv6", async () => {
    answer = ok;
    const ipv6 = (await readFile("/proc/net/if_inet6", "utf8").catch(() => "")).trim() !== "";
    const status = await new Promise((resolve) => {
      const outgoing = request({ host: "::1", port: pod.proxyPort, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      outgoing.on("error", () => resolve("refused"));
      outgoing.end();
    });
    expect(status).toBe(ipv6 ? 200 : "refused");
  });
});

describe("connections to the instance", () => {
  test("are kept open and reused", async () => {
    answer = ok;
    const before = instance.connections.length;
    for (let i = 0; i < 40; i += 1) await pod.get();
    // One for each of the two workers, and one more if a connection was just being returned.
    expect(instance.connections.length - before).toBeLessThanOrEqual(4);
    expect(instance.requests.length).toBe(40);
    expect(last().httpVersion).toBe("1.1");
  });

  test("are closed before an instance with a limit of five seconds closes them", async () => {
    answer = ok;
    await pod.get();
    const kept = () => instance.connections.filter((socket) => !socket.destroyed && !socket.readableEnded);
    expect(kept().length).toBeGreaterThan(0);
    const before = performance.now();
    await until("they are closed", () => kept().length === 0);
    expect(performance.now() - before).toBeLessThan(4_900);
  });
});

describe("a body", () => {
  test("is sent to the instance as it arrives", async () => {
    let heard: (text: string) => void = () => undefined;
    const first = new Promise<string>((resolve) => {
      heard = resolve;
    });
    answer = (incoming, response) => {
      incoming.once("data", (part: Buffer) => heard(part.toString()));
      incoming.on("end", () => response.end("done"));
    };
    const outgoing = request({ host: "127.0.0.1", port: pod.proxyPort, method: "POST", agent: false });
    const answered = new Promise((resolve) => outgoing.on("response", resolve));
    outgoing.write("the first part");
    expect(await first).toBe("the first part");
    outgoing.end("the rest");
    expect(await answered).toMatchObject({ statusCode: 200 });
  });

  test("is sent to the client as the instance writes it", async () => {
    let finish: () => void = () => undefined;
    answer = (_, response) => {
      response.write("token ");
      finish = () => response.end("end");
    };
    const response = await new Promise<IncomingMessage>((resolve) => {
      request({ host: "127.0.0.1", port: pod.proxyPort, agent: false }, resolve).end();
    });
    const part = await new Promise((resolve) => response.once("data", resolve));
    expect(String(part)).toBe("token ");
    finish();
    response.resume();
    await new Promise((resolve) => response.once("end", resolve));
  });
});

test("a WebSocket is upgraded and carries bytes both ways", async () => {
  instance.http.on("upgrade", (incoming, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`);
    socket.on("data", (part: Buffer) => socket.write(`${incoming.headers.connection}:${part}`));
    socket.on("error", () => undefined);
  });
  const socket = connect(pod.proxyPort, "127.0.0.1");
  let text = "";
  socket.setEncoding("latin1").on("data", (part) => {
    text += part;
  });
  socket.write("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await until("it is upgraded", () => text.includes("101 Switching Protocols"));
  socket.write("ping");
  await until("the echo is there", () => text.endsWith("upgrade:ping"));
  socket.destroy();
});

test("the access log is JSON with the documented fields, and probes are not in it", async () => {
  answer = ok;
  await pod.get("/-/ready");
  await pod.get("/-/live");
  await pod.raw(
    'GET /logged?a="b" HTTP/1.1\r\nHost: pod.example\r\nUser-Agent: a "quoted" one\r\nConnection: close\r\n\r\n',
  );
  const lines = async () =>
    (await readFile(pod.files.stdout, "utf8")).split("\n").filter((line) => line.startsWith("{"));
  const line = await until("it is logged", async () => (await lines()).find((text) => text.includes("/logged")));
  expect(JSON.parse(line)).toEqual({
    address: "127.0.0.1",
    http_x_forwarded_for: "",
    host: "pod.example",
    upstream_addr: `127.0.0.1:${instance.server.port}`,
    source: "nginx",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    resp_body_size: expect.any(Number),
    request_length: expect.any(Number),
    method: "GET",
    uri: '/logged?a="b"',
    status: 200,
    user_agent: 'a "quoted" one',
    resp_time: expect.any(Number),
    upstream_cache_status: "",
  });
  expect((await lines()).filter((text) => /"uri":"\/-\/(live|ready)"/.test(text))).toEqual([]);
});

describe("vast-reloader", () => {
  const run = (args: string[], env: Record<string, string> = {}) => {
    try {
      const path = { PATH: process.env.PATH ?? "" };
      const stdout = execFileSync(process.execPath, ["dist/reloader.mjs", ...args], {
        cwd: ROOT,
        env: { ...path, ...env },
        stdio: ["ignore", "pipe", "pipe"],
        encoding: "utf8",
      });
      return { code: 0, stdout, stderr: "" };
    } catch (error) {
      if (!(error instanceof Error && "status" in error && "stderr" in error && "stdout" in error)) throw error;
      return { code: error.status, stdout: String(error.stdout), stderr: String(error.stderr) };
    }
  };

  test("reports all invalid settings at once and exits with code 2", () => {
    const { code, stderr } = run(["--nginx-max-body-size", "lots"], {
      NGINX_LISTEN_PORT: "http",
      UPSTREAM_PATH: "a b",
      NGINX_PROXY_BUFFERING: "maybe",
    });
    expect(code).toBe(2);
    for (const name of ["NGINX_MAX_BODY_SIZE", "NGINX_LISTEN_PORT", "UPSTREAM_PATH", "NGINX_PROXY_BUFFERING"]) {
      expect(stderr).toContain(name);
    }
  });

  test("says which port is taken and exits with code 1", () => {
    const status = String(pod.proxyPort);
    const { code, stderr } = run([], {
      RELOADER_STATUS_PORT: status,
      UPSTREAM_PATH: join(pod.sandbox.folder, "x.json"),
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`RELOADER_STATUS_PORT ${status} cannot be used`);
  });

  test("render prints the config that run gives nginx", async () => {
    const { code, stdout } = run(["render", "--upstream", pod.upstreamPath], {
      NGINX_CONFIG_PATH: pod.configPath,
      NGINX_LISTEN_PORT: String(pod.proxyPort),
      NGINX_STATUS_PORT: String(pod.nginxStatusPort),
      UPSTREAM_ALLOW_LOCAL: "true",
    });
    expect(code).toBe(0);
    expect(stdout).toBe(await pod.config());
  });

  test("render says what is wrong with a file and exits with code 1", async () => {
    const missing = join(pod.sandbox.folder, "none.json");
    expect(run(["render", "--upstream", missing])).toMatchObject({ code: 1, stderr: expect.stringContaining(missing) });
    const broken = join(pod.sandbox.folder, "broken.json");
    await writeFile(broken, "{");
    expect(run(["render", "--upstream", broken])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("not JSON"),
    });
  });
});
