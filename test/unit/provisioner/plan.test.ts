import { describe, expect, test } from "vitest";
import { known } from "../../../provisioner/observation.ts";
import {
  HASH,
  LABEL,
  MINUTE,
  memory,
  NOW,
  observation,
  planned,
  published,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  template,
  unknown,
} from "./situation.ts";

const ID = 7835610;
const serving = { [ID]: servingTrack() };
const doomed = (over: object = {}) => ({
  id: ID,
  reason: "image_changed",
  since: NOW - 10 * SECOND,
  askedAt: NOW - 10 * SECOND,
  ...over,
});

describe("row 1: the list is unknown", () => {
  const seen = observation([], { list: unknown() });
  const unknownFor = (ms: number, tracks = serving) =>
    planned({ seen, published: published(), memory: memory({ tracks, listUnknownSince: NOW - ms }) });

  test("touches nothing while the list is unknown", () => {
    const plan = planned({
      seen,
      memory: memory({ doomed: [doomed({ askedAt: null })], intent: null, confirmedNone: true }),
    });
    expect(plan).toMatchObject({ reason: "list_unknown", actions: [], server: null, state: "unavailable" });
    expect(plan.message).toContain("HTTP 502");
  });

  test("keeps the published server while its probe passes", () => {
    expect(unknownFor(3600 * SECOND).server).toEqual({ scheme: "http", host: "203.0.113.9", port: 41234 });
  });

  test("ends what a TCP probe keeps after VAST_UNKNOWN_MAX_SECONDS", () => {
    expect(unknownFor(3600 * SECOND + 1)).toMatchObject({ server: null, state: "unavailable", reason: "list_unknown" });
  });

  test("keeps the published server without a limit where an HTTP probe proves the app", () => {
    const plan = planned({
      seen,
      limits: { httpProbe: true },
      published: published(),
      memory: memory({ tracks: serving, listUnknownSince: 0 }),
    });
    expect(plan.server).not.toBeNull();
  });

  test("withdraws the published server when its probe fails", () => {
    expect(unknownFor(0, { [ID]: silentTrack(0) }).server).toBeNull();
  });

  test("does not keep a server whose endpoint is not the one that was probed", () => {
    const moved = { [ID]: servingTrack({ endpoint: { host: "203.0.113.9", port: 5 } }) };
    expect(unknownFor(0, moved).server).toBeNull();
  });

  test("publishes nothing new while the list is unknown", () => {
    expect(planned({ seen, memory: memory({ tracks: serving }) }).server).toBeNull();
  });

  test("names the account's trouble where that is why the list is unknown", () => {
    const plan = planned({ seen: observation([], { list: unknown("HTTP 404, auth_error", "auth") }) });
    expect(plan).toMatchObject({ reason: "account_auth", state: "blocked", actions: [] });
    expect(plan.message).toContain("VAST_API_KEY");
  });
});

describe("row 2: account trouble", () => {
  const account = (trouble: "auth" | "two_factor" | "no_credit" | "spend_limit", until = NOW + 1) => ({
    account: { trouble, message: "add credit", failures: 1, until },
  });

  test.each(["auth", "two_factor", "no_credit", "spend_limit"] as const)(
    "mutates nothing while the account has trouble: %s",
    (trouble) => {
      const plan = planned({ memory: memory({ ...account(trouble), doomed: [doomed({ askedAt: null })] }) });
      expect(plan).toMatchObject({
        reason: `account_${trouble}`,
        state: "blocked",
        actions: [],
        message: "add credit",
      });
    },
  );

  test("keeps serving while the account has trouble", () => {
    const plan = planned({ seen: observation([row()]), memory: memory({ tracks: serving, ...account("no_credit") }) });
    expect(plan).toMatchObject({ reason: "account_no_credit", actions: [] });
    expect(plan.server).not.toBeNull();
  });

  test("bans nobody while the account has trouble", () => {
    const counters = new Map([[ID, { waitingSince: null, restarts: 99 }]]);
    const plan = planned({
      seen: observation([row()], { counters }),
      memory: memory({ tracks: serving, ...account("no_credit") }),
    });
    expect(plan.actions).toEqual([]);
  });

  test("tries again when the pause is over", () => {
    expect(planned({ memory: memory(account("auth", NOW)) }).actions).toEqual([{ kind: "create" }]);
  });
});

describe("row 3: a doomed row is still listed", () => {
  const listed = (entry: object, over: object = {}) =>
    planned({ seen: observation([row()]), memory: memory({ doomed: [doomed(entry)], ...over }) });

  test("never publishes a doomed row and creates nothing beside it", () => {
    expect(listed({}, { tracks: serving })).toMatchObject({ reason: "destroying", server: null, actions: [] });
  });

  test("asks for a doomed row again after 60 s", () => {
    expect(listed({ askedAt: NOW - 59 * SECOND }).actions).toEqual([]);
    expect(listed({ askedAt: NOW - 60 * SECOND }).actions).toMatchObject([{ kind: "destroy", id: ID }]);
  });

  test("asks at once for a doomed row that was never asked for", () => {
    expect(listed({ askedAt: null }).actions).toMatchObject([{ kind: "destroy", id: ID, reason: "still_listed" }]);
  });

  test("asks for a doomed id that is not listed but was never asked for", () => {
    expect(planned({ memory: memory({ doomed: [doomed({ askedAt: null })] }) }).actions).toMatchObject([
      { kind: "destroy", id: ID },
    ]);
  });

  test("creates beside a doomed row after 120 s", () => {
    const old = { since: NOW - 120 * SECOND, askedAt: NOW - 10 * SECOND };
    expect(listed(old).actions).toEqual([{ kind: "create" }]);
    expect(listed({ ...old, since: NOW - 119 * SECOND }).actions).toEqual([]);
  });

  test("does not count a doomed row as a duplicate", () => {
    const other = row({ id: 1 });
    const plan = planned({
      seen: observation([row(), other]),
      memory: memory({ doomed: [doomed()], tracks: { 1: servingTrack() } }),
    });
    expect(plan).toMatchObject({ reason: "instance_ready", actions: [], instance: { id: 1 } });
  });
});

describe("row 4: two or more rows", () => {
  const starting = { runningSince: null, serving: false, wasReady: false, endpoint: null };
  const kept = (rows: ReturnType<typeof row>[], tracks: Record<string, ReturnType<typeof servingTrack>>) => {
    const plan = planned({ seen: observation(rows), memory: memory({ tracks }) });
    expect(plan.reason).toBe("duplicate");
    const gone = plan.actions.flatMap((action) => (action.kind === "destroy" ? [action.id] : []));
    return rows.map((r) => r.id).filter((id) => !gone.includes(id));
  };
  const idle = servingTrack(starting);

  test("keeps the row that serves, whatever its image", () => {
    const rows = [row({ id: 1 }), row({ id: 2, image: "example/app:1" })];
    expect(kept(rows, { 1: idle, 2: servingTrack() })).toEqual([2]);
  });

  test("keeps the row with the right image where none serves", () => {
    expect(kept([row({ id: 1, image: "example/app:1" }), row({ id: 2 })], { 1: idle, 2: idle })).toEqual([2]);
  });

  test("keeps the row with the right hash where none serves", () => {
    expect(kept([row({ id: 1, templateHash: "old" }), row({ id: 2 })], { 1: idle, 2: idle })).toEqual([2]);
  });

  test("keeps the running row where both are right", () => {
    expect(kept([row({ id: 1, actualStatus: "loading" }), row({ id: 2 })], { 1: idle, 2: idle })).toEqual([2]);
  });

  test("keeps the oldest row where all else is equal", () => {
    expect(kept([row({ id: 3 }), row({ id: 1 }), row({ id: 2 })], { 1: idle, 2: idle, 3: idle })).toEqual([1]);
  });

  test("goes on serving while duplicates are destroyed", () => {
    const plan = planned({
      seen: observation([row({ id: 1 }), row({ id: 2 })]),
      memory: memory({ tracks: { 1: idle, 2: servingTrack() } }),
    });
    expect(plan).toMatchObject({ state: "ready", instance: { id: 2 } });
    expect(plan.server).not.toBeNull();
    expect(plan.actions).toMatchObject([{ kind: "destroy", id: 1, reason: "duplicate" }]);
  });
});

describe("row 5: the template", () => {
  const missing = observation([row({ image: "example/app:1" })], { template: known(null) });

  test("destroys nothing while the account has no such template", () => {
    const plan = planned({ seen: missing, memory: memory({ tracks: serving }) });
    expect(plan).toMatchObject({ reason: "template_not_found", state: "blocked", actions: [] });
    expect(plan.server).not.toBeNull();
    expect(plan.message).toContain("VAST_TEMPLATE_NAME");
  });

  test("creates nothing while the account has no such template", () => {
    expect(planned({ seen: observation([], { template: known(null) }) })).toMatchObject({
      reason: "template_not_found",
      state: "blocked",
      actions: [],
    });
  });

  const unknownSince = (ms: number, rows = [row({ image: "example/app:1" })]) =>
    planned({
      seen: observation(rows, { template: unknown("HTTP 500") }),
      memory: memory({ tracks: rows.length > 0 ? serving : {}, template: { ...template, seenAt: NOW - ms } }),
    });

  test("relies on the last known template for ten minutes", () => {
    expect(unknownSince(10 * MINUTE).reason).toBe("image_changed");
    expect(unknownSince(10 * MINUTE + 1)).toMatchObject({ reason: "template_unknown", state: "blocked", actions: [] });
  });

  test("creates nothing once the template is unknown for longer", () => {
    expect(unknownSince(10 * MINUTE + 1, [])).toMatchObject({ reason: "template_unknown", actions: [] });
  });

  test("creates nothing from a template that was never known", () => {
    const plan = planned({
      seen: observation([], { template: unknown("HTTP 500") }),
      memory: memory({ template: null }),
    });
    expect(plan).toMatchObject({ reason: "template_unknown", actions: [] });
    expect(plan.message).toContain("HTTP 500");
  });
});

describe("rows 6 and 7: image and template", () => {
  const changed = (over: object, more: object = {}) =>
    planned({ seen: observation([row(over)]), memory: memory({ tracks: serving, ...more }) });

  test("plans a replacement when the image differs", () => {
    const plan = changed({ image: "example/app:1" });
    expect(plan).toMatchObject({ reason: "image_changed", state: "provisioning", server: null });
    expect(plan.actions).toMatchObject([{ kind: "destroy", id: ID, reason: "image_changed" }]);
    expect(plan.message).toContain("example/app:1");
    expect(plan.message).toContain("example/app:2");
  });

  test.each(["", "docker.io/example/app:2", "index.docker.io/example/app:2"])(
    "keeps an instance whose image is reported as %j",
    (image) => expect(changed({ image }).reason).toBe("instance_ready"),
  );

  test("plans a replacement when the template's hash differs", () => {
    const plan = changed({ templateHash: "0ld" });
    expect(plan.actions).toMatchObject([{ kind: "destroy", id: ID, reason: "template_changed" }]);
    expect(plan.message).toContain(HASH);
  });

  test("keeps a row without a hash until it is older than 10 min", () => {
    expect(changed({ templateHash: null, createdAt: NOW - 10 * MINUTE + 1 }).reason).toBe("instance_ready");
    expect(changed({ templateHash: null, createdAt: NOW - 10 * MINUTE }).reason).toBe("template_changed");
  });

  test("does not replace twice in a row for the same difference, and names both values", () => {
    const converging = { wanted: "image example/app:2", reported: "image example/app:1" };
    const plan = changed({ image: "example/app:1" }, { converging });
    expect(plan).toMatchObject({ reason: "not_converging", state: "blocked", actions: [] });
    expect(plan.server).not.toBeNull();
    expect(plan.message).toMatch(/example\/app:1.*example\/app:2/);
  });

  test("replaces again when another value is wanted", () => {
    const converging = { wanted: "image example/app:3", reported: "image example/app:1" };
    expect(changed({ image: "example/app:1" }, { converging }).reason).toBe("image_changed");
  });
});

describe("row 8: serving", () => {
  const kept = (over: object, more: object = {}, seen: object = {}) =>
    planned({ seen: observation([row(over)], seen), memory: memory({ tracks: serving }), ...more });

  test("publishes an instance that serves", () => {
    expect(kept({})).toMatchObject({
      reason: "instance_ready",
      state: "ready",
      message: "instance 7835610 (RTX 4090, $0.316/h) is serving",
      server: { scheme: "http", host: "203.0.113.9", port: 41234 },
      instance: { id: ID, hostId: 77001, machineId: 4821, image: "example/app:2", templateHash: HASH },
      actions: [],
    });
  });

  test.each(["exited", "offline", "unknown", "stopped", "loading", null])(
    "goes on serving while its status word is %s",
    (actualStatus) => expect(kept({ actualStatus })).toMatchObject({ state: "ready", actions: [] }),
  );

  test("a ban that appears while an instance serves never removes it", () => {
    const bans = known([{ hostId: 77001, reason: "start_timeout" }]);
    expect(kept({}, {}, { bans })).toMatchObject({ state: "ready", actions: [] });
  });

  test("goes on serving with too many restarts, but bans the host at once", () => {
    const counters = new Map([[ID, { waitingSince: null, restarts: 6 }]]);
    expect(kept({}, {}, { counters })).toMatchObject({
      state: "ready",
      actions: [{ kind: "ban", hostId: 77001, reason: "too_many_restarts" }],
    });
  });

  test("goes on serving whatever its status message says", () => {
    expect(kept({ statusMessage: "OCI runtime create failed" })).toMatchObject({ state: "ready", actions: [] });
  });

  test("alarms about a price above the ceiling and keeps the instance", () => {
    const plan = kept({}, { limits: { maxDollarsPerHour: 0.3 } });
    expect(plan).toMatchObject({ state: "ready", actions: [] });
    expect(plan.message).toContain("ALARM");
    expect(kept({}, { limits: { maxDollarsPerHour: 0.4 } }).message).not.toContain("ALARM");
  });

  test("never asks for a label in the plan's messages that is not its own", () => {
    expect(planned({}).message).toContain(LABEL);
  });
});
