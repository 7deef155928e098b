// A line with a round trip: a TCP relay that holds back every byte, and a new connection for as long as its set-up would
// take. Touches one TCP port.
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
    // The kernel has accepted at once; over a real line nothing could be sent before a whole round trip.
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

/** Passes on what `from` sends, in order, each part `delayMs` after it came and after the line was `open`. */
function carry(from: Socket, to: Socket, delayMs: number, open: number): void {
  let before = Promise.resolve();
  const later = (pass: () => void) => {
    const due = Math.max(performance.now(), open) + delayMs;
    before = before.then(async () => {
      await delay(Math.max(0, Math.ceil(due - performance.now()))); // timers drop what is below a ms
      if (!to.destroyed) pass();
    });
  };
  from.on("data", (part) => later(() => to.write(part)));
  from.on("end", () => later(() => to.end()));
}
