import { describe, expect, test } from "vitest";
import { known } from "../../../../provisioner/model/observation.ts";
import { untilTurn, wishOf } from "../../../../provisioner/plan/turn.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  decided,
  HASH,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  servingTrack,
  state,
  template,
  waitingTrack,
} from "./situation.ts";

const ID = 7835610;
const limits = { updateStrategy: "in-place" } as const;
const updating = {
  instanceId: ID,
  wanted: "image example/app:2",
  image: "example/app:2",
  templateHash: HASH,
  startedAt: NOW - MINUTE,
  sentAt: NOW - MINUTE,
  recycledAt: null,
  failed: null,
  before: null,
  statusBefore: "",
  undo: null,
};
const templateOf = (over: object) => ({ ...template, seenAt: NOW, readAt: NOW, ...over });
const old = (over: Partial<Instance> = {}) => row({ image: "example/app:1", ...over });
const situation = (r: Instance, over: Partial<State> = {}, seen: object = {}) => ({
  limits,
  seen: observation([r], seen),
  state: state({ tracks: { [ID]: servingTrack() }, ...over }),
});

describe("with the strategy in-place", () => {
  test("a serving instance with another image is updated and not published meanwhile", () => {
    const plan = planned(situation(old()));
    expect(plan).toMatchObject({ reason: "image_changed", state: "provisioning", server: null });
    expect(plan.actions).toEqual([
      {
        kind: "update",
        id: ID,
        reason: "image_changed",
        image: "example/app:2",
        templateHash: HASH,
        diskGb: null,
        difference: { wanted: "image example/app:2", reported: "image example/app:1" },
        before: { image: "example/app:1", templateHash: HASH },
        statusBefore: "success, running example/app_2/args",
        undoes: null,
      },
    ]);
    expect(plan.message).toMatch(
      / has image example\/app:1, but image example\/app:2 is wanted; it is updated in place$/,
    );
  });

  test("it can go back to the container of before, unless that has not answered for a minute", () => {
    const before = { image: "example/app:1", templateHash: HASH };
    const found = (ms: number) => ({ tracks: { [ID]: waitingTrack(ms, { runningSince: NOW - ms }) } });
    expect(planned(situation(old(), found(59_000))).actions).toMatchObject([{ kind: "update", before }]);
    expect(planned(situation(old(), found(61_000))).actions).toMatchObject([{ kind: "update", before: null }]);
  });

  test("a container without a template can go back to its image with the template that is wanted", () => {
    const { actions } = planned(situation(old({ templateHash: null })));
    expect(actions).toMatchObject([{ kind: "update", before: { image: "example/app:1", templateHash: HASH } }]);
  });

  test("so is one with another template, and its disk grows where the template wants more", () => {
    const more = { template: templateOf({ diskSpace: 64 }) };
    const { actions } = planned(situation(row({ templateHash: "0ld" }), more));
    expect(actions).toMatchObject([{ kind: "update", reason: "template_changed", diskGb: 64 }]);
  });

  test("an update needs no create, so the budget of the creates does not hold it", () => {
    const creates = [1, 2, 3, 4, 5, 6].map((minutes) => NOW - minutes * MINUTE);
    expect(planned(situation(old(), { creates })).actions).toMatchObject([{ kind: "update" }]);
  });

  test("an update waits for the pod's turn as a replacement does, and the instance serves until then", () => {
    const decision = decided(situation(old()));
    const wish = wishOf(decision, state(), false);
    expect(wish).toMatchObject({ kind: "replacement" });
    if (wish === null) return;
    const waiting = untilTurn(decision, wish, { kind: "limit", others: 5, most: 5, checkMs: 1000 });
    expect(waiting).toMatchObject({ reason: "waiting_for_turn", state: "ready", actions: [] });
  });

  test.each<[string, Instance, Partial<State>, object, RegExp]>([
    [
      "its disk would have to shrink",
      old({ diskGb: 64 }),
      {},
      {},
      /its disk of 64 GB cannot become smaller, and the template has 32 GB$/,
    ],
    [
      "its ports are other ones",
      old({ templateHash: "0ld" }),
      { template: templateOf({ portFlags: "9000:9000" }), templateBefore: { hash: "0ld", portFlags: "8000:8000" } },
      {},
      /publishes other ports than before$/,
    ],
    [
      "it does not run",
      old({ actualStatus: "loading" }),
      { tracks: { [ID]: waitingTrack(MINUTE) } },
      {},
      /it does not run$/,
    ],
    [
      "its host is banned",
      old(),
      {},
      { bans: known([{ kind: "host", id: 77001, reason: "start_timeout" }]) },
      /its host 77001 is banned \(start_timeout\)$/,
    ],
    [
      "it restarted too often",
      old(),
      {},
      { counters: new Map([[ID, { waitingSince: null, restarts: 6 }]]) },
      /it restarted more than 5 times \(BLACKLIST_RESTART_THRESHOLD\)$/,
    ],
    ["that has failed once", old(), { updating: { ...updating, failed: "no" } }, {}, /that was tried once: no$/],
  ])("an instance is replaced where %s, and the message says so", (_, r, over, seen, why) => {
    const plan = planned(situation(r, over, seen));
    expect(plan.actions.filter(({ kind }) => kind !== "ban")).toMatchObject([
      { kind: "destroy", id: ID, reason: "image_changed" },
    ]);
    expect(plan.message).toMatch(why);
    expect(plan.message).toContain("it is replaced, because it cannot be updated in place: ");
  });

  test("another value is tried in place after one that has failed", () => {
    const failed = { updating: { ...updating, wanted: "image example/app:9", failed: "no" } };
    expect(planned(situation(old(), failed)).actions).toMatchObject([{ kind: "update" }]);
  });

  test("ports that are not known prevent nothing, and neither do the same ones", () => {
    const before = { hash: "0ld", portFlags: "8000:8000" };
    for (const templateBefore of [null, before, { ...before, hash: "another" }]) {
      const same = { template: templateOf({ portFlags: "8000:8000" }), templateBefore };
      expect(planned(situation(old({ templateHash: "0ld" }), same)).actions).toMatchObject([{ kind: "update" }]);
    }
  });

  test("a template that may be prepared is followed by its recycle, although the row shows the new values already", () => {
    const plan = planned(situation(row(), { updating }));
    expect(plan.actions).toMatchObject([{ kind: "update", id: ID, image: "example/app:2", templateHash: HASH }]);
    expect(plan.message).toContain("an unfinished update");
  });

  test("an update that came no further than its template is over where the container of before is wanted again, as the row is", () => {
    const before = { image: "example/app:2", templateHash: HASH };
    const open = { ...updating, image: "example/app:3", wanted: "image example/app:3", before, isUntouched: true };
    const banned = {
      bans: known([{ kind: "host" as const, id: 77001, reason: "too_many_restarts" }]),
    };
    const plan = planned(situation(row(), { updating: open }, banned));
    expect(plan).toMatchObject({ reason: "instance_ready", actions: [] });
    expect(plan.server).not.toBeNull();
    const mayBeAnother: Partial<NonNullable<State["updating"]>>[] = [
      { isUntouched: false },
      { sentAt: null },
      { before: { ...before, image: "example/app:1" } },
      { before: { ...before, templateHash: "0ld" } },
    ];
    for (const over of mayBeAnother)
      expect(planned(situation(row(), { updating: { ...open, ...over } })).actions).toMatchObject([{ kind: "update" }]);
    expect(planned(situation(row({ templateHash: "0ld" }), { updating: open })).actions).toMatchObject([
      { kind: "update" },
    ]);
  });

  test("an update that the API did not accept is held, and the instance serves on", () => {
    const heldReplacement = {
      instanceId: ID,
      wanted: "image example/app:2",
      reason: "update_refused" as const,
      message: "m",
      failures: 1,
      until: NOW + MINUTE,
    };
    const plan = planned(situation(old(), { heldReplacement }));
    expect(plan).toMatchObject({ reason: "update_refused", state: "blocked", actions: [] });
    expect(plan.server).not.toBeNull();
  });

  test("a replaced container is not published and not judged by its row before a list has shown the change", () => {
    const recycled = { updating: { ...updating, recycledAt: NOW - MINUTE } };
    expect(planned(situation(old(), recycled))).toMatchObject({ reason: "updating", server: null, actions: [] });
    expect(planned(situation(row(), recycled)).server).toBeNull();
  });

  test("one that a list has shown has as long as a new instance to answer, and no longer", () => {
    const recycledAt = NOW - 30 * MINUTE;
    const waits = (ms: number) => ({
      updating: { ...updating, recycledAt },
      tracks: { [ID]: waitingTrack(ms, { runningSince: NOW - ms }) },
    });
    expect(planned(situation(row(), waits(19 * MINUTE)))).toMatchObject({ reason: "instance_starting", server: null });
    expect(planned(situation(row(), waits(21 * MINUTE))).reason).toBe("app_not_listening");
  });

  test("what its host says about the start counts at once", () => {
    const recycled = { updating: { ...updating, recycledAt: NOW - MINUTE }, tracks: { [ID]: waitingTrack(MINUTE) } };
    const failed = old({ actualStatus: "loading", statusMessage: "manifest unknown" });
    const plan = planned(situation(failed, recycled));
    expect(plan).toMatchObject({ reason: "image_unavailable", actions: [{ kind: "destroy", id: ID }] });
  });
});

test("with the strategy recreate an instance that differs is destroyed, and the message names the risk", () => {
  const plan = planned({ ...situation(old()), limits: {} });
  expect(plan.actions).toMatchObject([{ kind: "destroy" }]);
  expect(plan.message).toMatch(/; it is replaced\. Nothing serves until the next one does, .* costs this instance \(/);
});
