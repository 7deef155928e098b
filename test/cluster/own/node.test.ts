// What happens on the node beneath a serving pod. Only on our own node: on another one nobody may kill these.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../sandbox/until.ts";
import { failures, summary } from "../client.ts";
import { containerIdOf, isReady, restartsOf } from "../objects.ts";
import { openStage, PATIENCE_MS, type Stage } from "../stage.ts";
import { processesNamed, restartProgram, signalProgram } from "./node.ts";

// One deployment for all tests, which run one after another.
describe("a serving pod", () => {
  let stage: Stage;
  let serving = 0;
  beforeAll(async () => {
    stage = await openStage("node");
    await stage.apply();
    serving = (await stage.serving(1))[0]?.id ?? 0;
  });
  afterAll(() => stage?.close());

  const restarted = async (before: number) => {
    await until(
      "the pod is ready again",
      async () => {
        const now = await stage.firstPod();
        return isReady(now) && restartsOf(now) > before;
      },
      { timeoutMs: PATIENCE_MS, everyMs: 250 },
    );
    await stage.client.answered();
  };
  const servesTheSame = async () => {
    await stage.client.answered();
    const [last] = (await stage.client.since((await stage.client.mark()) - 20)).filter(({ instance }) => instance);
    expect(last?.instance).toBe(serving);
    expect((await stage.live()).map(({ id }) => id)).toEqual([serving]);
  };

  test("loses no request while the kubelet hangs and is started again, even if a program dies meanwhile", async () => {
    await stage.client.answered();
    const before = await stage.firstPod();
    const mark = await stage.client.mark();
    signalProgram("kubelet", "SIGSTOP");
    // Its supervisor needs no kubelet.
    const inside = containerIdOf(before, "provisioner");
    const program = (among: readonly number[] = []) =>
      processesNamed("node", inside).find((pid) => !among.includes(pid));
    const killed = program();
    if (killed === undefined) throw new Error("the provisioner does not run");
    process.kill(killed, "SIGKILL");
    await until("the provisioner runs again", () => program([killed]), { timeoutMs: PATIENCE_MS });
    await stage.client.sends(150);
    await restartProgram("kubelet");
    await stage.client.sends(150);
    const samples = await stage.client.since(mark);
    console.log(`the kubelet hangs and is started again: ${summary(samples)}`);
    expect(failures(samples)).toEqual([]);
    expect(restartsOf(await stage.firstPod())).toBe(restartsOf(before));
    await servesTheSame();
  });

  // As the kernel does where one process that has no memory left ends the whole container.
  test.each(["provisioner", "reloader", "nginx"])("is back after the whole container %s was killed", async (name) => {
    const before = await stage.firstPod();
    const mark = await stage.client.mark();
    for (const pid of processesNamed(null, containerIdOf(before, name))) process.kill(pid, "SIGKILL");
    await restarted(restartsOf(before));
    const samples = await stage.client.since(mark);
    console.log(`the container ${name} is killed: ${summary(samples)}`);
    expect((await stage.firstPod()).metadata.uid).toBe(before.metadata.uid);
    await servesTheSame();
  });

  test("is back after its pause process was killed", async () => {
    const before = await stage.firstPod();
    const mark = await stage.client.mark();
    const [pause, ...others] = processesNamed("pause", before.metadata.uid);
    expect(others).toEqual([]);
    if (pause === undefined) throw new Error("the pod has no pause process");
    process.kill(pause, "SIGKILL");
    await restarted(restartsOf(before));
    const samples = await stage.client.since(mark);
    console.log(`the pause process is killed: ${summary(samples)}`);
    expect((await stage.firstPod()).metadata.uid).toBe(before.metadata.uid);
    await servesTheSame();
  });
});
