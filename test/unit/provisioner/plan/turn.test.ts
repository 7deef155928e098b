import { describe, expect, test } from "vitest";
import type { PodTurn } from "../../../../provisioner/fleet/pod-turns.ts";
import { untilTurn, wishOf } from "../../../../provisioner/plan/turn.ts";
import { LOOK_GAP_MS } from "../../../../provisioner/state/unobserved.ts";
import {
  decided,
  HOUR,
  NOW,
  observation,
  published,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  waitingTrack,
} from "./situation.ts";

const ID = 7835610;
const LATER: PodTurn = { kind: "later", ahead: 234, waitMs: 1085 * SECOND, checkMs: 540 * SECOND };
const creating = decided({});
const outdated = row({ image: "example/app:1" });
const serving = state({ tracks: { [ID]: servingTrack() } });
const replacing = decided({ seen: observation([outdated]), state: serving, published: published(outdated) });

const dead = state({ tracks: { [ID]: silentTrack(HOUR) } });
const dying = decided({ seen: observation([row()]), state: dead });

/** What is destroyed without a turn. */
function sent(decision: typeof dying, of: typeof dead): number[] {
  expect(wishOf(decision, of, false)).toBeNull();
  return decision.actions.flatMap((action) => (action.kind === "destroy" ? [action.id] : []));
}

describe("a turn is wanted", () => {
  test("for a create, and a pod that has served or may be the only one lost its instance", () => {
    expect(wishOf(creating, state(), false)).toEqual({ kind: "create", lost: false });
    expect(wishOf(creating, state({ hasServed: true }), false)).toEqual({ kind: "create", lost: true });
    expect(wishOf(creating, state(), true)).toEqual({ kind: "create", lost: true });
  });

  test("for the replacement of what serves", () => {
    expect(wishOf(replacing, serving, false)).toMatchObject({ kind: "replacement" });
  });

  test("for the destroy of a dead instance, and one that is dead and outdated does not wait for a create", () => {
    expect(wishOf(dying, dead, false)).toMatchObject({ kind: "destroy" });
    const both = decided({ seen: observation([outdated]), state: dead });
    expect(both.actions.some(({ kind }) => kind === "destroy")).toBe(true);
    expect(wishOf(both, dead, false)?.kind).not.toBe("replacement");
  });

  test("for nothing else: neither for what serves, nor for a destroy that was ordered, nor for one that is too many", () => {
    expect(wishOf(decided({ seen: observation([row()]), state: serving }), serving, false)).toBeNull();
    const pending = { id: 9, reason: "instance_exited", since: NOW - HOUR, deleteSentAt: NOW - HOUR };
    const ordered = { ...serving, pendingDeletes: [pending] };
    expect(sent(decided({ seen: observation([row(), row({ id: 9 })]), state: ordered }), ordered)).toEqual([9]);
    expect(sent(decided({ seen: observation([row(), row({ id: 10 })]), state: serving }), serving)).toEqual([10]);
  });
});

describe("until the turn comes", () => {
  test("nothing is created, and the message tells how long that takes", () => {
    const waiting = untilTurn(creating, { kind: "create", lost: false }, LATER);
    expect(waiting).toMatchObject({ reason: "waiting_for_turn", state: "provisioning", actions: [] });
    expect(waiting.message).toMatch(/about 200 pods with this API key are before it, about 20 min\)$/);
    const nextIn = (turn: PodTurn) => untilTurn(creating, { kind: "create", lost: false }, turn).nextCheckAt - NOW;
    expect(nextIn(LATER)).toBe(24 * SECOND);
    expect(nextIn(LATER)).toBeLessThan(LOOK_GAP_MS);
    expect(nextIn({ kind: "later", ahead: 9, waitMs: 45 * SECOND, checkMs: 22 * SECOND })).toBe(10 * SECOND);
  });

  test("an outdated instance serves, and its turn is asked for again in time", () => {
    const soon: PodTurn = { kind: "later", ahead: 2, waitMs: 14 * SECOND, checkMs: 7 * SECOND };
    const waiting = untilTurn(replacing, { kind: "replacement", lost: true }, soon);
    expect(waiting).toMatchObject({ reason: "waiting_for_turn", state: "ready", serving: { instance: { id: ID } } });
    expect(waiting.actions.some(({ kind }) => kind === "destroy")).toBe(false);
    expect(waiting.nextCheckAt).toBe(NOW + 7 * SECOND);
  });

  test("a dead instance is neither destroyed nor its host banned, but all else is done", () => {
    const pending = { id: 9, reason: "duplicate", since: NOW - HOUR, deleteSentAt: NOW - HOUR };
    const failed = startingRow({ statusMessage: "OCI runtime create failed" });
    const decision = decided({
      seen: observation([failed, row({ id: 9 })]),
      state: state({ pendingDeletes: [pending], tracks: { [ID]: waitingTrack(SECOND) } }),
    });
    const kinds = (actions: typeof decision.actions) =>
      actions.map((action) => (action.kind === "destroy" ? `destroy ${action.id}` : action.kind));
    expect(kinds(decision.actions)).toEqual(["destroy 9", "ban", `destroy ${ID}`]);
    const waiting = untilTurn(decision, { kind: "destroy", lost: false }, LATER);
    expect(kinds(waiting.actions)).toEqual(["destroy 9"]);
    expect(waiting).toMatchObject({ reason: "waiting_for_turn", state: decision.state });
    expect(untilTurn(decision, { kind: "destroy", lost: false }, { kind: "now" })).toBe(decision);
  });

  test("other actions are carried out: a destroy that was ordered is sent again, and hosts are banned", () => {
    const pending = { id: 9, reason: "duplicate", since: NOW - HOUR, deleteSentAt: NOW - HOUR };
    const ordered = decided({
      seen: observation([outdated, row({ id: 9 })]),
      state: { ...serving, pendingDeletes: [pending] },
      published: published(outdated),
    });
    const waiting = untilTurn(ordered, { kind: "replacement", lost: true }, LATER);
    expect(waiting.actions).toMatchObject([{ kind: "destroy", id: 9, reason: "still_listed" }]);
  });

  test("the message names the setting when enough pods are being replaced, and Redis when it does not answer", () => {
    const wish = { kind: "replacement", lost: true } as const;
    expect(untilTurn(replacing, wish, { kind: "limit", others: 2, most: 2, checkMs: SECOND }).message).toContain(
      "2 pods are being replaced, which is what FLEET_MAX_UNAVAILABLE allows",
    );
    expect(untilTurn(replacing, wish, { kind: "limit", others: 1, most: 1, checkMs: SECOND }).message).toContain(
      "1 pod is being replaced, which is what FLEET_MAX_UNAVAILABLE allows",
    );
    const limit = { kind: "limit", others: 2, most: 2, checkMs: SECOND, by: "VAST_MAX_UPDATING" } as const;
    expect(untilTurn(replacing, wish, limit).message).toContain("which is what VAST_MAX_UPDATING allows");
    expect(untilTurn(replacing, wish, { kind: "unknown" })).toMatchObject({ nextCheckAt: NOW + SECOND });
  });

  test.each([
    [0, "no other pod with this API key is before it, about 20 s)"],
    [1, "1 pod with this API key is before it, about 20 s)"],
    [2, "about 2 pods with this API key are before it, about 20 s)"],
  ])("the message names %i pods before it", (ahead, text) => {
    const later = { kind: "later", ahead, waitMs: 20 * SECOND, checkMs: SECOND } as const;
    expect(untilTurn(creating, { kind: "create", lost: false }, later).message).toContain(text);
  });

  test("the decision is carried out as it is when the turn has come", () => {
    expect(untilTurn(creating, { kind: "create", lost: false }, { kind: "now" })).toBe(creating);
  });
});

describe("a create that waits for its turn", () => {
  const bidding = { ...creating, actions: creating.actions.map((one) => ({ ...one, bid: { factor: 1 } })) };
  const actionsOf = (decision: typeof creating, turn: PodTurn, kind: "create" | "surge" = "create") =>
    untilTurn(decision, { kind, lost: false }, turn).actions.map((action) => action.kind);

  test("with a bid looks whether the bid is too low anyway, and creates nothing", () => {
    expect(actionsOf(bidding, LATER)).toEqual(["foresee_bid"]);
  });

  test("on demand, in its turn, beside what serves, or without an answer of Redis does not", () => {
    expect(actionsOf(creating, LATER)).toEqual([]);
    expect(actionsOf(bidding, { kind: "now" })).toEqual(["create"]);
    expect(actionsOf(bidding, LATER, "surge")).toEqual([]);
    expect(actionsOf(bidding, { kind: "unknown" })).toEqual([]);
    expect(actionsOf(bidding, { ...LATER, guessed: true })).toEqual([]);
  });
});
