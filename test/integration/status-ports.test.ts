// The status ports of both programs are open to the whole cluster: half requests must not exhaust their memory.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

// The status server's own limit.
const MAX_CONNECTIONS = 128;
const ROUNDS = 8;
const AT_ONCE = 500;

/** Resident memory in MB, and the open TCP connections. */
function measure({ pid }: Child, port: number): { mb: number; connections: number } {
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  const local = port.toString(16).toUpperCase().padStart(4, "0");
  const tables = ["tcp", "tcp6"].map((name) => readFileSync(`/proc/${pid}/net/${name}`, "utf8"));
  // The second column is the local address, the fourth the state; 01 is an established connection.
  const rows = tables
    .join("\n")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  return {
    mb: Number(rss) / 1024,
    connections: rows.filter((row) => row[1]?.endsWith(`:${local}`) && row[3] === "01").length,
  };
}

/** Opens connections that send half a request; resolves when all are connected. */
async function halfRequests(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, "127.0.0.1").resume());
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on("error", () => null); // reset by the server
      await new Promise((resolve) => socket.on("connect", resolve).on("close", resolve));
      socket.write(`GET /status HTTP/1.1\r\nX-Long: ${"x".repeat(6_000)}\r\n`);
    }),
  );
  return sockets;
}

test("thousands of half requests leave both programs with few connections, little more memory, and an answer", async () => {
  pod = await openPod();
  const env = pod.env();
  const programs = [
    { child: await pod.provision(), port: Number(env.PROVISIONER_STATUS_PORT) },
    { child: await pod.reload(), port: Number(env.RELOADER_STATUS_PORT) },
  ];
  for (const { child, port } of programs) {
    const answers = async () =>
      (await fetch(`http://127.0.0.1:${port}/livez`, { headers: { connection: "close" } })).status === 200;
    await until(`${child.name} answers`, answers);
    const before = measure(child, port);
    const sockets: Socket[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      sockets.push(...(await halfRequests(port, AT_ONCE)));
      await until("those too many are closed", () => measure(child, port).connections <= MAX_CONNECTIONS);
      expect(await answers()).toBe(true);
    }
    const after = measure(child, port);
    for (const socket of sockets) socket.destroy();
    expect(after.mb - before.mb).toBeLessThan(60);
  }
});
