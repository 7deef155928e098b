import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { kubectl } from "./kubectl.ts";
import { openStage, PATIENCE_MS, type Stage } from "./stage.ts";

// The grace period of the pods, and time for the last of them to disappear.
const GONE_MS = 360_000;
// nginx gets this long for an answer that is still being sent (the hook of the component scale-down).
const DRAIN_SECONDS = 60;
// From the end of nginx to the DELETE: 5 s is the goal, and a busy machine needs more for the kubelet's and the API's part.
const DELETE_WITHIN_SECONDS = 12;

// One deployment for all tests, which run one after another.
describe("the end of pods", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage("end");
    await stage.apply();
    await stage.serving(1);
  });
  afterAll(() => stage?.close());

  const destroyedAt = async (id: number | undefined) => {
    const calls = await stage.emulator.mutations();
    return Date.parse(calls.find(({ method, path }) => method === "DELETE" && path.includes(`/${id}/`))?.at ?? "");
  };

  test("cuts an open answer after its minute, and destroys the instance soon after nginx has ended", async () => {
    const [instance] = await stage.live();
    await stage.client.openLong();
    const startedAt = Date.now();
    await stage.scale(0);
    const cutAt = await until("the answer is cut", async () => (await stage.client.long()).endedAt, {
      timeoutMs: GONE_MS,
      everyMs: 250,
    });
    await stage.gone(GONE_MS);
    const lastAt = await destroyedAt(instance?.id);
    const drained = (cutAt - startedAt) / 1000;
    const destroyed = (lastAt - cutAt) / 1000;
    console.log(
      `the answer was cut after ${drained.toFixed(1)} s, and the DELETE came ${destroyed.toFixed(1)} s later`,
    );
    expect(await stage.live()).toEqual([]);
    expect(drained).toBeGreaterThan(DRAIN_SECONDS - 10);
    expect(destroyed).toBeLessThan(DELETE_WITHIN_SECONDS);
  });

  test("keeps the instance of a pod that is wanted again before it has ended", async () => {
    await stage.scale(1);
    const [instance] = await stage.serving(1);
    const [pod] = await stage.pods();
    await stage.client.openLong();
    await stage.scale(0);
    await until("the pod is ending", async () => (await stage.pods())[0]?.metadata.deletionTimestamp !== undefined, {
      timeoutMs: PATIENCE_MS,
      everyMs: 250,
    });
    await stage.scale(1);
    await until(
      "its successor is ready",
      async () => {
        const { status } = await stage.set();
        const [next] = await stage.pods();
        return status.readyReplicas === 1 && next !== undefined && next.metadata.uid !== pod?.metadata.uid;
      },
      { timeoutMs: PATIENCE_MS, everyMs: 500 },
    );
    expect((await stage.live()).map(({ id }) => id)).toEqual([instance?.id]);
  });

  test("that nobody carried out is made up for by the reaper, which keeps what is wanted", async () => {
    const [wanted] = await stage.live();
    const hoursAgo = Date.now() / 1000 - 2 * 3600;
    const fields = { image_uuid: "example/app:2", start_date: hoursAgo };
    const orphan = (await stage.emulator.send("POST", "instances", { ...fields, label: "k8s_pod=vast-pod-7" })) as {
      id: number;
    };
    const stranger = (await stage.emulator.send("POST", "instances", { ...fields, label: "k8s_pod=other-0" })) as {
      id: number;
    };
    await stage.kubectl("create", "job", "reap-now", "--from=cronjob/vast-pod-reaper");
    await stage.kubectl("wait", "--for=condition=Complete", "job/reap-now", "--timeout=300s");
    const last = (await stage.kubectl("logs", "job/reap-now")).trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ done: true, gone: [orphan.id] });
    expect((await stage.live()).map(({ id }) => id).toSorted()).toEqual([wanted?.id, stranger.id].toSorted());
    await stage.emulator.event(stranger.id, "kill");
  });

  test("keeps the instance when everything is removed at once, says so last, and serves it when all is applied again", async () => {
    const [instance] = await stage.live();
    const log = stage.kubectl("logs", "vast-pod-0", "--container", "provisioner", "--follow", "--tail=1");
    await stage.remove();
    const lines = (await log).trim().split("\n");
    const said = lines.map((line) => JSON.parse(line) as { level: number; event?: string; msg: string });
    console.log(said.slice(-3).map(({ msg }) => msg));
    expect(said.some(({ msg }) => /kept because the cluster gives no clear answer .*answered 401/.test(msg))).toBe(
      true,
    );
    expect(said.at(-1)?.msg).toContain(`${instance?.id}`);
    await stage.gone(GONE_MS);
    expect((await stage.live()).map(({ id }) => id)).toEqual([instance?.id]);
    await stage.apply();
    expect((await stage.serving(1)).map(({ id }) => id)).toEqual([instance?.id]);
  });

  test("destroys the instances of a namespace that is deleted", async () => {
    const [instance, ...others] = await stage.live();
    expect(others).toEqual([]);
    const startedAt = Date.now();
    await kubectl("delete", "namespace", stage.namespace, "--timeout=400s");
    const gone = Math.round((Date.now() - startedAt) / 1000);
    const destroyed = Math.round(((await destroyedAt(instance?.id)) - startedAt) / 1000);
    // Kubernetes looks again only after half of the longest grace period.
    console.log(`the DELETE came ${destroyed} s after the namespace was deleted, which is gone after ${gone} s`);
    expect(await stage.live()).toEqual([]);
  });
});
