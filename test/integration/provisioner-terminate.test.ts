// An end that was ordered is carried through: on SIGTERM with VAST_ON_TERMINATE=destroy, and by the command `destroy`.
import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod, type PodOptions } from "./pod.ts";

let pod: Pod;
const open = async (options: PodOptions = {}) => {
  pod = await openPod({ ...options, env: { VAST_ON_TERMINATE: "destroy", ...options.env } });
};
afterEach(() => pod.close());

const LIST = "^/api/v1/instances/";
const INSTANCE = "^/api/v0/instances/\\d+/";
const ASKS = "^/api/v0/asks/";
const fault = (method: string, path: string, effect: object, more: object = {}) =>
  pod.emulator.send("POST", "faults", { method, path, effect, ...more });
const live = async () => (await pod.emulator.live(pod.label)).map(({ id }) => id);
const destroys = async () => (await pod.emulator.requests()).filter(({ method }) => method === "DELETE");
const lastLine = (child: Child) => logOf(child).at(-1);

/** From now on the process cannot write files, as on a full volume. */
function fillVolumes(child: Child): void {
  const { status, stderr } = spawnSync("prlimit", ["--pid", String(child.pid), "--fsize=16:"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

/** Lists and destroys fail in every way that an overloaded API has, then work. */
async function failSeveralTimes(): Promise<void> {
  for (const effect of [{ status: 502 }, { kind: "cut-before" }, { kind: "html" }, { status: 429 }])
    await fault("GET", LIST, effect);
  for (const effect of [{ status: 403 }, { status: 429 }, { status: 503 }, { kind: "cut-before" }])
    await fault("DELETE", INSTANCE, effect);
}

test("SIGTERM: lists and destroys that fail are sent again until the instance is gone", async () => {
  await open();
  const provisioner = await pod.provision();
  await pod.ready();
  await failSeveralTimes();
  provisioner.signal("SIGTERM");
  expect(await provisioner.exited).toEqual({ code: 0, signal: null });
  expect(await live()).toEqual([]);
  expect(await destroys()).toHaveLength(5);
  expect(lastLine(provisioner)?.msg).toMatch(/nothing is being billed/);
  expect(((await pod.state()).history as object[]).at(-1)).toMatchObject({ reason: "terminating" });
});

test("SIGTERM: full volumes keep nobody from ending", async () => {
  await open();
  const provisioner = await pod.provision();
  await pod.ready();
  fillVolumes(provisioner);
  provisioner.signal("SIGTERM");
  expect(await provisioner.exited).toEqual({ code: 0, signal: null });
  expect(await live()).toEqual([]);
  expect(logOf(provisioner).filter(({ event }) => event === "disk")).toEqual([
    expect.objectContaining({ msg: expect.stringMatching(/EFBIG.*destroyed all the same/) }),
  ]);
});

test("SIGTERM: what is left when the time is over is named, with its price and the remedy", async () => {
  await open({ env: { VAST_TERMINATE_SECONDS: "20" } });
  const provisioner = await pod.provision();
  const { instance } = await pod.ready();
  await fault("DELETE", INSTANCE, { status: 403 }, { times: 0 });
  provisioner.signal("SIGTERM");
  expect(await provisioner.exited).toEqual({ code: 1, signal: null });
  expect(await live()).toEqual([instance?.id]);
  expect((await destroys()).length).toBeGreaterThan(2);
  expect(lastLine(provisioner)).toMatchObject({ level: "error", event: "stop", instances: [instance?.id] });
  expect(lastLine(provisioner)?.msg).toMatch(
    new RegExp(`instance ${instance?.id} \\(.*\\$\\d.*/h\\)\\. Destroy it with: vast-provisioner destroy`),
  );
});

test("SIGTERM: a lost create is looked for, ended and forgotten, so that the next start need not wait for it", async () => {
  await open({ redis: true });
  await fault("PUT", ASKS, { kind: "cut-after" });
  await pod.emulator.send("POST", "settings", { visibilityLagSeconds: 25 });
  const provisioner = await pod.provision();
  await until("the instance exists", async () => (await live()).length === 1);
  const [lost] = await live();
  await until("its create has failed", async () => logOf(provisioner).some(({ offer, err }) => offer && err));
  provisioner.signal("SIGTERM");
  expect(await provisioner.exited).toEqual({ code: 0, signal: null });
  expect(await live()).toEqual([]);
  expect((await destroys()).map(({ path }) => path)).toEqual([`/api/v0/instances/${lost}/`]);
  expect(await pod.state()).toMatchObject({ intent: null, pendingDeletes: [] });
  await pod.emulator.send("POST", "settings", { visibilityLagSeconds: 0 });
  const next = await pod.provision();
  await pod.ready();
  const lines = logOf(next);
  const create = lines.findIndex(({ msg }) => String(msg).startsWith("creating from offer"));
  expect(create).toBeGreaterThan(0);
  expect(lines.slice(0, create).map(({ reason }) => reason)).not.toContain("create_unresolved");
  // An offer may be gone by the time that it is taken.
  const made = (await pod.emulator.requests()).filter(({ method, status }) => method === "PUT" && status === 200);
  expect(made).toHaveLength(2);
});

describe("the command", () => {
  const command = async (...args: string[]) => {
    const child = await pod.provision({}, ["destroy", "--yes", "--json", ...args]);
    const { code } = await child.exited;
    return { child, code, result: JSON.parse(child.lines.find((line) => line.startsWith('{"done"')) ?? "{}") };
  };
  const stopped = async () => {
    await open({ env: { VAST_ON_TERMINATE: "keep" } });
    const provisioner = await pod.provision();
    const { instance } = await pod.ready();
    await provisioner.stop();
    return instance?.id;
  };

  test("sends lists and destroys that fail again until the instance is gone", async () => {
    const id = await stopped();
    await failSeveralTimes();
    expect(await command()).toMatchObject({ code: 0, result: { done: true, problem: null, gone: [id], left: [] } });
    expect(await live()).toEqual([]);
  });

  test("ends within its time, names what is left, and fails", async () => {
    const id = await stopped();
    await fault("DELETE", INSTANCE, { status: 503 }, { times: 0 });
    const { code, result } = await command("--within-seconds", "20");
    expect([code, result.left]).toEqual([1, [id]]);
    expect(result.problem).toContain(`instance ${id} (`);
  });

  test("destroys although its volume is full", async () => {
    const id = await stopped();
    const slow = { kind: "delay", seconds: 8 };
    await fault("GET", LIST, slow); // time to fill the volume
    const child = await pod.provision({}, ["destroy", "--yes"]);
    fillVolumes(child);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.lines.join("\n")).toMatch(/EFBIG.*destroyed all the same/);
    expect(child.lines.join("\n")).toContain(`Destroyed and verified: ${id}`);
    expect(await live()).toEqual([]);
  });
});
