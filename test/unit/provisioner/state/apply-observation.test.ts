import { describe, expect, test } from "vitest";
import { known, type Observation } from "../../../../provisioner/model/observation.ts";
import { adoptPublished, applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import type { State, Track } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  desired,
  endpoint,
  HOUR,
  MINUTE,
  NOW,
  observation,
  passing,
  published,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  template,
  unknown,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;
const FIRST_WAIT = 10 * SECOND;

function stateAfter(before: State, seen: Observation, now = NOW): State {
  return applyObservation(before, seen, desired, FIRST_WAIT, now);
}
const tracked = (t: ReturnType<typeof servingTrack>, over: Partial<State> = {}) =>
  state({ tracks: { [ID]: t }, ...over });
const probed = (r: Instance, result = passing()) => observation([r], { probes: new Map([[ID, result]]) });

describe("a pending delete", () => {
  const pendingDeletes = { id: ID, reason: "image_changed", since: NOW - MINUTE, deleteSentAt: NOW - MINUTE };
  const left = (seen: Observation, entry: object = {}) =>
    stateAfter(state({ pendingDeletes: [{ ...pendingDeletes, ...entry }] }), seen).pendingDeletes.map((d) => d.id);

  test("a pending delete is forgotten when a complete later list lacks its instance", () => {
    expect(left(observation([]))).toEqual([]);
  });

  test("a pending delete stays while its instance is listed, and the instance is not tracked", () => {
    expect(left(observation([row()]))).toEqual([ID]);
    expect(stateAfter(state({ pendingDeletes: [pendingDeletes] }), observation([row()])).tracks).toEqual({});
  });

  test("a pending delete stays while the list is unknown", () => {
    expect(left(observation([], { list: unknown() }))).toEqual([ID]);
  });

  test("a list that was requested before the DELETE proves nothing", () => {
    expect(left(observation([], { listedAt: NOW - MINUTE }))).toEqual([ID]);
    expect(left(observation([], { listedAt: NOW - MINUTE - 1 }))).toEqual([ID]);
  });

  test("a pending delete that was never sent stays, whether its instance is listed or not", () => {
    expect(left(observation([]), { deleteSentAt: null })).toEqual([ID]);
  });
});

const intent = {
  offerId: 1,
  hostId: 2,
  machineId: 3,
  dollarsPerHour: null,
  label: "l",
  startedAt: NOW,
  contract: null,
};

describe("whether an instance was found outdated", () => {
  const found = (before: State, r: Instance) => stateAfter(before, observation([r])).tracks[r.id]?.foundOutdated;
  const old = row({ image: "example/app:1" });
  const noTemplate = { template: unknown<null>() };

  test("is known from the first list on, and stays", () => {
    expect(found(state(), old)).toBe(true);
    expect(found(state(), row({ templateHash: "0ther" }))).toBe(true);
    expect(found(state(), row())).toBe(false);
    expect(found(tracked(servingTrack({ foundOutdated: false })), old)).toBe(false);
    expect(found(tracked(servingTrack({ foundOutdated: true })), row())).toBe(true);
  });

  test("is not known before the template is", () => {
    const first = stateAfter(state({ template: null }), observation([row()], noTemplate));
    expect(first.tracks[ID]?.foundOutdated).toBeNull();
    expect(found(first, row())).toBe(false);
    expect(found(first, row({ templateHash: "0ther" }))).toBe(true);
  });

  test("is not said of one that this provisioner has created, whatever its row reports", () => {
    expect(found(state({ intent: { ...intent, contract: ID } }), old)).toBe(false);
  });
});

describe("the intent", () => {
  test("a create with an unknown outcome is resolved by any instance with our label", () => {
    expect(stateAfter(state({ intent }), observation([startingRow()])).intent).toBeNull();
  });

  test("a create with an id is resolved by that row alone", () => {
    const named = { ...intent, contract: 42 };
    expect(stateAfter(state({ intent: named }), observation([startingRow()])).intent).toEqual(named);
    expect(stateAfter(state({ intent: named }), observation([startingRow({ id: 42 })])).intent).toBeNull();
  });

  test("a row with a pending delete resolves no create", () => {
    const pendingDeletes = [{ id: ID, reason: "duplicate", since: NOW, deleteSentAt: NOW }];
    expect(stateAfter(state({ intent, pendingDeletes }), observation([row()])).intent).toEqual(intent);
  });

  test("a create stays unresolved while the list is unknown or empty", () => {
    expect(stateAfter(state({ intent }), observation([], { list: unknown() })).intent).toEqual(intent);
    expect(stateAfter(state({ intent }), observation([])).intent).toEqual(intent);
  });
});

describe("what serving proves", () => {
  const backoff = {
    reason: "image_unavailable" as const,
    message: "",
    failures: 4,
    until: NOW + HOUR,
    wanted: "demo example/app:2",
  };
  const account = { trouble: "auth" as const, message: "", failures: 2, until: NOW + MINUTE };

  test("a serving instance resets the backoff and the series of silent apps", () => {
    const notListening = { wanted: "demo example/app:2", count: 1 };
    const brokenImages = notListening;
    expect(stateAfter(tracked(waitingTrack(1), { backoff, notListening, brokenImages }), probed(row()))).toMatchObject({
      backoff: null,
      notListening: null,
      brokenImages: null,
    });
  });

  test("a serving instance does not end the pause of an account that refuses mutations", () => {
    expect(stateAfter(tracked(servingTrack(), { account }), probed(row())).account).toEqual(account);
  });

  test("account trouble is forgotten an hour after its pause, so that the next one starts small", () => {
    const old = (ms: number) =>
      stateAfter(state({ account: { ...account, until: NOW - ms } }), observation([])).account;
    expect(old(HOUR - 1)).not.toBeNull();
    expect(old(HOUR)).toBeNull();
  });

  test("an hour of serving ends a series of unreachable instances", () => {
    const since = (ms: number) =>
      stateAfter(tracked(servingTrack({ servingSince: NOW - ms }), { unreachableHost: 5 }), probed(row()))
        .unreachableHost;
    expect(since(HOUR)).toBe(5);
    expect(since(HOUR + 1)).toBeNull();
  });
});

describe("other facts over time", () => {
  const converging = { wanted: "image a", reported: "image b" };

  test("an instance clears the difference of the last replacement when it has served as desired for 5 min", () => {
    const served = tracked(servingTrack(), { converging });
    const first = stateAfter(served, probed(row()));
    expect(first.converging).toEqual({ ...converging, agreedSince: NOW });
    const later = (ms: number) => applyObservation(first, probed(row()), desired, 0, NOW + ms).converging;
    expect(later(5 * MINUTE - 1)).toEqual({ ...converging, agreedSince: NOW });
    expect(later(5 * MINUTE)).toBeNull();
  });

  test("a row that agrees while it boots, and not any more while it serves, proves nothing", () => {
    const boots = stateAfter(state({ converging }), observation([row()]));
    expect(boots.converging).toEqual(converging);
    const served = tracked(servingTrack(), { converging: { ...converging, agreedSince: NOW - 4 * MINUTE } });
    expect(stateAfter(served, probed(row({ image: "example/app@sha256:1" }))).converging).toEqual(converging);
  });

  test.each([{ image: "example/app:1" }, { image: "" }, { templateHash: "0ld" }])(
    "a row that does not agree leaves it: %j",
    (over) => expect(stateAfter(state({ converging }), observation([row(over)])).converging).toEqual(converging),
  );

  test("forgets creates an hour after the latest moment at which they can have arrived, avoided machines and gone offers at their time", () => {
    const next = stateAfter(
      state({
        creates: [NOW - HOUR - MINUTE, NOW - HOUR - MINUTE + 1],
        avoided: [
          { machineId: 1, until: NOW, served: false },
          { machineId: 2, until: NOW + 1, served: true },
        ],
        goneOffers: [
          { id: 1, until: NOW },
          { id: 2, until: NOW + 1 },
        ],
      }),
      observation([]),
    );
    expect(next.creates).toEqual([NOW - HOUR - MINUTE + 1]);
    expect(next.avoided).toEqual([{ machineId: 2, until: NOW + 1, served: true }]);
    expect(next.goneOffers).toEqual([{ id: 2, until: NOW + 1 }]);
  });

  test("believes an empty list when a second one agrees the first-create wait later", () => {
    const fresh = state({ confirmedNone: false });
    const first = stateAfter(fresh, observation([]));
    expect(first).toMatchObject({ confirmedNone: false, firstNoneAt: NOW });
    const later = (ms: number) => stateAfter(first, observation([], { listedAt: NOW + ms }), NOW + ms).confirmedNone;
    expect(later(FIRST_WAIT - 1)).toBe(false);
    expect(later(FIRST_WAIT)).toBe(true);
  });

  test("believes that an instance vanished without our doing at second sight only", () => {
    const first = stateAfter(state({ tracks: { [ID]: servingTrack() } }), observation([]));
    expect(first).toMatchObject({ confirmedNone: false, firstNoneAt: NOW, tracks: {} });
    const later = (ms: number) => stateAfter(first, observation([], { listedAt: NOW + ms }), NOW + ms).confirmedNone;
    expect(later(FIRST_WAIT - 1)).toBe(false);
    expect(later(FIRST_WAIT)).toBe(true);
  });

  test("believes at once that an instance is gone whose delete was pending", () => {
    const pendingDeletes = [{ id: ID, reason: "duplicate", since: NOW - MINUTE, deleteSentAt: NOW - MINUTE }];
    const before = state({ tracks: { [ID]: servingTrack() }, pendingDeletes });
    expect(stateAfter(before, observation([])).confirmedNone).toBe(true);
  });

  test("does not believe the same empty list twice, even without a wait", () => {
    const once = applyObservation(state({ confirmedNone: false }), observation([]), desired, 0, NOW);
    expect(applyObservation(once, observation([]), desired, 0, NOW + MINUTE).confirmedNone).toBe(false);
  });

  test("an unknown list confirms nothing", () => {
    const seen = observation([], { list: unknown() });
    expect(stateAfter(state({ confirmedNone: false, firstNoneAt: NOW - HOUR }), seen).confirmedNone).toBe(false);
  });

  test("records since when list and bans are unknown", () => {
    const seen = observation([], { list: unknown(), bans: unknown() });
    expect(stateAfter(state(), seen)).toMatchObject({ listUnknownSince: NOW, bansUnknownSince: NOW });
    const later = stateAfter(state({ listUnknownSince: 5, bansUnknownSince: 6 }), seen);
    expect(later).toMatchObject({ listUnknownSince: 5, bansUnknownSince: 6 });
    expect(stateAfter(later, observation([]))).toMatchObject({ listUnknownSince: null, bansUnknownSince: null });
  });

  test("keeps the last template while it is unknown or missing", () => {
    const last = { ...template, seenAt: 5, readAt: 5 };
    const kept = (seen: Partial<Observation>) => stateAfter(state({ template: last }), observation([], seen)).template;
    expect(kept({ template: unknown() })).toEqual(last);
    expect(kept({ template: known(null) })).toEqual(last);
    expect(kept({})).toEqual({ ...template, seenAt: NOW, readAt: NOW });
  });

  test("keeps the template of a create when an observation has an older reading of it", () => {
    const created = { ...template, hash: "newer", seenAt: NOW - 5, readAt: NOW - 5 };
    const templateAfter = (templateAt: number) =>
      stateAfter(state({ template: created }), observation([], { template: known(template), templateAt })).template;
    expect(templateAfter(NOW - 6)).toEqual(created);
    expect(templateAfter(NOW - 4)).toMatchObject({ hash: template.hash, readAt: NOW - 4 });
  });
});

describe("the upstream file at the start", () => {
  test("is taken up where the state knows nothing of it", () => {
    expect(adoptPublished(state(), published(), NOW).tracks[ID]).toMatchObject({
      serving: true,
      wasReady: true,
      endpoint,
    });
  });

  test("changes nothing where the state knows the instance there", () => {
    const known = tracked(silentTrack(MINUTE));
    expect(adoptPublished(known, published(), NOW)).toBe(known);
  });

  test.each<[string, Partial<Track>]>([
    ["nowhere yet", { endpoint: null, serving: false, wasReady: false }],
    ["elsewhere", { endpoint: { ...endpoint, port: endpoint.port + 1 }, failedProbes: 2, passesMissing: 2 }],
  ])("is taken up where the state knows the instance %s: the volume was full later", (_, over) => {
    const before = tracked({ ...silentTrack(MINUTE), ...over });
    const track = adoptPublished(before, published(), NOW).tracks[ID];
    const { waitingSince, firstSeenAt } = silentTrack(MINUTE);
    const probed = { endpoint, serving: true, wasReady: true, failedProbes: 0, passesMissing: 0 };
    expect(track).toMatchObject({ ...probed, waitingSince, firstSeenAt });
  });
});
