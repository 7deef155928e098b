import { describe, expect, test } from "vitest";
import type { Limits } from "../../../../provisioner/model/desired.ts";
import { known, type Seen } from "../../../../provisioner/model/observation.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  HOUR,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  unknown,
  waitingTrack,
} from "./situation.ts";

const ID = 7835610;
type Track = ReturnType<typeof servingTrack>;

/** The plan for one instance with this track. */
function one(r: Instance, track: Track, more: { seen?: object; state?: object; limits?: Partial<Limits> } = {}) {
  return planned({
    seen: observation([r], more.seen),
    state: state({ tracks: { [ID]: track }, ...more.state }),
    limits: more.limits ?? {},
  });
}
const kinds = (plan: ReturnType<typeof one>) => plan.actions.map((action) => action.kind);

describe("bans and restarts", () => {
  const banned = { bans: known([{ kind: "host" as const, id: 77001, reason: "start_timeout" }]) };
  const restarted = (restarts: number) => ({ counters: new Map([[ID, { waitingSince: 1, restarts }]]) });

  test("plans a replacement when the host is banned", () => {
    const plan = one(startingRow(), waitingTrack(MINUTE), { seen: banned });
    expect(plan).toMatchObject({ reason: "host_banned", actions: [{ kind: "destroy", id: ID }] });
    expect(plan.message).toContain("77001");
  });

  test("an instance that was ready has its whole time to answer again, although its host is banned meanwhile", () => {
    const plan = one(row(), silentTrack(20 * SECOND), { seen: banned });
    expect(plan).toMatchObject({ reason: "instance_unreachable", actions: [] });
  });

  test("plans a replacement when its machine is banned, and names the ban's reason", () => {
    const bans = known([{ kind: "machine" as const, id: 4821, reason: "host_failed" }]);
    const plan = one(startingRow(), waitingTrack(MINUTE), { seen: { bans } });
    expect(plan).toMatchObject({ reason: "host_banned", actions: [{ kind: "destroy", id: ID }] });
    expect(plan.message).toContain("its machine 4821 is banned (host_failed)");
  });

  test("keeps waiting when a host is banned whose id is this machine's", () => {
    const bans = known([{ kind: "host" as const, id: 4821, reason: "start_timeout" }]);
    expect(one(startingRow(), waitingTrack(MINUTE), { seen: { bans } }).actions).toEqual([]);
  });

  test("keeps waiting when another host is banned", () => {
    const other = { bans: known([{ kind: "host" as const, id: 5, reason: "start_timeout" }]) };
    expect(one(startingRow(), waitingTrack(MINUTE), { seen: other }).actions).toEqual([]);
  });

  test("plans a replacement and a ban when the restarts are over the threshold", () => {
    const plan = one(startingRow(), waitingTrack(MINUTE), { seen: restarted(6) });
    expect(plan.reason).toBe("too_many_restarts");
    expect(kinds(plan)).toEqual(["ban", "destroy"]);
  });

  test("an instance that was ready and runs has its whole time to answer again, however often it restarted", () => {
    const plan = one(row(), silentTrack(20 * SECOND), { seen: restarted(6) });
    expect(plan.reason).toBe("instance_unreachable");
    expect(kinds(plan)).toEqual(["ban"]);
    for (const actualStatus of ["exited", "loading"]) {
      const down = one(row({ actualStatus }), silentTrack(20 * SECOND), { seen: restarted(6) });
      expect(down.reason).toBe("too_many_restarts");
    }
  });

  test("keeps waiting when the restarts are exactly at the threshold", () => {
    expect(one(startingRow(), waitingTrack(MINUTE), { seen: restarted(5) }).actions).toEqual([]);
  });

  test("does not count restarts while bans are disabled", () => {
    const plan = one(startingRow(), waitingTrack(MINUTE), { seen: restarted(6), limits: { bansEnabled: false } });
    expect(plan.actions).toEqual([]);
  });
});

describe("failures in status_msg", () => {
  const failed = (statusMessage: string, over: Partial<Instance> = {}, limits: Partial<Limits> = {}) =>
    one(startingRow({ actualStatus: "created", statusMessage, ...over }), waitingTrack(MINUTE), { limits });

  test.each(["OCI runtime create failed: runc create failed", "unresolvable CDI devices nvidia.com/gpu=0"])(
    "bans the host and replaces on a host failure: %s",
    (text) => {
      const plan = failed(text, { curState: "stopped", nextState: "stopped" });
      expect(plan.reason).toBe("host_failed");
      expect(plan.actions).toMatchObject([
        { kind: "ban", target: { kind: "host", id: 77001 }, reason: "host_failed" },
        { kind: "destroy", id: ID, machineId: 4821, reason: "host_failed" },
      ]);
    },
  );

  test("replaces without a ban on a host failure while bans are disabled", () => {
    expect(kinds(failed("OCI runtime create failed", {}, { bansEnabled: false }))).toEqual(["destroy"]);
  });

  test("destroys without a ban when the image cannot be used, and names the settings", () => {
    const plan = failed("manifest unknown: manifest unknown");
    expect(plan.reason).toBe("image_unavailable");
    expect(kinds(plan)).toEqual(["destroy"]);
    expect(plan.message).toMatch(/VAST_TEMPLATE_IMAGE.*DOCKER_LOGIN/);
  });

  test.each([
    ['OCI runtime create failed: exec: "serve": executable file not found in $PATH', { curState: "stopped" }],
    ["exec /start.sh: exec format error", { actualStatus: "exited" }],
  ])("destroys at once and without a ban when the image cannot be started: %s", (text, over) => {
    const plan = failed(text, over);
    expect(plan.reason).toBe("image_unavailable");
    expect(kinds(plan)).toEqual(["destroy"]);
    expect(plan.message).toMatch(/entrypoint.*linux\/amd64.*cuda_max_good/);
  });

  test("destroys without a ban when the disk is full", () => {
    const plan = failed("failed to extract layer: no space left on device");
    expect(plan.reason).toBe("disk_too_small");
    expect(kinds(plan)).toEqual(["destroy"]);
    expect(plan.message).toContain("raise the template's disk space");
  });

  test("does not act on old text of an instance that runs", () => {
    const r = row({ statusMessage: "manifest unknown" });
    expect(one(r, waitingTrack(MINUTE, { runningSince: NOW })).actions).toEqual([]);
  });
});

describe("a lost instance", () => {
  const lostFor = (over: Partial<Instance>, ms: number, reads = 2) =>
    one(row(over), silentTrack(ms, { lost: { since: NOW - ms, reads, readAt: NOW }, endpoint: null }));

  test.each([
    ["exited", { actualStatus: "exited" }, 120],
    ["frozen", { actualStatus: "frozen" }, 120],
    ["exited", { actualStatus: "exited", createdAt: NOW - 9 * MINUTE }, 600],
    ["unknown", { actualStatus: "unknown" }, 600],
    ["offline", { actualStatus: "offline" }, 600],
    ["stopped", { actualStatus: "stopped" }, 60],
    ["stopped", { intendedStatus: "stopped" }, 60],
    ["outbid", { intendedStatus: "stopped", isBid: true }, 10],
    ["stopped", { curState: "stopped" }, 60],
    ["stopped", { nextState: "stopped" }, 60],
  ])("waits for an instance that is %s (%j) for %i s, then replaces it", (status, over, seconds) => {
    const within = lostFor(over, seconds * SECOND - 1);
    expect(within).toMatchObject({ reason: "instance_lost", state: "unavailable", actions: [], server: null });
    expect(within.message).toContain(`${seconds} s`);
    const after = lostFor(over, seconds * SECOND);
    expect(after).toMatchObject({ reason: `instance_${status}`, actions: [{ kind: "destroy", id: ID }] });
  });

  test.each([
    ["offline", 300],
    ["unknown", 300],
    ["exited", 120],
  ])("that is %s, but answered until now, has %i s: our own way to it may be cut", (actualStatus, seconds) => {
    const silentFor = (ms: number) =>
      one(row({ actualStatus }), silentTrack(ms, { lost: { since: NOW - HOUR, reads: 9, readAt: NOW } }));
    const within = silentFor(seconds * SECOND - 1);
    expect(within).toMatchObject({ reason: "instance_lost", state: "unavailable", actions: [] });
    expect(within.message).toContain(`it has ${seconds} s to come back`);
    expect(silentFor(seconds * SECOND)).toMatchObject({
      reason: `instance_${actualStatus}`,
      actions: [{ kind: "destroy" }],
    });
  });

  describe("that had not answered for a while when its status was first seen, as after an outage of the API", () => {
    const seenNow = { since: NOW - 15 * SECOND, reads: 2, readAt: NOW };
    const silentFor = (actualStatus: string, ms: number, over: Partial<Track> = {}, hostId: number | null = null) =>
      one(row({ actualStatus }), silentTrack(ms, { lost: seenNow, ...over }), { state: { unreachableHost: hostId } });

    test.each([
      ["exited", 300],
      ["frozen", 300],
      ["unknown", 600],
      ["offline", 600],
    ])("is replaced when it is %s and has been silent for %i s", (status, seconds) => {
      expect(silentFor(status, seconds * SECOND - 1)).toMatchObject({ reason: "instance_lost", actions: [] });
      expect(silentFor(status, seconds * SECOND)).toMatchObject({
        reason: `instance_${status}`,
        actions: [{ kind: "destroy", id: ID }],
      });
    });

    test("has its whole grace after one list, in the first seconds, before it was ever ready, and where our own way may be broken", () => {
      const kept = { reason: "instance_lost", actions: [] };
      expect(silentFor("exited", HOUR, { lost: { ...seenNow, reads: 1 } })).toMatchObject(kept);
      expect(silentFor("exited", HOUR, { lost: { ...seenNow, since: NOW - 14 * SECOND } })).toMatchObject(kept);
      expect(silentFor("exited", HOUR, { wasReady: false })).toMatchObject(kept);
      expect(silentFor("exited", HOUR, {}, 77_009)).toMatchObject(kept);
    });

    test("has its whole grace when it was stopped: that begins when the account has credit again", () => {
      const stopped = one(row({ curState: "stopped" }), silentTrack(HOUR, { lost: seenNow }));
      expect(stopped).toMatchObject({ reason: "instance_lost", actions: [] });
    });
  });

  test("does not replace a stopped instance that was read once only", () => {
    expect(lostFor({ curState: "stopped" }, HOUR, 1).actions).toEqual([]);
  });

  test.each(["stopped", "outbid"])(
    "keeps an instance that is %s while the account has no credit, however long",
    (word) => {
      const stopped = row(word === "stopped" ? { curState: "stopped" } : { intendedStatus: "stopped", isBid: true });
      const track = silentTrack(HOUR, { lost: { since: NOW - HOUR, reads: 9, readAt: NOW }, endpoint: null });
      const withCredit = (credit: Seen<number | null>) => one(stopped, track, { seen: { credit } });
      for (const dollars of [0, -3.2]) {
        const kept = withCredit(known(dollars));
        expect(kept).toMatchObject({ reason: "account_no_credit", state: "blocked", actions: [] });
        expect(kept.message).toMatch(/has no credit: add credit/);
      }
      // An unknown credit is not an empty account; an API that reports no credit is no reason to keep a lost instance.
      const unknownCredit = withCredit(unknown("GET /api/v0/users/current/: HTTP 502"));
      expect(unknownCredit).toMatchObject({ reason: "instance_lost", state: "unavailable", actions: [] });
      expect(unknownCredit.message).toMatch(/whether the account has credit .*HTTP 502/);
      for (const dollars of [0.01, null]) expect(kinds(withCredit(known(dollars)))).toEqual(["destroy"]);
    },
  );

  test("does not ask for credit where the instance is lost for another reason", () => {
    const off = { seen: { credit: unknown<number | null>() } };
    const track = silentTrack(HOUR, { lost: { since: NOW - HOUR, reads: 9, readAt: NOW }, endpoint: null });
    expect(kinds(one(row({ actualStatus: "offline" }), track, off))).toEqual(["destroy"]);
  });

  test("bans nobody for a lost instance", () => {
    expect(kinds(lostFor({ actualStatus: "offline" }, HOUR))).toEqual(["destroy"]);
  });
});

describe("an instance that was never ready", () => {
  const LIMIT = 1200 * SECOND;
  const running = (ms: number, waited = ms) => waitingTrack(waited, { runningSince: NOW - ms });

  test("bans the host and replaces an instance that is starting for too long", () => {
    const plan = one(startingRow(), waitingTrack(LIMIT + 1));
    expect(plan.reason).toBe("start_timeout");
    expect(plan.actions).toMatchObject([
      { kind: "ban", target: { kind: "host", id: 77001 }, instanceId: ID, reason: "start_timeout" },
      { kind: "destroy", id: ID, reason: "start_timeout" },
    ]);
    expect(plan.message).toContain("BLACKLIST_BAN_AFTER_SECONDS (1200 s)");
  });

  test("replaces without a ban an instance that is starting for too long while bans are disabled", () => {
    expect(kinds(one(startingRow(), waitingTrack(LIMIT + 1), { limits: { bansEnabled: false } }))).toEqual(["destroy"]);
  });

  test("bans the machine alone where BLACKLIST_SCOPE is machine", () => {
    const plan = one(startingRow(), waitingTrack(LIMIT + 1), { limits: { banScope: "machine" } });
    expect(plan.actions).toMatchObject([{ kind: "ban", target: { kind: "machine", id: 4821 } }, { kind: "destroy" }]);
  });

  test.each([
    ["host", startingRow({ hostId: null })],
    ["machine", startingRow({ machineId: null })],
  ] as const)("replaces without a ban target when the API reports no %s id", (banScope, r) => {
    const plan = one(r, waitingTrack(LIMIT + 1), { limits: { banScope } });
    expect(plan.actions).toMatchObject([
      { kind: "ban", target: null },
      { kind: "destroy", id: ID },
    ]);
  });

  test.each([null, "scheduling", "loading", "created", "restarting", "rebooting", "recycling", "brand_new_word"])(
    "waits for a status word of starting: %s",
    (actualStatus) => {
      expect(one(startingRow({ actualStatus }), waitingTrack(LIMIT))).toMatchObject({
        reason: "instance_starting",
        state: "provisioning",
        actions: [],
        server: null,
      });
    },
  );

  test("destroys without a ban an instance that runs and never answers", () => {
    const plan = one(row(), running(LIMIT + 1));
    expect(plan.reason).toBe("app_not_listening");
    expect(kinds(plan)).toEqual(["destroy"]);
    expect(plan.message).toMatch(/nothing answers \(203\.0\.113\.9:41234\).*another machine/);
  });

  test("bans nobody for an instance that runs and publishes no port: the template may publish none", () => {
    const plan = one(row({ ports: null, directPortStart: null }), running(LIMIT + 1));
    expect(plan.reason).toBe("app_not_listening");
    expect(kinds(plan)).toEqual(["destroy"]);
    expect(plan.message).toMatch(/no public port.*direct_port_count/);
  });

  test("reports the result of the probe and what to change: a port of sshd, a failing path, a refused header", () => {
    const met = (why: string, tcp: boolean) =>
      one(row(), running(LIMIT + 1), {
        seen: { probes: new Map([[ID, { endpoint: { host: "h", port: 1 }, ok: false, tcp, why }]]) },
      }).message;
    expect(met("h:1: ECONNREFUSED", false)).toMatch(/h:1: ECONNREFUSED.*listens on 0\.0\.0\.0.*egress rule/);
    expect(met("h:1: sshd answers there: set VAST_UPSTREAM_PORT", false)).toContain("set VAST_UPSTREAM_PORT");
    expect(met("h:1: GET /health answered 404", true)).toMatch(/answered 404.*check VAST_HEALTH_PATH/);
  });

  describe("exited before it ever answered", () => {
    const exited = (ms: number, more: object = {}) =>
      one(
        row({ actualStatus: "exited", createdAt: NOW - 11 * MINUTE }),
        waitingTrack(11 * MINUTE, { lost: { since: NOW - ms, reads: 2, readAt: NOW } }),
        more,
      );

    test("gets its grace", () => expect(exited(119 * SECOND).reason).toBe("instance_lost"));

    test("is replaced once without a ban: its app would end on every machine", () => {
      const plan = exited(120 * SECOND);
      expect(plan.reason).toBe("app_not_listening");
      expect(kinds(plan)).toEqual(["destroy"]);
      expect(plan.message).toMatch(/check the image's command, environment and logs; it is replaced once/);
    });

    test("is not replaced for a while the second time", () => {
      const notListening = { wanted: "demo example/app:2", count: 1 };
      expect(exited(120 * SECOND, { state: { notListening } }).message).toContain("the next create waits");
    });
  });

  test("announces at the second silent instance that the next create waits", () => {
    const notListening = { wanted: "demo example/app:2", count: 1 };
    expect(one(row(), running(LIMIT + 1), { state: { notListening } }).message).toContain("the next create waits");
  });

  test("waits for an instance that runs and does not answer yet", () => {
    expect(one(row(), running(LIMIT))).toMatchObject({ reason: "instance_starting", actions: [] });
  });

  test("lists the published ports when none of them can be chosen", () => {
    const plan = one(row({ ports: { "22/tcp": 1, "8080/tcp": 2 } }), running(MINUTE));
    expect(plan.message).toContain("22/tcp, 8080/tcp");
  });

  test("destroys an instance that alternates between running and starting", () => {
    expect(one(row(), running(MINUTE, 2 * LIMIT + 1)).reason).toBe("app_not_listening");
    expect(one(row(), running(MINUTE, 2 * LIMIT)).actions).toEqual([]);
  });

  test("does not destroy an instance that was just found although its wait in the ban store began long ago", () => {
    const fresh = waitingTrack(0, { waitingSince: NOW - 10 * HOUR, runningSince: NOW });
    expect(one(row(), fresh).actions).toEqual([]);
  });
});

describe("an instance that was ready and does not answer", () => {
  test("waits up to VAST_UNREACHABLE_TIMEOUT_SECONDS, then replaces", () => {
    const within = one(row(), silentTrack(300 * SECOND));
    expect(within).toMatchObject({ reason: "instance_unreachable", state: "unavailable", actions: [], server: null });
    expect(one(row(), silentTrack(300 * SECOND + 1))).toMatchObject({
      reason: "unreachable",
      actions: [{ kind: "destroy", id: ID, hostId: 77001 }],
    });
  });

  test("destroys nothing between the two passing probes that bring an instance back, whatever its status is", () => {
    const back = silentTrack(HOUR, { passesMissing: 1, failedProbes: 0, lost: { since: 0, reads: 9, readAt: NOW } });
    const bans = known([{ kind: "host" as const, id: 77001, reason: "start_timeout" }]);
    for (const r of [
      row(),
      row({ actualStatus: "exited" }),
      row({ actualStatus: "created", statusMessage: "manifest unknown" }),
    ]) {
      const plan = one(r, back, { seen: { bans } });
      expect(plan).toMatchObject({ reason: "instance_unreachable", state: "unavailable", server: null, actions: [] });
      expect(plan.nextCheckAt).toBe(NOW + 2 * SECOND);
    }
  });

  test("names the remedy when no published port can be chosen any more", () => {
    const two = row({ ports: { "8000/tcp": 41234, "9000/tcp": 41235 }, directPortStart: null });
    const plan = one(two, silentTrack(MINUTE, { endpoint: null }));
    expect(plan).toMatchObject({ reason: "instance_unreachable", state: "unavailable", actions: [] });
    expect(plan.message).toContain("8000/tcp, 9000/tcp: set VAST_UPSTREAM_PORT to one of them");
  });

  test("keeps an instance that is unreachable the second time in a row on another host", () => {
    const plan = one(row(), silentTrack(HOUR), { state: { unreachableHost: 5 } });
    expect(plan).toMatchObject({ reason: "unreachable_from_here", state: "blocked", actions: [] });
    expect(plan.message).toContain("our own network");
  });

  test("replaces an instance that is unreachable on the same host again", () => {
    expect(one(row(), silentTrack(HOUR), { state: { unreachableHost: 77001 } }).reason).toBe("unreachable");
  });

  test("grants VAST_UNHEALTHY_TIMEOUT_SECONDS where TCP passes and HTTP fails", () => {
    const open = { tcpOpen: true };
    const limits = { httpProbe: true };
    const within = one(row(), silentTrack(1800 * SECOND, open), { limits });
    expect(within).toMatchObject({ reason: "instance_unhealthy", state: "unavailable", actions: [] });
    expect(one(row(), silentTrack(1800 * SECOND + 1, open), { limits }).reason).toBe("unreachable");
  });

  test("keeps the second one in a row that fails its HTTP probe, and asks for the app to be checked", () => {
    const plan = one(row(), silentTrack(HOUR, { tcpOpen: true }), {
      state: { unreachableHost: 5 },
      limits: { httpProbe: true },
    });
    expect(plan).toMatchObject({ reason: "unreachable_from_here", state: "blocked", actions: [] });
    expect(plan.message).toContain("Check the app and VAST_HEALTH_PATH");
  });

  test("does not call an instance unreachable that is rebooting within its time", () => {
    const plan = one(startingRow({ actualStatus: "rebooting" }), silentTrack(MINUTE));
    expect(plan).toMatchObject({ state: "unavailable", actions: [] });
  });

  test("replaces an instance that is starting again for longer, and blames neither our network nor its host", () => {
    for (const actualStatus of ["rebooting", "loading", null]) {
      const late = one(startingRow({ actualStatus }), silentTrack(300 * SECOND + 1), {
        state: { unreachableHost: 5 },
      });
      expect(late).toMatchObject({ reason: "restart_timeout", actions: [{ kind: "destroy", id: ID }] });
      expect(late.actions).not.toContainEqual(expect.objectContaining({ kind: "ban" }));
    }
  });
});

describe("what is written to the ban store besides the decision", () => {
  const absent = { counters: new Map([[ID, { waitingSince: null, restarts: 0 }]]) };

  test("writes bans that Redis did not take before, once the bans are known again", () => {
    const unwrittenBans = [{ kind: "host" as const, id: 5, reason: "host_failed", instanceId: 1 }];
    const late = (seen: object) => one(startingRow(), waitingTrack(MINUTE), { seen, state: { unwrittenBans } }).actions;
    expect(late({})).toEqual([{ kind: "ban", target: { kind: "host", id: 5 }, instanceId: 1, reason: "host_failed" }]);
    expect(late({ bans: unknown() })).toEqual([]);
  });

  test("writes the ban of a host with too many restarts once, not twice where Redis did not take it before", () => {
    const unwrittenBans = [{ kind: "host" as const, id: 77001, reason: "too_many_restarts", instanceId: ID }];
    const seen = { counters: new Map([[ID, { waitingSince: null, restarts: 6 }]]), probes: new Map() };
    const plan = one(row(), servingTrack(), { seen, state: { unwrittenBans } });
    expect(kinds(plan)).toEqual(["ban"]);
  });

  test("writes since when an instance is waited for", () => {
    const plan = one(startingRow(), waitingTrack(MINUTE), { seen: absent });
    expect(plan.actions).toEqual([{ kind: "start_waiting", instanceId: ID, since: NOW - MINUTE }]);
  });

  test("writes the observed wait over a stored one that has a time in it in which nobody looked", () => {
    const seen = { counters: new Map([[ID, { waitingSince: NOW - HOUR, restarts: 0 }]]) };
    const plan = one(startingRow(), waitingTrack(MINUTE, { unobservedMs: HOUR - MINUTE }), { seen });
    expect(plan.actions).toEqual([{ kind: "postpone_waiting", instanceId: ID, since: NOW - MINUTE }]);
    expect(one(startingRow(), waitingTrack(HOUR, { unobservedMs: MINUTE }), { seen }).actions).not.toContainEqual(
      expect.objectContaining({ kind: "postpone_waiting" }),
    );
  });

  test("writes nothing about an instance while the store does not answer", () => {
    expect(one(startingRow(), waitingTrack(MINUTE), { seen: { counters: new Map() } }).actions).toEqual([]);
  });

  test("removes the wait of an instance that has become ready", () => {
    const waited = { counters: new Map([[ID, { waitingSince: NOW - HOUR, restarts: 0 }]]) };
    expect(one(row(), servingTrack(), { seen: waited }).actions).toEqual([{ kind: "stop_waiting", instanceId: ID }]);
    expect(one(row(), servingTrack(), { seen: absent }).actions).toEqual([]);
  });

  test("counts a restart that is not yet counted", () => {
    const plan = one(row(), servingTrack({ uncountedRestarts: 2 }), { seen: absent });
    expect(plan.actions).toEqual([{ kind: "count_restart", instanceId: ID, times: 2 }]);
  });
});

describe("a provisioner that another one has superseded, which started later", () => {
  const superseded = { kind: "ours", doubt: null, superseded: true } as const;
  const plan = (r: Instance, track = servingTrack(), limits: Partial<Limits> = {}) =>
    planned({ seen: observation([r]), state: state({ tracks: { [ID]: track } }), ownership: superseded, limits });

  test("keeps what the other one has created, whatever image and template it has", () => {
    for (const other of [row({ image: "example/app:3" }), row({ templateHash: "0ther" })]) {
      for (const updateStrategy of ["recreate", "in-place", "surge"] as const)
        expect(plan(other, servingTrack(), { updateStrategy })).toMatchObject({
          reason: "instance_ready",
          actions: [],
        });
    }
  });

  test("replaces it when it is dead", () => {
    const dead = plan(row({ image: "example/app:3" }), silentTrack(HOUR));
    expect(dead.actions).toMatchObject([{ kind: "destroy", id: ID }]);
  });
});
