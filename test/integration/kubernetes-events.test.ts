// With KUBERNETES_EVENTS, as real programs: the pod's Events tell what became of its instance, and its annotations name it and its price.
// A cluster that refuses changes nothing but the log.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeCluster, startFakeCluster } from "../kubernetes/fake-cluster.ts";
import { until } from "../sandbox/until.ts";
import { inClusterEnv } from "./in-cluster.ts";
import { COMMAND_SCALE, logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
let cluster: FakeCluster;
let env: Record<string, string>;
beforeEach(async () => {
  pod = await openPod({ timeScale: COMMAND_SCALE });
  cluster = await startFakeCluster();
  env = { KUBERNETES_EVENTS: "true", ...(await inClusterEnv(pod, cluster)) };
});
afterEach(async () => {
  await cluster.close();
  await pod.close();
});

test("the Events and the annotations of a pod follow its instance", async () => {
  const name = "vast-pod-0";
  cluster.pods.set(name, "vast-pod");
  await pod.provision(env);
  await pod.ready();
  const [instance] = await pod.emulator.live(pod.label);
  const reasons = () => [...cluster.events.values()].map(({ reason }) => reason);
  await until("the pod's Events tell that it is ready", async () => reasons().includes("InstanceReady"));
  expect(reasons()).toContain("NoInstance");
  for (const event of cluster.events.values())
    expect(event).toMatchObject({ involvedObject: { kind: "Pod", name, uid: `uid of ${name}` } });
  const annotations = await until("the pod is annotated", () => {
    const now = cluster.annotations.get(name);
    return now?.["vast-pod/instance-id"] === String(instance?.id) ? now : null;
  });
  expect(Number(annotations["vast-pod/dollars-per-hour"])).toBeGreaterThan(0);
});

test("an Event tells that the instance is destroyed because the pod ends", async () => {
  cluster.pods.set("vast-pod-0", "vast-pod");
  const provisioner = await pod.provision({ ...env, VAST_ON_TERMINATE: "destroy" });
  await pod.ready();
  provisioner.signal("SIGTERM");
  expect((await provisioner.exited).code).toBe(0);
  expect(await pod.emulator.live(pod.label)).toEqual([]);
  expect([...cluster.events.values()]).toContainEqual(
    expect.objectContaining({
      reason: "Terminating",
      message: expect.stringMatching(/^the pod is no longer wanted: /),
    }),
  );
});

test("a cluster that refuses keeps no pod from its instance, and the log says what to do", async () => {
  cluster.trouble = { status: 403 };
  const provisioner = await pod.provision(env);
  await pod.ready();
  const told = await until("the log tells of it", async () => {
    const lines = logOf(provisioner).filter(({ event }) => event === "kubernetes");
    return lines.length === 0 ? null : lines;
  });
  expect(told.map(({ msg }) => msg)).toEqual([expect.stringMatching(/cannot be written: .*give the service account/)]);
});
