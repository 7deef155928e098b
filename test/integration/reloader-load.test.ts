import { afterEach, expect, test } from "vitest";
import { loadThroughReloads } from "./reload-load.ts";
import { openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

test("60 reloads under load lose no request with its own connection, and none is answered by the previous server", async () => {
  pod = await openReloaderPod();
  await pod.startNginx();
  await pod.startReloader();
  const plan = { reloads: 60, requestsEach: 40, clients: 4, keepAliveClients: 2 };
  const { judged, stale, reloads, connectionEach, keepAlive } = await loadThroughReloads(pod, plan, 1);
  expect(reloads).toBe(60);
  expect(judged).toBeGreaterThanOrEqual(2_400);
  expect(stale).toEqual([]);
  expect(connectionEach.lost).toEqual([]);
  expect(keepAlive.answered).toBeGreaterThan(0);
  // Not checked: nginx before 1.27.4 loses some at every reload.
  process.stdout.write(`keep-alive clients lost ${keepAlive.lost.length} of ${keepAlive.answered} requests\n`);
});
