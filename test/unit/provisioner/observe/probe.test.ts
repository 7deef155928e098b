// The probe consists of sockets: these tests use real ones, on loopback.
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Clock } from "../../../../common/clock.ts";
import { createProbe, type ProbeSettings } from "../../../../provisioner/observe/probe.ts";
import { createAskReloader } from "../../../../provisioner/publish/withdraw.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { SELF_SIGNED } from "./self-signed.ts";

async function listening(server: Server): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

const tcp = (greet: (socket: Socket) => void) => listening(createServer(greet));
const http = (status: number, seen: string[] = []) =>
  listening(
    createHttpServer((request, response) => {
      seen.push(request.url ?? "");
      response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("body");
    }),
  );

// The deadline of the whole probe: every other wait is for a banner.
const DEADLINE_MS = 5000;

/** A clock that reports each wait for a banner, which lasts until `over` is called. */
function listeningClock(heard: (ms: number, over: () => void) => void, now: () => number = () => 0): Clock {
  return {
    now,
    monotonic: () => 0,
    sleep: (ms, signal) =>
      new Promise((over) => {
        signal?.addEventListener("abort", () => over());
        if (ms !== DEADLINE_MS) heard(ms, over);
      }),
  };
}
/** A clock that ends each wait for a banner immediately. */
const atOnce = () => listeningClock((_, over) => over());
const ID = 7835610;
const probe = (over: Partial<ProbeSettings> = {}, clock: Clock = atOnce()) => {
  const one = createProbe(clock, {
    healthPath: undefined,
    healthExpect: undefined,
    scheme: "http",
    authHeader: () => null,
    onRefused: () => undefined,
    ...over,
  });
  return (endpoint: { host: string; port: number }, signal?: AbortSignal) => one(endpoint, ID, signal);
};

/** Probes a server that sends one piece per wait; without a piece left, the wait ends. */
async function greetedWith(pieces: readonly string[]) {
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const endpoint = await listening(server);
  const left = [...pieces];
  const clock = listeningClock((_, over) => {
    const piece = left.shift();
    if (piece === undefined) over();
    else void accepted.then((socket) => socket.write(piece));
  });
  return { result: await probe({}, clock)(endpoint), left };
}

describe("without an HTTP path", () => {
  test("an open connection passes", async () => {
    const endpoint = await tcp(() => undefined);
    expect(await probe()(endpoint)).toEqual({
      endpoint,
      startedAt: expect.any(Number),
      at: expect.any(Number),
      ok: true,
      tcp: true,
      why: "",
    });
  });

  test.each([
    ["in one piece", ["SSH-2.0-OpenSSH_9.6\r\n"]],
    ["in two pieces", ["S", "SH-2.0-OpenSSH_9.6\r\n"]],
    ["byte by byte", ["S", "S", "H", "-"]],
    ["after lines of its own", ["Welcome.\r\nKeys only.\r\nSS", "H-2.0-OpenSSH_9.6\r\n"]],
  ])("sshd with a banner %s fails, and the message names the setting", async (_, pieces) => {
    const { result, left } = await greetedWith(pieces);
    expect(left).toEqual([]);
    expect(result).toMatchObject({ ok: false, tcp: false });
    expect(result.why).toContain("VAST_UPSTREAM_PORT");
  });

  test("an app that sends first passes", async () => {
    const { result, left } = await greetedWith(["220 ready\r\nS"]);
    expect(left).toEqual([]);
    expect(result.ok).toBe(true);
  });

  test.each([
    ["a near host", 0, 300],
    ["a distant host, whose banner takes longer", 400, 1100],
    ["the most distant host, within the probe's deadline", 3000, 2000],
  ])("the wait for a banner fits %s", async (_, handshakeMs, waitMs) => {
    const waits: number[] = [];
    const instants = [0, handshakeMs];
    const clock = listeningClock(
      (ms, over) => {
        waits.push(ms);
        over();
      },
      () => instants.shift() ?? handshakeMs,
    );
    await probe({}, clock)(await tcp(() => undefined));
    expect(waits).toEqual([waitMs]);
  });

  test("a connection that is closed immediately fails", async () => {
    const endpoint = await tcp((socket) => socket.destroy());
    expect(
      await probe(
        {},
        listeningClock(() => undefined),
      )(endpoint),
    ).toMatchObject({ ok: false, tcp: false });
  });

  test("a closed port fails, and the message says where and why", async () => {
    const server = createServer();
    const endpoint = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const result = await probe()(endpoint);
    expect(result).toMatchObject({ ok: false, tcp: false });
    expect(result.why).toBe(`127.0.0.1:${endpoint.port}: ECONNREFUSED`);
    expect(result.refused).toBe(true);
  });

  test("an aborted probe fails immediately", async () => {
    const endpoint = await tcp(() => undefined);
    expect(await probe()(endpoint, AbortSignal.abort())).toMatchObject({ ok: false });
  });

  test("an instance with TLS passes: it does not send first", async () => {
    const endpoint = await tcp(() => undefined);
    expect((await probe({ scheme: "https" })(endpoint)).ok).toBe(true);
  });
});

describe("with an HTTP path", () => {
  const healthPath = "/health";

  test.each([200, 204, 302, 399])("status %i passes, and no redirect is followed", async (status) => {
    const seen: string[] = [];
    const endpoint = await http(status, seen);
    expect(await probe({ healthPath: "/health?x=1" })(endpoint)).toMatchObject({ ok: true, tcp: true });
    expect(seen).toEqual(["/health?x=1"]);
  });

  test.each([400, 404, 500, 503])("status %i fails, although TCP connects", async (status) => {
    const result = await probe({ healthPath })(await http(status));
    expect(result).toMatchObject({ ok: false, tcp: true });
    expect(result.why).toContain(`GET /health answered ${status}`);
  });

  test("silence fails at the deadline of the given clock", async () => {
    const deadlines: (() => void)[] = [];
    const clock: Clock = {
      now: () => 0,
      monotonic: () => 0,
      sleep: (ms) => new Promise((over) => (ms === DEADLINE_MS ? void deadlines.push(over) : over())),
    };
    const endpoint = await tcp((socket) => socket.once("data", () => deadlines[0]?.()));
    const result = await probe({ healthPath }, clock)(endpoint);
    expect(result).toMatchObject({ ok: false, tcp: true });
    expect(result.why).toContain("no answer in time");
  });

  test("sshd fails before anything is sent to it", async () => {
    const said: string[] = [];
    const endpoint = await tcp((socket) => {
      socket.on("data", (chunk) => said.push(String(chunk)));
      socket.write("SSH-2.0-OpenSSH_9.6\r\n");
    });
    expect(
      (
        await probe(
          { healthPath },
          listeningClock(() => undefined),
        )(endpoint)
      ).why,
    ).toContain("sshd answers there");
    expect(said).toEqual([]);
  });

  test("the probe does not wait for a long or endless body", async () => {
    const endpoint = await listening(
      createHttpServer((_, response) => void response.writeHead(200).write("x".repeat(200_000))),
    );
    expect((await probe({ healthPath })(endpoint)).ok).toBe(true);
  });

  test("each probe opens a new connection", async () => {
    const ports = new Set<number | undefined>();
    const endpoint = await listening(
      createHttpServer((request, response) => {
        ports.add(request.socket.remotePort);
        response.end();
      }),
    );
    for (let i = 0; i < 3; i += 1) await probe({ healthPath })(endpoint);
    expect(ports.size).toBe(3);
  });

  test("the HTTP proxy of the environment is not used", async () => {
    const proxied: string[] = [];
    const proxy = await http(200, proxied);
    for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]) vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    for (const name of ["NO_PROXY", "no_proxy"]) vi.stubEnv(name, "");
    onTestFinished(() => void vi.unstubAllEnvs());
    const direct: string[] = [];
    expect((await probe({ healthPath })(await http(204, direct))).ok).toBe(true);
    expect(direct).toEqual(["/health"]);
    expect(proxied).toEqual([]);
  });
});

describe("with https", () => {
  const asked = { healthPath: "/health", scheme: "https" } as const;

  test("a certificate without the address is accepted", async () => {
    const endpoint = await listening(
      createHttpsServer(SELF_SIGNED, (_, response) => void response.writeHead(204).end()),
    );
    expect(await probe(asked)(endpoint)).toMatchObject({ ok: true, tcp: true });
  });

  test("an app with plain HTTP fails, and the message names the setting", async () => {
    const result = await probe(asked)(await http(200));
    expect(result).toMatchObject({ ok: false, tcp: true });
    expect(result.why).toContain("VAST_UPSTREAM_SCHEME");
  });
});

describe("the auth header", () => {
  /** An app that accepts only this header value. */
  const guarded = async (value: string) => {
    const brought: unknown[] = [];
    const endpoint = await listening(
      createHttpServer((request, response) => {
        brought.push(request.headers["x-api-key"]);
        response.writeHead(request.headers["x-api-key"] === value ? 200 : 401).end();
      }),
    );
    return { endpoint, brought };
  };

  test("is sent by the HTTP probe", async () => {
    const { endpoint } = await guarded("sekrit-1");
    const authHeader = () => ({ name: "X-Api-Key", value: "sekrit-1" });
    expect((await probe({ healthPath: "/", authHeader })(endpoint)).ok).toBe(true);
  });

  test("is read again when it is refused, and the rotated one is used in the same probe", async () => {
    const { endpoint, brought } = await guarded("sekrit-2");
    let value = "sekrit-1";
    const onRefused = () => {
      value = "sekrit-2";
    };
    const authHeader = () => ({ name: "X-Api-Key", value });
    expect((await probe({ healthPath: "/", authHeader, onRefused })(endpoint)).ok).toBe(true);
    expect(brought).toEqual(["sekrit-1", "sekrit-2"]);
  });

  test.each([401, 403])("that is refused again with %i is named in the message, without its value", async (status) => {
    const authHeader = () => ({ name: "X-Api-Key", value: "sekrit-1" });
    const seen: string[] = [];
    const result = await probe({ healthPath: "/", authHeader })(await http(status, seen));
    expect(result).toMatchObject({ ok: false, tcp: true });
    expect(result.why).toContain("UPSTREAM_AUTH_HEADER");
    expect(JSON.stringify(result)).not.toContain("sekrit");
    expect(seen).toHaveLength(1);
  });

  test("is not in the message when the connection breaks", async () => {
    const authHeader = () => ({ name: "X-Api-Key", value: "sekrit-1" });
    const endpoint = await tcp((socket) => socket.once("data", () => socket.destroy()));
    const result = await probe({ healthPath: "/", authHeader })(endpoint);
    expect(result).toMatchObject({ ok: false, tcp: true });
    expect(JSON.stringify(result)).not.toContain("sekrit");
  });
});

describe("what the reloader reports as applied", () => {
  const reloader = (body: string, status = 200) =>
    listening(
      createHttpServer((_, response) => response.writeHead(status, { "content-type": "application/json" }).end(body)),
    );
  const applied = { generation: 7, server: { scheme: "http", host: "203.0.113.9", port: 1 }, hash: "h" };

  test("is read from its status, whatever else the status holds", async () => {
    const { port } = await reloader(JSON.stringify({ wanted: {}, applied }));
    expect(await createAskReloader(port, fakeClock())()).toEqual(applied);
  });

  test.each(['{"applied":null}', "{}", "not json"])("is null when the status does not contain it: %s", async (body) => {
    const { port } = await reloader(body);
    expect(await createAskReloader(port, fakeClock())()).toBeNull();
  });

  test("is null while the reloader is down", async () => {
    const server = createServer();
    const { port } = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await createAskReloader(port, fakeClock())()).toBeNull();
  });
});

describe("with a text that the answer must hold", () => {
  const expecting = async (healthExpect: string, headers: Record<string, string>, body: string | Buffer) => {
    const endpoint = await listening(createHttpServer((_, response) => response.writeHead(200, headers).end(body)));
    return probe({ healthPath: "/health", healthExpect })(endpoint);
  };
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the setting holds it literally
  const named = '"instance":${INSTANCE_ID}';

  test.each([
    ["its body", named, {}, `{"instance":${ID},"ok":true}`],
    ["a header, in any case", `X-Instance: ${"$"}{INSTANCE_ID}`, { "x-instance": String(ID) }, ""],
    ["the end of the first 64 KiB", named, {}, `${" ".repeat(65_536 - 18)}"instance":${ID}`],
  ])("the instance passes that names itself in %s", async (_, text, headers, body) => {
    expect(await expecting(text, headers, body)).toMatchObject({ ok: true });
  });

  test.each([
    ["another instance", named, {}, '{"instance":7835611}'],
    ["an instance whose id begins alike", named, {}, `"instance":${ID}1`],
    ["a stranger", named, { "x-instance": "none" }, "welcome"],
    ["a text behind the first 64 KiB", named, {}, `${" ".repeat(65_536)}"instance":${ID}`],
  ])("%s does not pass", async (_, text, headers, body) => {
    const result = await expecting(text, headers, body);
    expect(result).toMatchObject({ ok: false, tcp: true });
    expect(result.why).toContain("without the text of VAST_HEALTH_EXPECT");
  });

  test("an answer that breaks off does not pass", async () => {
    const endpoint = await listening(
      createHttpServer((_, response) => {
        response.writeHead(200, { "content-length": "100" }).write("half");
        setImmediate(() => response.destroy());
      }),
    );
    expect(await probe({ healthPath: "/", healthExpect: named })(endpoint)).toMatchObject({ ok: false });
  });
});
