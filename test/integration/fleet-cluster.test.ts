// Five pods share a real Redis Cluster with replicas. Twenty, with more faults: `test/slow/fleet-failover.test.ts`.
import { afterEach, beforeEach, test } from "vitest";
import { startCluster } from "../sandbox/redis-cluster.ts";
import { expectStartInSpiteOfFailover, openFailoverPod } from "./fleet-failover.ts";
import type { Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openFailoverPod();
});
afterEach(() => pod.close());

test("all pods start, although the one that reads for all is killed, and then the node with their keys", async () => {
  const cluster = await startCluster(pod.sandbox, "redis-password-3Kf", { replicas: true });
  await expectStartInSpiteOfFailover(pod, cluster);
});
