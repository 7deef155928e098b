// The probe is sockets and nothing else: these tests use real ones, on loopback.
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createProbe } from "../../../provisioner/probe.ts";
import { createReloaderQuestion } from "../../../provisioner/withdraw.ts";
import { type FakeClock, fakeClock } from "../common/fake-clock.ts";

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
const probe = (healthPath?: string, clock: FakeClock = fakeClock()) => createProbe(clock, healthPath);

describe("without an HTTP path", () => {
  test("a connection that stands is an answer", async () => {
    const endpoint = await tcp(() => undefined);
    expect(await probe()(endpoint)).toEqual({ endpoint, ok: true, tcp: true, why: "" });
  });

  test("sshd is no answer, and the message names the setting", async () => {
    const endpoint = await tcp((socket) => socket.write("SSH-2.0-OpenSSH_9.6\r\n"));
    const result = await probe()(endpoint);
    expect(result).toMatchObject({ ok: false, tcp: false });
    expect(result.why).toContain("VAST_UPSTREAM_PORT");
  });

  test("an app that speaks first is an answer", async () => {
    const endpoint = await tcp((socket) => socket.write("220 ready\r\n"));
    expect((await probe()(endpoint)).ok).toBe(true);
  });

  test("a connection that is closed at once is no answer", async () => {
    const endpoint = await tcp((socket) => socket.destroy());
    expect(await probe()(endpoint)).toMatchObject({ ok: false, tcp: false });
  });

  test("nobody there is no answer, and the message says where and why", async () => {
    const server = createServer();
    const endpoint = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const result = await probe()(endpoint);
    expect(result).toMatchObject({ ok: false, tcp: false });
    expect(result.why).toBe(`127.0.0.1:${endpoint.port}: ECONNREFUSED`);
  });

  test("a program that ends is not waited for", async () => {
    const endpoint = await tcp(() => undefined);
    expect(await probe()(endpoint, AbortSignal.abort())).toMatchObject({ ok: false });
  });
});

describe("with an HTTP path", () => {
  test.each([200, 204, 302, 399])("status %i is an answer, and no redirect is followed", async (status) => {
    const seen: string[] = [];
    const endpoint = await http(status, seen);
    expect(await probe("/health?x=1")(endpoint)).toMatchObject({ ok: true, tcp: true });
    expect(seen).toEqual(["/health?x=1"]);
  });

  test.each([400, 404, 500, 503])("status %i is none, though TCP connects", async (status) => {
    const result = await probe("/health")(await http(status));
    expect(result).toMatchObject({ ok: false, tcp: true });
    expect(result.why).toContain(`GET /health answered ${status}`);
  });

  test("silence is none within the deadline of the given clock", async () => {
    const clock = fakeClock();
    const endpoint = await tcp((socket) => socket.once("data", () => void clock.advance(5000)));
    const result = await probe("/health", clock)(endpoint);
    expect(result).toMatchObject({ ok: false, tcp: true });
    expect(result.why).toContain("no answer in time");
  });
});

describe("what the reloader says it has applied", () => {
  const reloader = (body: string, status = 200) =>
    listening(
      createHttpServer((_, response) => response.writeHead(status, { "content-type": "application/json" }).end(body)),
    );
  const applied = { generation: 7, server: { scheme: "http", host: "203.0.113.9", port: 1 }, hash: "h" };

  test("is read out of its status, whatever else that holds", async () => {
    const { port } = await reloader(JSON.stringify({ wanted: {}, applied }));
    expect(await createReloaderQuestion(port, fakeClock())()).toEqual(applied);
  });

  test.each(['{"applied":null}', "{}", "not json"])("is nothing where it says nothing: %s", async (body) => {
    const { port } = await reloader(body);
    expect(await createReloaderQuestion(port, fakeClock())()).toBeNull();
  });

  test("is nothing while it is down", async () => {
    const server = createServer();
    const { port } = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await createReloaderQuestion(port, fakeClock())()).toBeNull();
  });
});
