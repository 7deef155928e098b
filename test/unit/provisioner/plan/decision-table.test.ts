// Walks the decision table: every rule has a situation that it decides, and the order of the rules matters.
import { describe, expect, test } from "vitest";
import { known } from "../../../../provisioner/model/observation.ts";
import type { Decision } from "../../../../provisioner/model/plan.ts";
import { DECISION_TABLE, firstRule, RULES } from "../../../../provisioner/plan/plan.ts";
import { situationOf } from "../../../../provisioner/plan/situation.ts";
import type { State, Track } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  HASH,
  HOUR,
  inputOf,
  MINUTE,
  NOW,
  nothingPublished,
  observation,
  row,
  SECOND,
  type SituationChanges,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  unknown,
  waitingTrack,
} from "./situation.ts";

const ID = 7835610;
const LIMIT = 1200 * SECOND;
const banned = known([{ kind: "host" as const, id: 77001, reason: "start_timeout" }]);
const lost = (ms: number, over: Partial<Track> = {}) =>
  silentTrack(ms, { endpoint: null, lost: { since: NOW - ms, reads: 9, readAt: NOW }, ...over });
const backoff = {
  reason: "no_offer" as const,
  message: "m",
  failures: 1,
  until: NOW + 1,
  wanted: "demo example/app:2",
};
const converging = { wanted: "image example/app:2", reported: "image example/app:1" };
const heldReplacement = {
  instanceId: ID,
  wanted: "image example/app:2",
  reason: "destroy_refused" as const,
  message: "m",
  failures: 1,
  until: NOW + 1,
};
const updating = {
  instanceId: ID,
  wanted: "image example/app:2",
  image: "example/app:2",
  templateHash: HASH,
  startedAt: NOW - MINUTE,
  sentAt: NOW - MINUTE,
  recycledAt: NOW - MINUTE,
  failed: null,
  before: null,
  statusBefore: "",
  undo: null,
};
const replacements = [30, 20].map((minutes) => ({ at: NOW - minutes * MINUTE, revision: "demo example/app:2" }));
const takeovers = { vanishedAt: null, vanished: [], foreign: null, at: [NOW - 40 * MINUTE, NOW - MINUTE] };
const intent = (ms: number, contract: number | null) => ({
  intent: { offerId: 1, hostId: 2, machineId: 3, dollarsPerHour: null, label: "l", startedAt: NOW - ms, contract },
});

function one(r: Instance, track: Track, more: { state?: Partial<State>; seen?: object } = {}): SituationChanges {
  return { seen: observation([r], more.seen), state: state({ tracks: { [ID]: track }, ...more.state }) };
}
const none = (over: Partial<State>, seen: object = {}): SituationChanges => ({
  seen: observation([], seen),
  state: state(over),
});

/** A situation for each rule that this rule decides; many of them would also be decided by a later rule. */
const SITUATIONS: Record<string, SituationChanges> = {
  account_refuses_list: none({}, { list: unknown("HTTP 401", "auth") }),
  list_unknown: none({}, { list: unknown() }),
  owner_unknown: { ownership: { kind: "unknown", why: "timeout", until: NOW + MINUTE } },
  other_owner: { ownership: { kind: "other", owner: "vast-pod-1", until: NOW + MINUTE } },
  taken_over: one(row({ image: "example/app:1" }), servingTrack(), { state: { takeovers } }),
  account_trouble: none({ account: { trouble: "auth", message: "m", failures: 1, until: NOW + 1 } }),
  account_no_credit: one(row({ curState: "stopped" }), lost(HOUR), { seen: { credit: known(0) } }),
  surging: {
    ...one(row({ image: "example/app:1" }), servingTrack()),
    seen: observation([row({ image: "example/app:1" }), startingRow({ id: ID + 1 })]),
    state: state({ tracks: { [ID]: servingTrack(), [ID + 1]: waitingTrack(MINUTE) } }),
    limits: { updateStrategy: "surge" },
  },
  duplicate: {
    seen: observation([row(), row({ id: 1 })]),
    state: state({ tracks: { [ID]: servingTrack(), 1: waitingTrack(MINUTE) } }),
  },
  update_undone: one(row(), waitingTrack(LIMIT + 1), {
    state: { updating: { ...updating, recycledAt: null, undo: { why: "w", unanswered: 0 } } },
  }),
  destroying: none({ pendingDeletes: [{ id: ID, reason: "duplicate", since: NOW, deleteSentAt: null }] }),
  template_not_found: one(row(), servingTrack(), { seen: { template: known(null) } }),
  template_unknown: one(row(), servingTrack(), { seen: { template: unknown() }, state: { template: null } }),
  contract_ending: one(
    row(),
    servingTrack({ contractEnd: { at: NOW + MINUTE, since: NOW - HOUR, reads: 2, readAt: NOW } }),
  ),
  replacement_held: one(row({ image: "example/app:1" }), servingTrack(), { state: { heldReplacement } }),
  replacement_budget: one(row({ image: "example/app:1" }), servingTrack(), { state: { replacements } }),
  no_create_left: one(row({ image: "example/app:1" }), servingTrack(), {
    state: { creates: [1, 2, 3, 4, 5, 6].map((minutes) => NOW - minutes * MINUTE) },
  }),
  image_changed: one(row({ image: "example/app:1" }), servingTrack()),
  template_changed: one(row({ templateHash: "0ld" }), servingTrack()),
  not_converging: one(row({ image: "example/app:1" }), servingTrack(), { state: { converging } }),
  back_to_bid: {
    ...one(row(), servingTrack(), {
      state: { fallback: { instanceIds: [ID], since: 0, looks: 0, attempts: 0, until: NOW, found: null } },
    }),
    limits: { updateStrategy: "surge", bidding: { bid: { factor: 1.2 }, fallsBack: true } },
  },
  instance_ready: one(row({ actualStatus: "exited" }), servingTrack(), { seen: { bans: banned } }),
  answers_again: one(row(), silentTrack(HOUR, { passesMissing: 1 }), { seen: { bans: banned } }),
  host_banned: one(startingRow(), waitingTrack(LIMIT + 1), { seen: { bans: banned } }),
  too_many_restarts: one(startingRow(), waitingTrack(LIMIT + 1), {
    seen: { counters: new Map([[ID, { waitingSince: 1, restarts: 6 }]]) },
  }),
  host_failed: one(startingRow({ statusMessage: "OCI runtime create failed" }), waitingTrack(LIMIT + 1)),
  image_unavailable: one(startingRow({ statusMessage: "manifest unknown" }), waitingTrack(LIMIT + 1)),
  disk_too_small: one(startingRow({ statusMessage: "no space left on device" }), waitingTrack(LIMIT + 1)),
  raising_bid: {
    ...one(row({ isBid: true, curState: "stopped", minBid: 0.35 }), lost(SECOND)),
    limits: { bidding: { bid: { factor: 1.2 }, fallsBack: true }, maxDollarsPerHour: 1 },
  },
  instance_lost: one(row({ actualStatus: "exited" }), lost(MINUTE)),
  credit_unknown: one(row({ curState: "stopped" }), lost(HOUR), { seen: { credit: unknown() } }),
  exited_before_ready: one(row({ actualStatus: "exited" }), lost(HOUR, { wasReady: false })),
  lost_too_long: one(row({ actualStatus: "offline" }), lost(HOUR)),
  updating: one(row({ image: "example/app:1" }), waitingTrack(LIMIT + 1), { state: { updating } }),
  start_timeout: one(startingRow(), waitingTrack(LIMIT + 1)),
  app_not_listening: one(row(), waitingTrack(LIMIT + 1, { runningSince: NOW - LIMIT - 1 })),
  instance_starting: one(startingRow(), waitingTrack(LIMIT)),
  starting_again: one(startingRow(), silentTrack(300 * SECOND)),
  restart_timeout: one(startingRow(), silentTrack(300 * SECOND + 1)),
  instance_unhealthy: { ...one(row(), silentTrack(HOUR / 4, { tcpOpen: true })), limits: { httpProbe: true } },
  instance_unreachable: one(row(), silentTrack(300 * SECOND)),
  unreachable_from_here: one(row(), silentTrack(HOUR), { state: { unreachableHost: 5 } }),
  unreachable: one(row(), silentTrack(HOUR)),
  create_unresolved: none(intent(MINUTE, null)),
  create_left_nothing: none(intent(2 * MINUTE, null)),
  create_never_appeared: none(intent(2 * MINUTE, 42)),
  confirming_none: none({ confirmedNone: false }),
  create_budget: none({ creates: [1, 2, 3, 4, 5, 6].map((minutes) => NOW - minutes * MINUTE), backoff }),
  backing_off: none({ backoff }, { bans: unknown() }),
  bans_unknown: none({}, { bans: unknown() }),
  no_instance: none({}),
  internal_error: { seen: observation([row()]), state: state() },
};

const situation = (changes: SituationChanges) => situationOf(inputOf(changes), changes.published ?? nothingPublished);

describe("the decision table", () => {
  test.each(RULES.map(({ name }) => name))("has a situation that %s decides", (name) => {
    const changes = SITUATIONS[name];
    if (changes === undefined) throw new Error(`no situation for the rule ${name}`);
    expect(firstRule(situation(changes)).rule.name).toBe(name);
  });

  test("has one situation for each rule, and each rule has a name of its own", () => {
    expect(Object.keys(SITUATIONS)).toEqual(RULES.map(({ name }) => name));
  });

  test("is exported in the order of the rules, with a text in every cell", () => {
    expect(DECISION_TABLE.map(({ rule }) => rule)).toEqual(RULES.map(({ name }) => name));
    for (const cells of DECISION_TABLE) expect(Object.values(cells).every((text) => text.length > 0)).toBe(true);
  });

  test("ends with the rule that always applies", () => {
    expect(RULES.at(-1)?.name).toBe("internal_error");
    for (const changes of Object.values(SITUATIONS))
      expect(RULES.at(-1)?.decide(situation(changes))).toMatchObject({ reason: "internal_error", actions: [] });
  });
});

/** What the next rule that applies would decide if the first one were not there. */
function withoutFirst(changes: SituationChanges): { rule: string; decision: Decision } | undefined {
  const s = situation(changes);
  const answers = RULES.flatMap((rule) => {
    const decision = rule.decide(s);
    return decision === null ? [] : [{ rule: rule.name, decision }];
  });
  return answers[1];
}

describe("the order of the rules matters", () => {
  test.each([
    ["account_refuses_list", "list_unknown"],
    ["other_owner", "no_instance"],
    ["taken_over", "image_changed"],
    ["account_no_credit", "lost_too_long"],
    ["duplicate", "instance_ready"],
    ["destroying", "no_instance"],
    ["template_not_found", "instance_ready"],
    ["contract_ending", "instance_ready"],
    ["replacement_held", "image_changed"],
    ["replacement_budget", "not_converging"],
    ["no_create_left", "image_changed"],
    ["image_changed", "not_converging"],
    ["not_converging", "instance_ready"],
    ["instance_ready", "instance_lost"],
    ["answers_again", "unreachable"],
    ["host_banned", "start_timeout"],
    ["host_failed", "start_timeout"],
    ["credit_unknown", "lost_too_long"],
    ["exited_before_ready", "lost_too_long"],
    ["start_timeout", "instance_starting"],
    ["starting_again", "restart_timeout"],
    ["instance_unhealthy", "instance_unreachable"],
    ["unreachable_from_here", "unreachable"],
    ["create_unresolved", "create_left_nothing"],
    ["confirming_none", "no_instance"],
    ["create_budget", "backing_off"],
    ["backing_off", "bans_unknown"],
    ["bans_unknown", "no_instance"],
  ])("%s comes before %s", (first, second) => {
    const next = withoutFirst(SITUATIONS[first] ?? {});
    expect(next?.rule).toBe(second);
    expect(next?.decision).not.toEqual(firstRule(situation(SITUATIONS[first] ?? {})).decision);
  });
});
