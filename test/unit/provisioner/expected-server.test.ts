// The list has shown an instance at its address and is refused before its app answers: it is served then, as long as the port is its own.
import { describe, expect, test } from "vitest";
import type { Limits } from "../../../provisioner/model/desired.ts";
import type { Observation } from "../../../provisioner/model/observation.ts";
import type { Plan } from "../../../provisioner/model/plan.ts";
import { servedOnceItAnswers } from "../../../provisioner/plan/serving.ts";
import type { State } from "../../../provisioner/state/schema.ts";
import type { Instance } from "../../../provisioner/vast/rows.ts";
import { fileOf, loop } from "./loop.ts";
import {
  desired,
  endpoint,
  failing,
  MINUTE,
  NOW,
  observation,
  passing,
  published,
  row,
  SECOND,
  silentTrack,
  startingRow,
  state,
  template,
  tracks,
  unknown,
  waitingTrack,
} from "./plan/situation.ts";

const ID = 7835610;
const known = { ...template, seenAt: NOW, readAt: NOW };
const updating = {
  instanceId: ID,
  wanted: "image example/app:2",
  image: "example/app:2",
  templateHash: template.hash,
  startedAt: NOW - MINUTE,
  sentAt: NOW - MINUTE,
  failed: null,
  before: null,
  statusBefore: "",
  undo: null,
};
const { server } = published();

interface Setup {
  shown?: Partial<Instance>;
  limits?: Partial<Limits>;
  state?: Partial<State>;
  file?: Parameters<typeof loop>[0]["file"];
  /** How old the list is. */
  listAgeMs?: number;
}

const refused = (probe = passing()): Observation => ({
  ...observation([], { list: unknown("no", "auth") }),
  publishedProbe: { instanceId: ID, probe },
});

/** A pass with a list that shows the instance, which does not answer yet; from then on the list is refused. */
async function shownOnce({ shown = {}, listAgeMs, file, ...setup }: Setup = {}) {
  const shownRow = row(shown);
  let seen = observation([shownRow], { probes: new Map([[ID, failing()]]) });
  const l = loop({
    seen: () => seen,
    state: state(setup.state),
    limits: { httpProbe: false, ...setup.limits },
    ...(listAgeMs === undefined ? {} : { listAgeMs }),
    ...(file === undefined ? {} : { file }),
  });
  await l.pass();
  seen = refused();
  const passAfter = async (ms: number, probe = passing()) => {
    seen = refused(probe);
    await l.clock.advance(ms);
    await l.pass();
    return l.state.file?.server ?? null;
  };
  return { ...l, passAfter };
}

describe("an instance whose address a list has shown before the list is refused", () => {
  test("is served when it answers for the first time, and nothing is changed", async () => {
    const l = await shownOnce();
    expect(l.state.plan).toMatchObject({ reason: "instance_starting", server: null });
    expect(await l.passAfter(50 * SECOND, failing())).toBeNull();
    expect(await l.passAfter(50 * SECOND)).toEqual(server);
    expect(l.state.plan).toMatchObject({ reason: "account_auth", instance: { id: ID }, actions: [] });
    expect(l.journal.join()).not.toMatch(/create|destroy/);
  });

  test("may be silent for longer than two minutes if the list has shown it until now", async () => {
    const silent = { state: { tracks: tracks(ID, silentTrack(3 * MINUTE)) } };
    const l = await shownOnce({ ...silent, file: fileOf({ server: null }) });
    expect(l.state.plan).toMatchObject({ reason: "instance_unreachable" });
    await l.passAfter(10 * SECOND);
    expect(await l.passAfter(10 * SECOND)).toEqual(server); // two passing probes, as after each silence
  });

  test("is served no longer than its probe passes, and no longer than an open port counts", async () => {
    const l = await shownOnce({ limits: { unknownMaxMs: 5 * MINUTE } });
    expect(await l.passAfter(10 * SECOND)).toEqual(server);
    expect(await l.passAfter(4 * MINUTE)).toEqual(server);
    expect(await l.passAfter(2 * MINUTE)).toBeNull();
  });

  test.each<[string, Setup, number]>([
    ["two minutes have passed since that list: its port may be somebody else's", {}, 121 * SECOND],
    ["that list was old already", { listAgeMs: 30 * SECOND }, 91 * SECOND],
    ["ten minutes have passed, and an HTTP probe proves more", { limits: { httpProbe: true } }, 601 * SECOND],
    ["the row has no port yet", { shown: startingRow() }, 10 * SECOND],
    ["its container is not running any more", { shown: { actualStatus: "exited" } }, 10 * SECOND],
    ["another image is wanted", { shown: { image: "example/app:1" } }, 10 * SECOND],
    ["the template has another content", { shown: { templateHash: "old" } }, 10 * SECOND],
  ])("is not served where %s", async (_, setup, afterMs) => {
    const l = await shownOnce(setup);
    await l.passAfter(afterMs - 5 * SECOND, failing());
    expect(await l.passAfter(5 * SECOND)).toBeNull();
    expect(await l.passAfter(5 * SECOND)).toBeNull();
  });

  test("with an HTTP probe is served ten minutes later", async () => {
    const l = await shownOnce({ limits: { httpProbe: true } });
    expect(await l.passAfter(599 * SECOND)).toEqual(server);
  });

  test("counts for nothing with the next list: what that shows decides", async () => {
    let seen = observation([row()], { probes: new Map([[ID, failing()]]) });
    const l = loop({ seen: () => seen, limits: { httpProbe: false } });
    await l.pass();
    expect(l.state.expected).not.toBeNull();
    seen = observation([]);
    await l.pass();
    expect(l.state.expected).toBeNull();
    expect(l.state.file?.server ?? null).toBeNull();
  });
});

describe("nothing is expected of an instance", () => {
  const instance = published().instance;
  const idle = { server: null, instance, actions: [] };
  const waiting = state({ template: known, tracks: tracks(ID, waitingTrack(MINUTE, { endpoint, runningSince: NOW })) });
  const of = (plan: Partial<Plan> = {}, over: Partial<State> = {}) =>
    servedOnceItAnswers(
      { ...idle, ...plan },
      { desired, state: { ...waiting, ...over }, seen: { ...observation(), listedAt: NOW } },
    );

  test("which the plan serves, or interrupts, or which is being changed or destroyed", () => {
    expect(of()).toEqual({ server, instance });
    expect(of({ server })).toBeNull();
    expect(of({ instance: null })).toBeNull();
    expect(
      of({ actions: [{ kind: "destroy", id: ID, hostId: null, machineId: null, reason: "unreachable" }] }),
    ).toBeNull();
    expect(of({}, { updating: { ...updating, recycledAt: NOW } })).toBeNull();
    expect(of({}, { pendingDeletes: [{ id: ID, reason: "unreachable", since: NOW, deleteSentAt: null }] })).toBeNull();
  });

  test("which is updated in place, until a list that was asked for a while after that shows the new container", () => {
    const recycled = (ms: number, more: Partial<typeof updating> = {}) =>
      of({}, { updating: { ...updating, recycledAt: NOW - ms, ...more } });
    expect(recycled(2 * SECOND)).toBeNull();
    expect(recycled(MINUTE, { image: "example/app:3" })).toBeNull();
    expect(recycled(MINUTE)).toEqual({ server, instance });
  });

  test("while the template is unknown: it may be outdated", () => {
    expect(of({}, { template: null })).toBeNull();
  });

  test("which has another image than the wanted one, unless its replacement waits", () => {
    const outdated = { instance: instance && { ...instance, image: "example/app:1" } };
    const held = {
      instanceId: ID,
      wanted: "w",
      reason: "update_failed",
      message: "",
      failures: 1,
      until: NOW,
    } as const;
    expect(of(outdated)).toBeNull();
    expect(of(outdated, { heldReplacement: { ...held, instanceId: 9 } })).toBeNull();
    expect(of(outdated, { heldReplacement: held })).toEqual({ server, ...outdated });
  });

  test("whose contract a list has shown as stopped", () => {
    const track = waitingTrack(MINUTE, { endpoint, runningSince: NOW, stopped: { reads: 1, readAt: NOW } });
    expect(of({}, { tracks: tracks(ID, track) })).toBeNull();
  });
});
