// Five pods share a real Redis behind Sentinels. Twenty, with more faults: `test/slow/fleet-failover.test.ts`.
import { afterEach, beforeEach, test } from "vitest";
import { startSentinels } from "../sandbox/redis-sentinel.ts";
import { expectStartInSpiteOfFailover, openFailoverPod } from "./fleet-failover.ts";
import type { Pod } from "./pod.ts";

const PASSWORDS = { redis: "redis-password-3Kf", sentinel: "sentinel-password-9Lm" };

let pod: Pod;
beforeEach(async () => {
  pod = await openFailoverPod();
});
afterEach(() => pod.close());

test("all pods start, although the one that reads for all is killed, and then the primary", async () => {
  await expectStartInSpiteOfFailover(pod, await startSentinels(pod.sandbox, PASSWORDS));
});
