import { describe, expect, test } from "vitest";
import type { State } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  HASH,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  servingTrack,
  startingRow,
  state,
  waitingTrack,
} from "./situation.ts";

const ID = 7835610;
const LIMIT = 1200 * SECOND;
const limits = { updateStrategy: "in-place" } as const;
const updating: NonNullable<State["updating"]> = {
  instanceId: ID,
  wanted: "image example/app:2",
  image: "example/app:2",
  templateHash: HASH,
  startedAt: NOW - MINUTE,
  sentAt: NOW - MINUTE,
  recycledAt: NOW - MINUTE,
  failed: null,
  before: { image: "example/app:1", templateHash: "0ld" },
  statusBefore: "",
  undo: null,
};
const undone = { ...updating, ...updating.before, before: null, undo: { why: "no such image", unanswered: 0 } };
const typo = { actualStatus: "loading", statusMessage: "manifest unknown" };
const plan = (r: Instance, over: Partial<State> = {}, track = waitingTrack(MINUTE)) =>
  planned({ limits, seen: observation([r]), state: state({ tracks: { [ID]: track }, updating, ...over }) });
const back = { kind: "update", id: ID, image: "example/app:1", templateHash: "0ld", reason: "update_failed" };

describe("an updated instance goes back to its old image", () => {
  test.each<[string, Instance, Parameters<typeof plan>[2], RegExp]>([
    [
      "the image cannot be pulled",
      startingRow(typo),
      waitingTrack(MINUTE),
      /check VAST_TEMPLATE_IMAGE.*\(manifest unknown\)$/,
    ],
    [
      "its entrypoint does not exist",
      startingRow({ actualStatus: "created", statusMessage: 'exec: "serve": executable file not found' }),
      waitingTrack(MINUTE),
      /cannot be started/,
    ],
    ["it does not start in time", startingRow(), waitingTrack(LIMIT + 1), /did not start within/],
    [
      "its app does not answer in time",
      row(),
      waitingTrack(LIMIT + 1, { runningSince: NOW - LIMIT - 1 }),
      /nothing answers/,
    ],
  ])("where %s: it is not destroyed, and nobody is banned", (_, r, track, why) => {
    const { actions, message, reason, state: word } = plan(r, {}, track);
    expect({ reason, word }).toEqual({ reason: "update_failed", word: "provisioning" });
    expect(actions).toMatchObject([back]);
    expect(actions[0]).toMatchObject({
      undoes: expect.stringMatching(why),
      difference: { wanted: "image example/app:2" },
    });
    expect(message).toContain("goes back to image example/app:1: ");
    expect(message).not.toContain("it is replaced");
  });

  test("not where no container of before is known", () => {
    const { actions } = plan(startingRow(typo), { updating: { ...updating, before: null } });
    expect(actions).toMatchObject([{ kind: "destroy", reason: "image_unavailable" }]);
  });

  test("not where the old one does not come up either", () => {
    const { actions } = plan(startingRow(typo), { updating: undone });
    expect(actions).toMatchObject([{ kind: "destroy", reason: "image_unavailable" }]);
  });

  test("not where the machine itself is lost", () => {
    const gone = { ...waitingTrack(LIMIT), lost: { since: NOW - LIMIT, reads: 9, readAt: NOW } };
    expect(plan(row({ actualStatus: "offline" }), {}, gone).actions).toMatchObject([{ kind: "destroy", id: ID }]);
  });
});

describe("while it goes back", () => {
  const sent = (ms: number) => ({ ...undone, recycledAt: null, sentAt: NOW - ms });

  test("calls that were not both accepted are sent again after 30 s, and nothing else is done before", () => {
    expect(plan(row(), { updating: sent(29 * SECOND) })).toMatchObject({ reason: "update_failed", actions: [] });
    expect(plan(row(), { updating: sent(30 * SECOND) }).actions).toMatchObject([back]);
  });

  test("nothing is published, whoever answers: the container may still be the new one", () => {
    expect(plan(row(), { updating: sent(SECOND) }, servingTrack()).server).toBeNull();
    expect(plan(row(), { updating: undone }, servingTrack()).server).toBeNull();
  });

  test("what the row said about the container before counts for nothing for 120 s after the recycle", () => {
    const recycled = (ms: number, statusBefore: string) =>
      plan(startingRow(typo), { updating: { ...undone, recycledAt: NOW - ms, statusBefore } }).actions;
    expect(recycled(119 * SECOND, "manifest unknown")).toEqual([]);
    expect(recycled(120 * SECOND, "manifest unknown")).toMatchObject([{ kind: "destroy" }]);
    expect(recycled(SECOND, "success")).toMatchObject([{ kind: "destroy" }]);
  });

  test("the message says so after the recycle, too", () => {
    const { reason, message } = plan(startingRow(), { updating: undone });
    expect(reason).toBe("updating");
    expect(message).toContain("goes back to image example/app:1");
  });
});

describe("when it serves its old image again", () => {
  const heldReplacement = {
    instanceId: ID,
    wanted: "image example/app:2",
    reason: "update_failed" as const,
    message: "m",
    failures: 1,
    until: NOW + MINUTE,
  };
  const old = (over: Partial<Instance> = {}) => row({ image: "example/app:1", ...over });
  const held = (r: Instance, track: Parameters<typeof plan>[2], over: Partial<State> = {}) =>
    plan(r, { updating: null, heldReplacement, ...over }, track);

  test("it is published and blocked until the next attempt", () => {
    const { reason, state: word, actions, server } = held(old(), servingTrack());
    expect({ reason, word, actions }).toEqual({ reason: "update_failed", word: "blocked", actions: [] });
    expect(server).not.toBeNull();
  });

  test("the next attempt follows when the time is over, and at once for another value", () => {
    const over = held(old(), servingTrack(), { heldReplacement: { ...heldReplacement, until: NOW } });
    const other = held(old(), servingTrack(), {
      heldReplacement: { ...heldReplacement, wanted: "image example/app:9" },
    });
    for (const { actions } of [over, other]) expect(actions).toMatchObject([{ kind: "update", undoes: null }]);
  });

  test("it is not replaced for its image while it is silent for a short time", () => {
    const silent = { ...servingTrack(), serving: false, servingSince: null, notServingSince: NOW - 10 * SECOND };
    expect(held(old(), silent)).toMatchObject({ reason: "instance_unreachable", actions: [] });
  });
});
