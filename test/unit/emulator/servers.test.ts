import { randomInt } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEmulator, type Emulator, PORT_RANGE } from "../../emulator/emulator.ts";
import { type ApiServer, startApiServer } from "../../emulator/servers/api-server.ts";
import { scaledClock } from "../../emulator/servers/scaled-clock.ts";
import { frame, readFrame } from "../../emulator/servers/websocket-echo.ts";

/** A clock that only the control route moves. */
const still = () => 1_795_446_000_000;
let emulator: Emulator;
let server: ApiServer;
let url: string;
const errors: unknown[] = [];

/** Really random, so that emulators of parallel test runs use other ports. */
const anyPort = () => randomInt(PORT_RANGE.low, PORT_RANGE.high);

async function start(ports: (ip: string) => number = anyPort): Promise<void> {
  const clock = scaledClock({ now: still }, 1);
  emulator = createEmulator({
    clock,
    seed: 1,
    machines: 5,
    settings: { bootSeconds: 10, advertise: "127.0.0.1" },
    takePort: ports,
  });
  server = await startApiServer({
    emulator,
    clock,
    host: "127.0.0.1",
    port: 0,
    onError: (error) => errors.push(error),
  });
  url = `http://127.0.0.1:${server.port}`;
}

beforeEach(async () => start());
afterEach(async () => {
  await server.close();
  expect(errors.splice(0)).toEqual([]);
});

async function call(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: "Bearer emulator-key" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : { text } };
}

/** A running instance, and the base URL of its server. */
async function plant(fields: object = {}): Promise<{ id: number; at: string; port: number }> {
  const { body } = await call("POST", "/_emulator/instances", { label: "k8s_pod=a", ...fields });
  const port = emulator.endpoints().find((one) => one.instanceId === body.id)?.port ?? 0;
  return { id: Number(body.id), at: `http://127.0.0.1:${port}`, port };
}

const refused = (at: string) =>
  fetch(at).then(
    () => false,
    (error: Error) => String(error.cause).includes("ECONNREFUSED"),
  );

/** Everything that a port sends until it closes, or until `enough`. */
function listen(port: number, say: string | Buffer, enough: (got: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(say));
    socket.on("data", (chunk) => {
      got = Buffer.concat([got, chunk]);
      if (enough(got)) socket.destroy();
    });
    socket.on("close", () => resolve(got));
    socket.on("error", reject);
  });
}

describe("the server of a running instance", () => {
  it("returns its id and echoes the request", async () => {
    const { id, at } = await plant({ image_uuid: "x/y:2" });
    const answer = await fetch(`${at}/v1/chat?x=1`, { method: "POST", body: "hello", headers: { "x-mine": "1" } });
    expect(answer.headers.get("x-instance")).toBe(String(id));
    expect(await answer.json()).toMatchObject({
      instance: id,
      label: "k8s_pod=a",
      image: "x/y:2",
      method: "POST",
      url: "/v1/chat?x=1",
      body: "hello",
      headers: { "x-mine": "1" },
    });
  });

  it("listens before its port is shown, and is closed before its end is shown", async () => {
    await call("PUT", "/_emulator/offers", [{ id: 77 }]);
    await call("PUT", `/api/v0/asks/77/`, {
      image: "a/b",
      env: { "-p 8000:8000": "1" },
      runtype: "args",
      disk: 8,
    });
    expect(emulator.endpoints()).toEqual([]);
    await call("POST", "/_emulator/clock", { advanceSeconds: 10 });
    const [endpoint] = emulator.endpoints();
    const at = `http://127.0.0.1:${endpoint?.port}`;
    expect((await fetch(at)).status).toBe(200);
    await call("DELETE", `/api/v0/instances/${endpoint?.instanceId}/`);
    expect(await refused(at)).toBe(true);
  });

  it("is closed by exit, offline and mute, and open again afterwards", async () => {
    const { id, at } = await plant();
    for (const [off, on] of [
      ["exit", "recover"],
      ["offline", "recover"],
      ["mute", "unmute"],
    ]) {
      await call("POST", `/_emulator/instances/${id}/${off}`);
      expect([off, await refused(at)]).toEqual([off, true]);
      await call("POST", `/_emulator/instances/${id}/${on}`);
      expect([on, (await fetch(at)).status]).toEqual([on, 200]);
    }
  });

  it("keeps answering when its machine is offline but reachable", async () => {
    const { id, at } = await plant();
    await call("POST", `/_emulator/instances/${id}/offline`, { reachable: true });
    expect((await fetch(at)).status).toBe(200);
  });

  it("moves to another address and port", async () => {
    const { id, at } = await plant();
    await call("POST", `/_emulator/instances/${id}/move`, { ip: "127.0.0.2" });
    expect(await refused(at)).toBe(true);
    const [endpoint] = emulator.endpoints();
    expect((await fetch(`http://127.0.0.2:${endpoint?.port}/`)).status).toBe(200);
  });

  it("fails and slows down as a test sets it", async () => {
    const { id, at } = await plant();
    await call("POST", `/_emulator/instances/${id}/fail`, { status: 503 });
    expect((await fetch(at)).status).toBe(503);
    await call("POST", `/_emulator/instances/${id}/fail`, { status: null });
    await call("POST", `/_emulator/instances/${id}/slow`, { delayMs: 120 });
    const began = performance.now();
    expect((await fetch(at)).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(110);
  });

  it("streams piece by piece", async () => {
    const { id, at } = await plant();
    const answer = await fetch(`${at}/stream?chunks=3&delayMs=40`);
    const pieces: string[] = [];
    for await (const piece of answer.body ?? []) pieces.push(Buffer.from(piece).toString());
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join("").trim().split("\n\n")).toEqual(
      [0, 1, 2].map((chunk) => `data: {"instance":${id},"chunk":${chunk}}`),
    );
  });

  it("sends a banner on the ssh port", async () => {
    await plant({ image_runtype: "ssh ssh_direc ssh_proxy" });
    const ssh = emulator.endpoints().find((one) => one.container === 22);
    const got = await listen(ssh?.port ?? 0, "", (bytes) => bytes.includes("\n"));
    expect(got.toString()).toMatch(/^SSH-2\.0-/);
  });

  it("upgrades to WebSocket, sends its id and echoes messages, pings and the close", async () => {
    const { id, port } = await plant();
    const mask = Buffer.from([1, 2, 3, 4]);
    const send = (first: number, text: string) => {
      const payload = Buffer.from(text).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
      const plain = frame(first, Buffer.from(payload));
      const headSize = plain.length - payload.length;
      const head = Buffer.from(plain.subarray(0, headSize));
      head[1] = (head[1] ?? 0) | 0x80;
      return Buffer.concat([head, mask, payload]);
    };
    const long = "x".repeat(70_000);
    const handshake =
      "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const said = Buffer.concat([
      Buffer.from(handshake),
      send(0x81, "hello"),
      send(0x89, "ping"),
      send(0x82, "y".repeat(300)),
      send(0x81, long),
      send(0x88, ""),
    ]);
    const got = await listen(port, said, () => false);
    const end = got.indexOf("\r\n\r\n") + 4;
    expect(got.subarray(0, end).toString()).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); // RFC 6455's example
    const messages: [number, string][] = [];
    let rest = Buffer.from(got.subarray(end));
    for (let one = readFrame(rest); one; one = readFrame(rest)) {
      messages.push([one.first, one.payload.toString()]);
      rest = rest.subarray(one.size);
    }
    expect(JSON.parse(messages.shift()?.[1] ?? "")).toMatchObject({ instance: id, url: "/ws" });
    expect(messages).toEqual([
      [0x81, "hello"],
      [0x8a, "ping"],
      [0x82, "y".repeat(300)],
      [0x81, long],
      [0x88, ""],
    ]);
  });

  it("gets another port when another program uses the chosen one", async () => {
    await server.close();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
    const address = squatter.address();
    const taken = typeof address === "object" && address !== null ? address.port : 0;
    const other = emulator.world.takePort("127.0.0.1");
    const numbers = [taken, other];
    await start(() => numbers.shift() ?? 0);
    try {
      const { at, port } = await plant();
      expect(port).toBe(other);
      expect((await fetch(at)).status).toBe(200);
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
  });
});

describe("the API over TCP", () => {
  it("cuts and slows down answers under a fault", async () => {
    await call("POST", "/_emulator/faults", { effect: { kind: "cut-before" } });
    await expect(call("GET", "/api/v1/instances/")).rejects.toThrow("fetch failed");
    await call("POST", "/_emulator/faults", { effect: { kind: "slow-body", bytesPerSecond: 400 } });
    const began = performance.now();
    expect((await call("GET", "/api/v1/instances/")).body.success).toBe(true);
    expect(performance.now() - began).toBeGreaterThan(150); // about 100 bytes
  });

  it("hangs until the caller gives up, and stops when it is closed", async () => {
    await call("POST", "/_emulator/faults", { times: 0, effect: { kind: "hang-before" } });
    const reached = (count: number) =>
      expect
        .poll(async () => (await call("GET", "/_emulator/requests")).body.text, { timeout: 80_000 })
        .toContain(`"n":${count}`);
    const caller = new AbortController();
    const given = fetch(`${url}/api/v1/instances/`, { signal: caller.signal }).catch((error: Error) => error.name);
    await reached(1); // on a busy machine a request that times out may not have been sent yet
    caller.abort();
    expect(await given).toBe("AbortError");
    const hanging = fetch(`${url}/api/v1/instances/`).catch((error: Error) => error.message);
    await reached(2);
    await server.close();
    expect(await hanging).toBe("fetch failed");
    await start();
  });

  it("opens servers when they are due, without a call", async () => {
    await server.close();
    const clock = scaledClock({ now: () => performance.now() }, 100);
    emulator = createEmulator({
      clock,
      seed: 1,
      takePort: anyPort,
      machines: 0,
      settings: { bootSeconds: 10, advertise: "127.0.0.1" },
    });
    server = await startApiServer({
      emulator,
      clock,
      host: "127.0.0.1",
      port: 0,
      onError: (error) => errors.push(error),
    });
    url = `http://127.0.0.1:${server.port}`;
    await call("PUT", "/_emulator/offers", [{ id: 77 }]);
    await call("PUT", "/api/v0/asks/77/", { image: "a/b", env: { "-p 8000:8000": "1" }, runtype: "args", disk: 8 });
    await expect.poll(() => emulator.endpoints().length, { timeout: 60_000, interval: 10 }).toBe(1);
    await expect
      .poll(
        () =>
          fetch(`http://127.0.0.1:${emulator.endpoints()[0]?.port}/`).then(
            (a) => a.status,
            () => 0,
          ),
        { timeout: 60_000 },
      )
      .toBe(200);
  });
});
