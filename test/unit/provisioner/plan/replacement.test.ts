import { describe, expect, test } from "vitest";
import type { UpdateStrategy } from "../../../../provisioner/model/desired.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import {
  HASH,
  LABEL,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  servingTrack,
  state,
  template,
  unknown,
} from "./situation.ts";

const ID = 7835610;
const serving = { [ID]: servingTrack() };

describe("the template", () => {
  const missing = observation([row({ image: "example/app:1" })], { template: known(null) });

  test("destroys nothing while the account has no template of that name", () => {
    const plan = planned({ seen: missing, state: state({ tracks: serving }) });
    expect(plan).toMatchObject({ reason: "template_not_found", state: "blocked", actions: [] });
    expect(plan.server).not.toBeNull();
    expect(plan.message).toContain("VAST_TEMPLATE_NAME");
  });

  test("creates nothing while the account has no template of that name", () => {
    expect(planned({ seen: observation([], { template: known(null) }) })).toMatchObject({
      reason: "template_not_found",
      state: "blocked",
      actions: [],
    });
  });

  const unknownSince = (ms: number, rows = [row({ image: "example/app:1" })]) =>
    planned({
      seen: observation(rows, { template: unknown("HTTP 500") }),
      state: state({
        tracks: rows.length > 0 ? serving : {},
        template: { ...template, seenAt: NOW - ms, readAt: NOW - ms },
      }),
    });

  test("relies on the last known template for ten minutes", () => {
    expect(unknownSince(10 * MINUTE).reason).toBe("image_changed");
    expect(unknownSince(10 * MINUTE + 1)).toMatchObject({ reason: "template_unknown", state: "blocked", actions: [] });
  });

  test("keeps serving once the template is unknown for longer", () => {
    expect(unknownSince(10 * MINUTE + 1).server).not.toBeNull();
  });

  test("creates nothing once the template is unknown for longer", () => {
    expect(unknownSince(10 * MINUTE + 1, [])).toMatchObject({ reason: "template_unknown", actions: [] });
  });

  test("creates nothing from a template that was never known", () => {
    const plan = planned({
      seen: observation([], { template: unknown("HTTP 500") }),
      state: state({ template: null }),
    });
    expect(plan).toMatchObject({ reason: "template_unknown", actions: [] });
    expect(plan.message).toMatch(/HTTP 500.*check VAST_URL/);
  });
});

describe("image and template hash", () => {
  const changed = (over: object, more: object = {}) =>
    planned({ seen: observation([row(over)]), state: state({ tracks: serving, ...more }) });

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

  test.each([
    ["redis", "docker.io/library/redis:latest"],
    ["vastai/pytorch:@vastai-automatic-tag", "vastai/pytorch:cuda-12.8.1-auto"],
  ])("keeps an instance whose image is %s in other words: %s", (wanted, image) => {
    const plan = planned({
      seen: observation([row({ image })]),
      state: state({ tracks: serving }),
      desired: { image: wanted },
    });
    expect(plan.reason).toBe("instance_ready");
  });

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

  test("replaces one that is lost, although it reports the same difference again", () => {
    const converging = { wanted: "image example/app:2", reported: "image example/app:1" };
    const lost = servingTrack({ serving: false, lost: { since: NOW - 3 * MINUTE, reads: 9, readAt: NOW } });
    const plan = planned({
      seen: observation([row({ image: "example/app:1", actualStatus: "exited", createdAt: NOW - 60 * MINUTE })]),
      state: state({ tracks: { [ID]: lost }, converging }),
    });
    expect(plan).toMatchObject({ reason: "instance_exited", actions: [{ kind: "destroy", id: ID }] });
  });

  test("with VAST_UPDATE_PRECHECK=none, waits no longer for an offer that an earlier look has not found", () => {
    const heldReplacement = {
      instanceId: ID,
      wanted: "image example/app:2",
      reason: "no_offer" as const,
      message: "there is no offer",
      failures: 3,
      until: NOW + MINUTE,
    };
    const withPrecheck = (updatePrecheck: "offer" | "none", updateStrategy: UpdateStrategy = "recreate") =>
      planned({
        seen: observation([row({ image: "example/app:1" })]),
        state: state({ tracks: serving, heldReplacement }),
        limits: { updatePrecheck, updateStrategy },
      });
    expect(withPrecheck("offer")).toMatchObject({ reason: "no_offer", state: "blocked" });
    expect(withPrecheck("none")).toMatchObject({ reason: "image_changed", actions: [{ kind: "destroy", id: ID }] });
    expect(withPrecheck("none", "surge")).toMatchObject({ reason: "no_offer", state: "blocked" });
  });

  describe("whose destroy was refused", () => {
    const held = (over: object = {}) => ({
      heldReplacement: {
        instanceId: ID,
        wanted: "image example/app:2",
        reason: "destroy_refused" as const,
        message: "the key may not destroy",
        failures: 1,
        until: NOW + MINUTE,
        ...over,
      },
    });
    const old = { image: "example/app:1" };

    test("serves on until the next attempt, and says why", () => {
      const plan = changed(old, held());
      expect(plan).toMatchObject({
        reason: "destroy_refused",
        state: "blocked",
        actions: [],
        message: "the key may not destroy",
      });
      expect(plan.server).not.toBeNull();
    });

    test.each([
      ["the wait is over", held({ until: NOW })],
      ["it was another instance", held({ instanceId: 1 })],
      ["another value is wanted", held({ wanted: "image example/app:3" })],
    ])("is replaced when %s", (_, state) => expect(changed(old, state).reason).toBe("image_changed"));

    test("is kept when it is the right one again", () => expect(changed({}, held()).reason).toBe("instance_ready"));
  });

  test("replaces again when another value is wanted", () => {
    const converging = { wanted: "image example/app:3", reported: "image example/app:1" };
    expect(changed({ image: "example/app:1" }, { converging }).reason).toBe("image_changed");
  });
});

describe("a serving instance", () => {
  const kept = (over: object, more: object = {}, seen: object = {}) =>
    planned({ seen: observation([row(over)], seen), state: state({ tracks: serving }), ...more });

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

  test("publishes the scheme that VAST_UPSTREAM_SCHEME names", () => {
    expect(kept({}, { desired: { upstreamScheme: "https" } }).server).toEqual({
      scheme: "https",
      host: "203.0.113.9",
      port: 41234,
    });
  });

  test.each(["exited", "frozen", "offline", "unknown", "stopped", "rebooting", "loading", "brand_new_word", null])(
    "keeps serving while its status word is %s",
    (actualStatus) => expect(kept({ actualStatus })).toMatchObject({ state: "ready", actions: [] }),
  );

  test("a ban that appears while an instance serves never removes it", () => {
    const bans = known([{ kind: "host", id: 77001, reason: "start_timeout" }]);
    expect(kept({}, {}, { bans })).toMatchObject({ state: "ready", actions: [] });
  });

  test("keeps serving with too many restarts, but bans the host at once", () => {
    const counters = new Map([[ID, { waitingSince: null, restarts: 6 }]]);
    expect(kept({}, {}, { counters })).toMatchObject({
      state: "ready",
      actions: [{ kind: "ban", target: { kind: "host", id: 77001 }, reason: "too_many_restarts" }],
    });
  });

  test.each(["OCI runtime create failed", "manifest unknown", "no space left on device"])(
    "keeps serving whatever its status message says: %s",
    (statusMessage) => {
      const plan = kept({ actualStatus: "exited", statusMessage });
      expect(plan).toMatchObject({ state: "ready", actions: [] });
    },
  );

  test.each([{ intendedStatus: "stopped" }, { curState: "stopped" }, { nextState: "stopped" }])(
    "keeps serving while the API says %j",
    (reported) => expect(kept(reported)).toMatchObject({ state: "ready", actions: [] }),
  );

  test("alarms about a price above the ceiling and keeps the instance", () => {
    const plan = kept({}, { limits: { maxDollarsPerHour: 0.3 } });
    expect(plan).toMatchObject({ state: "ready", actions: [] });
    expect(plan.message).toContain("ALARM");
    expect(kept({}, { limits: { maxDollarsPerHour: 0.4 } }).message).not.toContain("ALARM");
  });

  test("names its own label in the plan's message", () => {
    expect(planned({}).message).toContain(LABEL);
  });
});
