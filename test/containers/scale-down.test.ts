import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { createEmulatorControl, type EmulatorControl } from "../integration/emulator-control.ts";
import { type FakeCluster, startFakeCluster } from "../kubernetes/fake-cluster.ts";
import { claimPorts, type PortBlock } from "../sandbox/ports.ts";
import { until } from "../sandbox/until.ts";
import { command } from "./command.ts";
import { imageOf } from "./images.ts";

const LABEL = "k8s_pod=vast-pod-0";
const PREFIX = "k8s_pod=vast-pod-";
// The program gets the grace period of a pod.
const GRACE_SECONDS = "120";

// The images as a pod runs them: token, CA and namespace are mounted where the kubelet mounts them.
describe("in a cluster", () => {
  let ports: PortBlock;
  let folder = "";
  let cluster: FakeCluster;
  let emulator: EmulatorControl;
  let api = "";
  const names: string[] = [];
  const docker = (...args: string[]) => command("docker", args, { env: inject("engine") });
  const nameFor = (what: string) => {
    const name = `vast-pod-${what}-${process.pid}-${names.length}`;
    names.push(name);
    return name;
  };

  beforeAll(async () => {
    ports = await claimPorts();
    const port = String(await ports.take());
    api = `http://127.0.0.1:${port}`;
    const args = ["--port", port, "--boot-seconds", "1"];
    await docker("run", "--detach", "--name", nameFor("emulator"), "--network", "host", imageOf("emulator"), ...args);
    emulator = createEmulatorControl(api);
    await until("the emulator answers", () => emulator.state(), { timeoutMs: 30_000 });
  });
  afterAll(async () => {
    for (const name of names) await docker("rm", "--force", "--volumes", name);
    await ports?.release();
  });
  beforeEach(async () => {
    cluster = await startFakeCluster();
    cluster.pods.set("vast-pod-0", "vast-pod");
    cluster.statefulSets.set("vast-pod", { name: "vast-pod", replicas: 1 });
    folder = await mkdtemp(join(tmpdir(), "vast-pod-account-"));
    await command("chmod", ["755", folder]);
    for (const [name, text] of Object.entries(cluster.serviceAccount)) await writeFile(join(folder, name), text);
  });
  afterEach(async () => {
    await cluster?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const inPod = () => [
    ...["--network", "host", "--read-only", "--volume", `${folder}:/var/run/secrets/kubernetes.io/serviceaccount:ro`],
    ...["--env", "KUBERNETES_SERVICE_HOST=127.0.0.1", "--env", `KUBERNETES_SERVICE_PORT=${cluster.port}`],
    ...["--env", "VAST_API_KEY=emulator-key", "--env", `VAST_URL=${api}`],
  ];

  /** Starts the provisioner of vast-pod-0 and waits for its instance. */
  async function provision(env: readonly string[] = ["VAST_ON_TERMINATE=scale-down"]): Promise<string> {
    const name = nameFor("provisioner");
    const settings = [
      ...["POD_NAME=vast-pod-0", "VAST_TEMPLATE_NAME=demo", "VAST_TEMPLATE_IMAGE=example/app:2", "DOCKER_LOGIN=none"],
      ...["VAST_SEARCH_QUERY=num_gpus=1", "VAST_FIRST_CREATE_WAIT_SECONDS=0", "VAST_DRAIN_SECONDS=0"],
      "UPSTREAM_ALLOW_LOCAL=true", // the emulated instances are on this machine
      "VAST_TERMINATE_SECONDS=20", // a cluster that gives no clear answer is asked for so long
      ...[`PROVISIONER_STATUS_PORT=${await ports.take()}`, `RELOADER_STATUS_PORT=${await ports.take()}`, ...env],
    ].flatMap((one) => ["--env", one]);
    const volumes = ["--volume", "/var/run/vast-pod", "--volume", "/var/lib/vast-pod"];
    await docker("run", "--detach", "--name", name, ...inPod(), ...settings, ...volumes, imageOf("provisioner"));
    await until("the instance serves", async () => (await docker("logs", name)).includes('"instance_ready"'), {
      timeoutMs: 60_000,
      everyMs: 250,
      context: () => docker("logs", name),
    });
    return name;
  }
  const live = async () => (await emulator.live(LABEL)).map((one) => one.id);
  async function stop(name: string): Promise<string> {
    await docker("stop", "--time", GRACE_SECONDS, name);
    expect((await docker("inspect", "--format", "{{.State.ExitCode}}", name)).trim()).toBe("0");
    return docker("logs", name);
  }
  const destroyRest = async () => {
    for (const id of await live()) await emulator.event(id, "kill");
  };

  test("a pod that its StatefulSet no longer wants destroys its instance and verifies it", async () => {
    const name = await provision();
    cluster.statefulSets.set("vast-pod", { name: "vast-pod", replicas: 0 });
    expect(await stop(name)).toMatch(/nothing is being billed"\}\n$/);
    expect(await live()).toEqual([]);
  });

  test.each<[string, (cluster: FakeCluster) => void]>([
    ["it is only restarted", () => undefined],
    ["the cluster refuses to answer", (it) => Object.assign(it, { trouble: { status: 403 } })],
    ["the cluster's answer is a page", (it) => Object.assign(it, { trouble: { status: 404, body: "<html>" } })],
  ])("a pod keeps its instance when %s", async (_, change) => {
    const name = await provision();
    change(cluster);
    expect(await stop(name)).toMatch(/is still being billed; destroy it with: vast-provisioner destroy/);
    expect(await live()).toHaveLength(1);
    await destroyRest();
  });

  test("the pods of a deleted StatefulSet destroy their instances", async () => {
    const name = await provision();
    cluster.statefulSets.delete("vast-pod");
    await stop(name);
    expect(await live()).toEqual([]);
  });

  test("destroy at every stop warns of Kubernetes", async () => {
    const name = await provision(["VAST_ON_TERMINATE=destroy"]);
    expect(await stop(name)).toContain("destroys the instance at every restart of the pod");
    expect(await live()).toEqual([]);
  });

  test("reap destroys only the instances that no pod wants", async () => {
    const make = async (label: string) => {
      const startedAt = Date.now() / 1000 - 7200;
      const { id } = (await emulator.send("POST", "instances", { label, start_date: startedAt })) as { id: number };
      return id;
    };
    const [wanted, orphan, foreign] = [await make(`${PREFIX}0`), await make(`${PREFIX}7`), await make("k8s_pod=web-7")];
    const reap = (...args: string[]) =>
      docker("run", "--rm", ...inPod(), imageOf("provisioner"), "reap", "--prefix", PREFIX, "--json", ...args);
    expect(JSON.parse(await reap())).toMatchObject({ done: true, orphans: [orphan], gone: [] });
    expect(JSON.parse(await reap("--yes"))).toEqual({
      done: true,
      problem: null,
      orphans: [orphan],
      gone: [orphan],
      left: [],
    });
    const alive = (await emulator.state()).instances.filter((one) => one.destroyedAt === null).map((one) => one.id);
    expect(alive).toEqual(expect.arrayContaining([wanted, foreign]));
    cluster.trouble = { status: 500 };
    await expect(reap("--yes")).rejects.toThrow(/Nothing is destroyed: the cluster gives no clear answer/);
    for (const id of [wanted, foreign]) await emulator.event(id, "kill");
  });
});
