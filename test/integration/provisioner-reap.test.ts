// What asks the cluster, as real programs: `reap` destroys only what the naming of this cluster's pods could have made, and a stop
// with scale-down is asked about until the cluster answers.
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeCluster, startFakeCluster } from "../kubernetes/fake-cluster.ts";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { startMember, untilReady } from "./fleet.ts";
import { inClusterEnv } from "./in-cluster.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
let cluster: FakeCluster;
let inCluster: Record<string, string>;
beforeEach(async () => {
  pod = await openPod({ timeScale: 1, bootSeconds: 1 });
  cluster = await startFakeCluster();
  cluster.pods.set("vast-pod-0", "vast-pod");
  cluster.statefulSets.set("vast-pod", { name: "vast-pod", replicas: 1 });
  inCluster = await inClusterEnv(pod, cluster);
});
afterEach(async () => {
  await cluster.close();
  await pod.close();
});

const exitCode = async (child: Child) => (await child.exited).code;

describe("reap", () => {
  const LABELS = ["k8s_pod=vast-pod-0", "k8s_pod=vast-pod-6", "vast-pod-6", "k8s_pod=prod/vast-pod-6"];
  const make = async (label: string) => {
    const startedAt = Date.now() / 1000 - 7200;
    await pod.emulator.send("POST", "instances", { label, start_date: startedAt });
  };
  const alive = async () =>
    (await pod.emulator.state()).instances
      .filter(({ label, destroyedAt }) => destroyedAt === null && LABELS.includes(String(label)))
      .map(({ label }) => label);
  const reap = async (prefix: string, env: Record<string, string> = {}) => {
    const args = ["reap", "--yes", "--prefix", prefix];
    const child = await pod.provision({ ...inCluster, VAST_LABEL: "", ...env }, args);
    return { code: await exitCode(child), text: child.lines.join("\n") };
  };
  beforeEach(async () => {
    for (const label of LABELS) await make(label);
  });

  test("keeps a stranger's instance whose label no pod here has, and says what to correct", async () => {
    const { code, text } = await reap("vast-pod-");
    expect(code).toBe(1);
    expect(text).toMatch(/Nothing is destroyed: .*label their instances k8s_pod=vast-pod-0 .*correct --prefix/);
    expect(await alive()).toEqual(LABELS);
  });

  test("destroys the orphan of the default label, and only that, although the API refuses it at first", async () => {
    for (const status of [429, 503]) {
      const rule = { method: "DELETE", path: "^/api/v0/instances/", effect: { status } };
      await pod.emulator.send("POST", "faults", rule);
    }
    expect((await reap("k8s_pod=vast-pod-")).code).toBe(0);
    expect(await alive()).toEqual(LABELS.filter((label) => label !== "k8s_pod=vast-pod-6"));
  });

  test("goes by the label in the pod template", async () => {
    const env = [{ name: "VAST_LABEL", value: "k8s_pod=prod/$(POD_NAME)" }];
    cluster.statefulSets.set("vast-pod", { name: "vast-pod", replicas: 1, env });
    expect((await reap("k8s_pod=vast-pod-")).code).toBe(1);
    expect(await alive()).toEqual(LABELS);
    expect((await reap("k8s_pod=prod/vast-pod-")).code).toBe(0);
    expect(await alive()).toEqual(LABELS.slice(0, 3));
  });
});

test("an orphan's pod is no longer in the fleet's Redis once reap has destroyed its instance", async () => {
  await pod.close();
  pod = await openPod({ timeScale: 1, bootSeconds: 1, redis: true });
  inCluster = await inClusterEnv(pod, cluster);
  const [kept, orphan] = [await startMember(pod, 0), await startMember(pod, 6)];
  await untilReady([kept, orphan], 60_000);
  const redis = new Redis(pod.redis?.url ?? "");
  const reported = () => redis.hkeys(pod.keys.reports);
  await until("both have reported", async () => (await reported()).length === 2, { timeoutMs: 30_000, everyMs: 500 });
  await orphan.child().stop();
  const args = ["reap", "--yes", "--prefix", "k8s_pod=vast-pod-", "--younger-than-minutes", "0"];
  const reap = await pod.provision(inCluster, args);
  expect([await exitCode(reap), reap.lines.join("\n")]).toEqual([0, expect.stringMatching(/Destroyed and verified: /)]);
  expect(await reported()).toEqual([kept.label]);
  redis.disconnect();
});

test("scale-down asks a cluster that fails again, and destroys the instance when the answer is no", async () => {
  const provisioner = await pod.provision({ ...inCluster, VAST_ON_TERMINATE: "scale-down" });
  await pod.ready();
  cluster.trouble = { status: 503 };
  cluster.statefulSets.set("vast-pod", { name: "vast-pod", replicas: 0 });
  provisioner.signal("SIGTERM");
  await until("the cluster was asked five times", async () => cluster.asked.length >= 5);
  cluster.trouble = null;
  expect(await exitCode(provisioner)).toBe(0);
  expect(await pod.emulator.live(pod.label)).toEqual([]);
  expect(logOf(provisioner).at(-1)?.msg).toMatch(/nothing is being billed/);
});
