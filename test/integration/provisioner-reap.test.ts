// What asks the cluster, as real programs: `reap` destroys only what the naming of this cluster's pods could have made, and a stop
// with scale-down is asked about until the cluster answers.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeCluster, startFakeCluster } from "../kubernetes/fake-cluster.ts";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
let cluster: FakeCluster;
let inCluster: Record<string, string>;
beforeEach(async () => {
  pod = await openPod();
  cluster = await startFakeCluster();
  cluster.pods.set("vast-pod-0", "vast-pod");
  cluster.statefulSets.set("vast-pod", { name: "vast-pod", replicas: 1 });
  const folder = join(pod.sandbox.folder, "service-account");
  await mkdir(folder);
  for (const [name, text] of Object.entries(cluster.serviceAccount)) await writeFile(join(folder, name), text);
  inCluster = {
    KUBERNETES_SERVICE_HOST: "127.0.0.1",
    KUBERNETES_SERVICE_PORT: String(cluster.port),
    NODE_OPTIONS: "--import ./test/integration/service-account.mjs",
    VAST_POD_TEST_SERVICE_ACCOUNT: folder,
  };
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
