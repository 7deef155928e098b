// The API client against real servers on free ports: what a fake network cannot show.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { inspect } from "node:util";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Clock } from "../../../../common/clock.ts";
import { VastError } from "../../../../provisioner/vast/errors.ts";
import { createPacing } from "../../../../provisioner/vast/pacing.ts";
import { type ApiCall, createTransport } from "../../../../provisioner/vast/transport.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";
import { bundle } from "../../../simulation/bundle.ts";
import { SELF_SIGNED } from "../observe/self-signed.ts";

const KEY = "sekrit-key-0123456789";
const LIST: ApiCall = { method: "GET", path: "/api/v1/instances/", endpoint: "list", retryRateLimited: false };
const CREATE: ApiCall = {
  method: "PUT",
  path: "/api/v0/asks/5/",
  endpoint: "create",
  body: { image_login: "-p hunter22" },
};

interface Listening {
  url: string;
  port: number;
  /** Every request that came, `METHOD url`, and the header with the key. */
  came: { what: string; key: string | undefined }[];
}

async function listen(server: Server, came: Listening["came"], protocol = "http"): Promise<Listening> {
  // By hand: the server itself forgets a connection that has become a tunnel.
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${protocol}://127.0.0.1:${port}`, port, came };
}

const noted = (came: Listening["came"], { method, url, headers }: IncomingMessage) =>
  came.push({ what: `${method} ${url}`, key: headers.authorization });

async function serve(answer: RequestListener): Promise<Listening> {
  const came: Listening["came"] = [];
  const server = createServer((incoming, response) => {
    noted(came, incoming);
    answer(incoming, response);
  });
  return listen(server, came);
}

/** A proxy that forwards http, and tunnels CONNECT to `tunnelTo` whatever host was asked for. */
async function serveProxy(tunnelTo?: number): Promise<Listening> {
  const came: Listening["came"] = [];
  const server = createServer((incoming, response) => {
    noted(came, incoming);
    const onward = request(incoming.url ?? "", { method: incoming.method, headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, socket) => {
    noted(came, incoming);
    if (tunnelTo === undefined) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n<html>not through me</html>");
    const onward = connect(tunnelTo, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    for (const one of [socket, onward]) one.on("error", () => one.destroy());
  });
  return listen(server, came);
}

function clientOf(baseUrl: string, clock: Clock = fakeClock()) {
  return createTransport({ baseUrl, apiKey: () => KEY, clock, pacing: createPacing(clock, () => 0) });
}

async function errorOf(work: Promise<unknown>): Promise<VastError> {
  const error = await work.then(
    () => null,
    (caught: unknown) => caught,
  );
  if (!(error instanceof VastError)) throw new Error(`not a VastError: ${inspect(error)}`);
  const shown = [inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error), String(error.stack)];
  for (const text of shown) expect(text).not.toMatch(/sekrit|hunter22/);
  return error;
}

/** A clock that stands still until it is told that the deadline has come. */
function deadlineClock(): Clock & { expire(): void } {
  const sleepers = new Set<() => void>();
  return {
    now: () => 0,
    monotonic: () => 0,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        sleepers.add(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      }),
    expire() {
      for (const wake of sleepers) wake();
    },
  };
}

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((n) => [n, n.toLowerCase()]);
function proxied(set: Record<string, string>): void {
  for (const name of PROXY_VARIABLES) vi.stubEnv(name, set[name]);
}
afterEach(() => void vi.unstubAllEnvs());

describe("an answer", () => {
  test("carries its body, and the request the key in its header", async () => {
    proxied({});
    const api = await serve((_, response) => response.end('{"instances":[]}'));
    expect(await clientOf(api.url)(LIST)).toEqual({ instances: [] });
    expect(api.came).toEqual([{ what: "GET /api/v1/instances/", key: `Bearer ${KEY}` }]);
  });

  test("that redirects to another host is refused, and nothing is sent to the other host", async () => {
    proxied({});
    const other = await serve((_, response) => response.end("{}"));
    for (const status of [301, 302, 307, 308]) {
      const api = await serve((_, response) => response.writeHead(status, { location: `${other.url}/x` }).end());
      expect(await errorOf(clientOf(api.url)(LIST))).toMatchObject({ kind: "invalid", status, retryable: false });
    }
    expect(other.came).toEqual([]);
  });

  test("that arrives too slowly is cut off by the deadline", async () => {
    proxied({});
    const clock = deadlineClock();
    const api = await serve((_, response) => {
      let drops = 0;
      const drip = () => {
        drops += 1;
        if (drops === 20) clock.expire();
        if (!response.destroyed) response.write(" ", () => setImmediate(drip));
      };
      drip();
    });
    const error = await errorOf(clientOf(api.url, clock)(LIST));
    expect(error).toMatchObject({ kind: "unavailable", slug: "timeout", retryable: true, reached: true });
  });

  test("whose body never ends is cut off by the deadline, and the outcome of a create is unknown", async () => {
    proxied({});
    const clock = deadlineClock();
    const api = await serve((_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"success":', clock.expire);
    });
    expect(await errorOf(clientOf(api.url, clock)(CREATE))).toMatchObject({ slug: "timeout", reached: true });
  });

  test("that never begins is cut off by the deadline", async () => {
    proxied({});
    const clock = deadlineClock();
    const api = await serve(clock.expire);
    expect(await errorOf(clientOf(api.url, clock)(LIST))).toMatchObject({ slug: "timeout", reached: true });
  });

  test("that is larger than 8 MiB is not read to its end", async () => {
    proxied({});
    let sent = 0;
    const api = await serve((_, response) => {
      const more = () => {
        sent += 1;
        if (response.writable && sent < 64) response.write("x".repeat(1024 * 1024), more);
      };
      more();
    });
    expect(await errorOf(clientOf(api.url)(LIST))).toMatchObject({ kind: "malformed", retryable: true });
    expect(sent).toBeLessThan(64);
  });

  test("that is cut in the middle leaves the outcome unknown", async () => {
    proxied({});
    const api = await serve((_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"success":', () => response.destroy());
    });
    expect(await errorOf(clientOf(api.url)(CREATE))).toMatchObject({ kind: "malformed", reached: true });
  });

  test("that quotes the key becomes an error without the key", async () => {
    proxied({});
    const api = await serve((incoming, response) =>
      response.writeHead(400).end(JSON.stringify({ msg: `bad header ${incoming.headers.authorization}` })),
    );
    expect((await errorOf(clientOf(api.url)(LIST))).message).toContain("bad header");
  });
});

describe("a proxy", () => {
  test("of HTTP_PROXY carries calls to an http address", async () => {
    const api = await serve((_, response) => response.end("{}"));
    const proxy = await serveProxy();
    proxied({ HTTP_PROXY: proxy.url });
    await clientOf(api.url)(LIST);
    expect(proxy.came.map(({ what }) => what)).toEqual([`GET ${api.url}/api/v1/instances/`]);
    expect(api.came).toHaveLength(1);
  });

  test("is not used for the hosts of NO_PROXY", async () => {
    const api = await serve((_, response) => response.end("{}"));
    const proxy = await serveProxy();
    proxied({ HTTP_PROXY: proxy.url, NO_PROXY: "example.com,127.0.0.1" });
    await clientOf(api.url)(LIST);
    expect(proxy.came).toEqual([]);
    expect(api.came).toHaveLength(1);
  });

  test("that refuses to tunnel is not taken for an API error, and never gets the key", async () => {
    const proxy = await serveProxy();
    proxied({ HTTPS_PROXY: proxy.url });
    expect(await errorOf(clientOf("https://app.invalid")(LIST))).toMatchObject({ kind: "unavailable" });
    expect(proxy.came).toEqual([{ what: "CONNECT app.invalid:443", key: undefined }]);
  });

  test("that is unreachable is reported without its password", async () => {
    proxied({ HTTPS_PROXY: "http://me:hunter22@127.0.0.1:9" });
    expect(await errorOf(clientOf("https://app.invalid")(LIST))).toMatchObject({ kind: "unavailable", reached: false });
  });
});

describe("an API behind a certificate of a private authority", () => {
  async function call(env: Record<string, string>) {
    const came: Listening["came"] = [];
    const server = createTlsServer(SELF_SIGNED, (incoming, response) => {
      noted(came, incoming);
      response.end('{"id":9}');
    });
    const api = await listen(server, came, "https");
    const proxy = await serveProxy(api.port);
    const program = join(await temporaryFolder(), "one-call.mjs");
    await bundle(new URL("./one-call.ts", import.meta.url), program);
    const child = spawn(process.execPath, [program, "https://app.invalid"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ONE_CALL_KEY: KEY, HTTPS_PROXY: proxy.url, ...env },
    });
    const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    expect(`${out}${err}`).not.toContain(KEY);
    return { out: JSON.parse(out) as unknown, api, proxy };
  }

  test("is called through the tunnel of HTTPS_PROXY when NODE_EXTRA_CA_CERTS names it", async () => {
    const file = join(await temporaryFolder(), "authority.pem");
    await writeFile(file, SELF_SIGNED.cert);
    const { out, api, proxy } = await call({ NODE_EXTRA_CA_CERTS: file });
    expect(out).toEqual({ body: { id: 9 } });
    expect(proxy.came).toEqual([{ what: "CONNECT app.invalid:443", key: undefined }]);
    expect(api.came).toEqual([{ what: "GET /api/v0/users/current/", key: `Bearer ${KEY}` }]);
  });

  test("is not called otherwise, and the error names the remedy", async () => {
    const { out, api } = await call({});
    expect(out).toMatchObject({ error: { kind: "unavailable", reached: false } });
    expect(JSON.stringify(out)).toContain("NODE_EXTRA_CA_CERTS");
    expect(api.came).toEqual([]);
  });
});
