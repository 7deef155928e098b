import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

test("silent and half-head connections from before a change are closed well before the drain is over", async () => {
  const started = await servingPod();
  pod = started.pod;
  const second = await pod.instance("second");
  const sockets = Array.from({ length: 8 }, () => connect(pod.proxyPort, "127.0.0.1").resume());
  const closed = sockets.map(async (socket, i) => {
    socket.on("error", () => null);
    await new Promise((resolve) => socket.on("connect", resolve));
    if (i % 2 === 0) socket.write("GET / HTTP/1.1\r\nHost: x\r\n");
    await new Promise((resolve) => socket.on("close", resolve));
  });
  const before = performance.now();
  await pod.publish({ generation: 2, server: second.server });
  await pod.applied(2);
  await Promise.all(closed);
  // A withdrawn instance is destroyed after a drain of 10 s.
  expect(performance.now() - before).toBeLessThan(8_000);
  expect(started.first.requests).toEqual([]);
  expect((await pod.get()).body).toBe("second");
});
