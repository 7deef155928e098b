import { describe, expect, test } from "vitest";
import {
  createAction,
  NOW,
  observation,
  planned,
  published,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  state,
  unknown,
} from "./situation.ts";

const ID = 7835610;
const serving = { [ID]: servingTrack() };
const pendingDeletes = (over: object = {}) => ({
  id: ID,
  reason: "image_changed",
  since: NOW - 10 * SECOND,
  deleteSentAt: NOW - 10 * SECOND,
  ...over,
});

describe("the list is unknown", () => {
  const seen = observation([], { list: unknown() });
  const unknownFor = (ms: number, tracks = serving) =>
    planned({ seen, published: published(), state: state({ tracks, listUnknownSince: NOW - ms }) });

  test("touches nothing while the list is unknown", () => {
    const plan = planned({
      seen,
      state: state({ pendingDeletes: [pendingDeletes({ deleteSentAt: null })], intent: null, confirmedNone: true }),
    });
    expect(plan).toMatchObject({ reason: "list_unknown", actions: [], server: null, state: "unavailable" });
    expect(plan.message).toMatch(/HTTP 502.*nothing is changed until it is known.*check VAST_URL/);
  });

  test("keeps the published server while its probe passes", () => {
    expect(unknownFor(3600 * SECOND).server).toEqual({ scheme: "http", host: "203.0.113.9", port: 41234 });
  });

  test("keeps it under another scheme where the setting has changed meanwhile", () => {
    const plan = planned({
      seen,
      desired: { upstreamScheme: "https" },
      published: published(),
      state: state({ tracks: serving, listUnknownSince: NOW }),
    });
    expect(plan.server?.scheme).toBe("https");
  });

  test.each([false, true])("withdraws the published server when its probe no longer passes (HTTP: %s)", (httpProbe) => {
    const plan = planned({
      seen,
      limits: { httpProbe },
      published: published(),
      state: state({ tracks: { [ID]: silentTrack(SECOND) }, listUnknownSince: NOW }),
    });
    expect(plan).toMatchObject({ server: null, state: "unavailable", reason: "list_unknown", actions: [] });
  });

  test("withdraws a server that only a TCP probe proves after VAST_UNKNOWN_MAX_SECONDS", () => {
    expect(unknownFor(3600 * SECOND + 1)).toMatchObject({ server: null, state: "unavailable", reason: "list_unknown" });
  });

  test("keeps the published server without a limit where an HTTP probe proves the app", () => {
    const plan = planned({
      seen,
      limits: { httpProbe: true },
      published: published(),
      state: state({ tracks: serving, listUnknownSince: 0 }),
    });
    expect(plan.server).not.toBeNull();
  });

  test("is ready while it keeps a server published, and unavailable otherwise", () => {
    expect(unknownFor(0)).toMatchObject({ state: "ready", reason: "list_unknown" });
    expect(unknownFor(3600 * SECOND + 1).state).toBe("unavailable");
  });

  test("withdraws the published server when its probe fails", () => {
    expect(unknownFor(0, { [ID]: silentTrack(0) }).server).toBeNull();
  });

  test("does not keep a server whose endpoint is not the one that was probed", () => {
    const moved = { [ID]: servingTrack({ endpoint: { host: "203.0.113.9", port: 5 } }) };
    expect(unknownFor(0, moved).server).toBeNull();
  });

  test("publishes nothing new while the list is unknown", () => {
    expect(planned({ seen, state: state({ tracks: serving }) }).server).toBeNull();
  });

  test("names the account's trouble where that is why the list is unknown", () => {
    const plan = planned({ seen: observation([], { list: unknown("HTTP 404, auth_error", "auth") }) });
    expect(plan).toMatchObject({ reason: "account_auth", state: "blocked", actions: [] });
    expect(plan.message).toContain("VAST_API_KEY");
  });
});

describe("a label whose lease another provisioner holds or may hold", () => {
  const other = { kind: "other", owner: "vast-pod-0 (pid 7)", until: NOW + 40 * SECOND } as const;
  const unproven = { kind: "unknown", why: "Command timed out", until: NOW + 90 * SECOND } as const;
  const orphan = state({ pendingDeletes: [pendingDeletes({ deleteSentAt: null })] });

  test("changes nothing, and names the owner and the remedy", () => {
    const plan = planned({ ownership: other, state: orphan });
    expect(plan).toMatchObject({ reason: "other_owner", state: "blocked", actions: [], server: null });
    expect(plan.message).toContain("vast-pod-0 (pid 7)");
    expect(plan.message).toContain("VAST_LABEL");
    expect(plan.message).toContain("expires within 60 s");
  });

  test("still serves the instance, even if it would be replaced otherwise", () => {
    const seen = observation([row({ image: "example/app:1" })]);
    const plan = planned({ ownership: other, seen, state: state({ tracks: serving }) });
    expect(plan).toMatchObject({ reason: "other_owner", state: "blocked", actions: [], server: { port: 41234 } });
  });

  test("is checked again when the lease expires, and after 15 s at the latest", () => {
    const waits = (until: number | null) => planned({ ownership: { ...other, until } }).nextCheckAt - NOW;
    expect([waits(NOW + 40 * SECOND), waits(NOW + 3 * SECOND), waits(NOW - 1), waits(null)]).toEqual([
      15 * SECOND,
      3 * SECOND,
      SECOND,
      15 * SECOND,
    ]);
  });

  test("names the remedy for a lease that never expires", () => {
    expect(planned({ ownership: { ...other, until: null } }).message).toContain("delete the key");
  });

  test("waits for Redis while the owner is unknown, and keeps serving", () => {
    expect(planned({ ownership: unproven, state: orphan })).toMatchObject({
      reason: "owner_unknown",
      state: "provisioning",
      actions: [],
      message: expect.stringContaining("Command timed out"),
      nextCheckAt: NOW + 5 * SECOND,
    });
    const noAccount = planned({ ownership: { ...unproven, until: null }, state: orphan });
    expect(noAccount).toMatchObject({ reason: "owner_unknown", actions: [], nextCheckAt: NOW + 5 * SECOND });
    expect(noAccount.message).toMatch(/which account VAST_API_KEY belongs to \(Command timed out\).*user_read/);
    const served = planned({ ownership: unproven, seen: observation([row()]), state: state({ tracks: serving }) });
    expect(served).toMatchObject({ reason: "owner_unknown", state: "ready", server: { port: 41234 } });
  });
});

describe("account trouble", () => {
  const account = (trouble: "auth" | "two_factor" | "no_credit" | "spend_limit", until = NOW + 1) => ({
    account: { trouble, message: "add credit", failures: 1, until },
  });

  test.each(["auth", "two_factor", "no_credit", "spend_limit"] as const)(
    "mutates nothing while the account has trouble: %s",
    (trouble) => {
      const plan = planned({
        state: state({ ...account(trouble), pendingDeletes: [pendingDeletes({ deleteSentAt: null })] }),
      });
      expect(plan).toMatchObject({
        reason: `account_${trouble}`,
        state: "blocked",
        actions: [],
        message: "add credit",
      });
    },
  );

  test("keeps serving while the account has trouble", () => {
    const plan = planned({ seen: observation([row()]), state: state({ tracks: serving, ...account("no_credit") }) });
    expect(plan).toMatchObject({ reason: "account_no_credit", actions: [] });
    expect(plan.server).not.toBeNull();
  });

  test("bans nobody while the account has trouble", () => {
    const counters = new Map([[ID, { waitingSince: null, restarts: 99 }]]);
    const plan = planned({
      seen: observation([row()], { counters }),
      state: state({ tracks: serving, ...account("no_credit") }),
    });
    expect(plan.actions).toEqual([]);
  });

  test("tries again when the pause is over", () => {
    expect(planned({ state: state(account("auth", NOW)) }).actions).toEqual([createAction]);
  });
});

describe("an instance with a pending delete is still listed", () => {
  const listed = (entry: object, over: object = {}) =>
    planned({ seen: observation([row()]), state: state({ pendingDeletes: [pendingDeletes(entry)], ...over }) });

  test("never publishes an instance with a pending delete and creates nothing while it is listed", () => {
    expect(listed({}, { tracks: serving })).toMatchObject({ reason: "destroying", server: null, actions: [] });
  });

  test("sends a pending delete again after 60 s", () => {
    expect(listed({ deleteSentAt: NOW - 59 * SECOND }).actions).toEqual([]);
    expect(listed({ deleteSentAt: NOW - 60 * SECOND }).actions).toMatchObject([{ kind: "destroy", id: ID }]);
  });

  test("sends a pending delete without a clear answer again after 5 s, and later after longer", () => {
    const unanswered = (times: number, seconds: number) =>
      listed({ deleteSentAt: NOW - seconds * SECOND, unanswered: times }).actions;
    expect(unanswered(1, 4)).toEqual([]);
    expect(unanswered(1, 5)).toMatchObject([{ kind: "destroy", id: ID, reason: "still_listed" }]);
    expect(unanswered(3, 19)).toEqual([]);
    expect(unanswered(3, 20)).toMatchObject([{ kind: "destroy", id: ID }]);
  });

  test("sends a pending delete that the API refuses ever later", () => {
    const refused = (times: number, seconds: number) =>
      listed({ deleteSentAt: null, refused: { at: NOW - seconds * SECOND, times } }).actions;
    expect(refused(1, 29)).toEqual([]);
    expect(refused(1, 30)).toMatchObject([{ kind: "destroy", id: ID }]);
    expect(refused(9, 239)).toEqual([]);
    expect(refused(9, 240)).toMatchObject([{ kind: "destroy", id: ID }]);
  });

  test("sends a pending delete at once that was never sent", () => {
    expect(listed({ deleteSentAt: null }).actions).toMatchObject([{ kind: "destroy", id: ID, reason: "still_listed" }]);
  });

  test("sends a pending delete that was never sent even if its instance is not listed", () => {
    expect(
      planned({ state: state({ pendingDeletes: [pendingDeletes({ deleteSentAt: null })] }) }).actions,
    ).toMatchObject([{ kind: "destroy", id: ID }]);
  });

  test("creates after 120 s although an instance with a pending delete is listed", () => {
    const old = { since: NOW - 120 * SECOND, deleteSentAt: NOW - 10 * SECOND };
    expect(listed(old).actions).toEqual([createAction]);
    expect(listed({ ...old, since: NOW - 119 * SECOND }).actions).toEqual([]);
  });

  test("does not count an instance with a pending delete as a duplicate", () => {
    const other = row({ id: 1 });
    const plan = planned({
      seen: observation([row(), other]),
      state: state({ pendingDeletes: [pendingDeletes()], tracks: { 1: servingTrack() } }),
    });
    expect(plan).toMatchObject({ reason: "instance_ready", actions: [], instance: { id: 1 } });
  });
});

describe("two or more instances", () => {
  const starting = { runningSince: null, serving: false, wasReady: false, endpoint: null };
  const kept = (rows: ReturnType<typeof row>[], tracks: Record<string, ReturnType<typeof servingTrack>>) => {
    const plan = planned({ seen: observation(rows), state: state({ tracks }) });
    expect(plan.reason).toBe("duplicate");
    const gone = plan.actions.flatMap((action) => (action.kind === "destroy" ? [action.id] : []));
    return rows.map((r) => r.id).filter((id) => !gone.includes(id));
  };
  const idle = servingTrack(starting);

  test("keeps the instance that serves, whatever its image", () => {
    const rows = [row({ id: 1 }), row({ id: 2, image: "example/app:1" })];
    expect(kept(rows, { 1: idle, 2: servingTrack() })).toEqual([2]);
  });

  test("keeps the instance with the right image when none serves", () => {
    expect(kept([row({ id: 1, image: "example/app:1" }), row({ id: 2 })], { 1: idle, 2: idle })).toEqual([2]);
  });

  test("keeps the instance with the right hash when none serves", () => {
    expect(kept([row({ id: 1, templateHash: "old" }), row({ id: 2 })], { 1: idle, 2: idle })).toEqual([2]);
  });

  test("keeps the running instance when both are right", () => {
    expect(kept([row({ id: 1, actualStatus: "loading" }), row({ id: 2 })], { 1: idle, 2: idle })).toEqual([2]);
  });

  test("keeps the oldest instance when all else is equal", () => {
    expect(kept([row({ id: 3 }), row({ id: 1 }), row({ id: 2 })], { 1: idle, 2: idle, 3: idle })).toEqual([1]);
  });

  test("keeps serving while duplicates are destroyed", () => {
    const plan = planned({
      seen: observation([row({ id: 1 }), row({ id: 2 })]),
      state: state({ tracks: { 1: idle, 2: servingTrack() } }),
    });
    expect(plan).toMatchObject({ state: "ready", instance: { id: 2 } });
    expect(plan.server).not.toBeNull();
    expect(plan.actions).toMatchObject([{ kind: "destroy", id: 1, reason: "duplicate" }]);
  });
});
