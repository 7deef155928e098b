// Simulates a network with a round trip time: a TCP relay that delays every byte, and the setup of each connection. Touches
// one TCP port.
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface Relay {
  /** Connections so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** Relays `port` to `targetPort`, both on loopback, `oneWayMs` each way. */
export async function startRelay(port: number, targetPort: number, oneWayMs: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    count += 1;
    const far = connect({ host: "127.0.0.1", port: targetPort, noDelay: true, allowHalfOpen: true });
    // The kernel accepts at once; over a real network nothing could be sent before a full round trip.
    const open = performance.now() + 2 * oneWayMs;
    carry(near, far, oneWayMs, open);
    carry(far, near, oneWayMs, open);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    connections: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Forwards what `from` sends, in order, each part `delayMs` after it arrived and not before `open`. */
function carry(from: Socket, to: Socket, delayMs: number, open: number): void {
  let before = Promise.resolve();
  const later = (pass: () => void) => {
    const due = Math.max(performance.now(), open) + delayMs;
    before = before.then(async () => {
      await delay(Math.max(0, Math.ceil(due - performance.now()))); // timers ignore fractions of a ms
      if (!to.destroyed) pass();
    });
  };
  from.on("data", (part) => later(() => to.write(part)));
  from.on("end", () => later(() => to.end()));
}
