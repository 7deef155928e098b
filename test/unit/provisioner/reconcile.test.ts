import { describe, expect, test } from "vitest";
import type { UpstreamFile } from "../../../common/upstream-file.ts";
import { fleetKeys } from "../../../provisioner/fleet/keys.ts";
import { noPodTurns, type PodTurn, type PodTurns } from "../../../provisioner/fleet/pod-turns.ts";
import { createLease } from "../../../provisioner/lease/lease.ts";
import type { Observation } from "../../../provisioner/model/observation.ts";
import { adoptPublished } from "../../../provisioner/state/apply-observation.ts";
import { emptyState } from "../../../provisioner/state/schema.ts";
import { type FakeClock, fakeClock } from "../../fakes/fake-clock.ts";
import { ACCOUNT_ID, fakeLog, type Journal, vastError } from "./fakes.ts";
import { type FakeRedis, fakeRedis } from "./lease/fake-redis.ts";
import { fileOf, loop } from "./loop.ts";
import {
  failing,
  HOUR,
  LABEL,
  MINUTE,
  NOW,
  observation,
  offer,
  passing,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  state,
  unknown,
} from "./plan/situation.ts";

const ID = 7835610;
/** Without what only reads, or is saved. */
const effects = (journal: Journal) => journal.filter((entry) => !["save", "credit", "search"].includes(entry));
const changed = row({ image: "example/app:1" });
const serving = state({ tracks: { [ID]: servingTrack() } });

describe("an endpoint that has moved", () => {
  const elsewhere = { host: "203.0.113.9", port: 50000 };
  const moved = (probe: ReturnType<typeof passing>) =>
    observation([row({ ports: { "8000/tcp": 50000 } })], { probes: new Map([[ID, probe]]) });

  test("is published in the pass that sees it, with its first passing probe", async () => {
    const l = loop({ seen: moved(passing(elsewhere)), state: serving, file: fileOf() });
    await l.pass();
    expect(effects(l.journal).filter((entry) => entry.startsWith("publish"))).toEqual(["publish 50000"]);
  });

  test("is withdrawn in the pass that sees it while the new one does not answer: the old one may belong to somebody else", async () => {
    let seen = moved(failing(elsewhere));
    const l = loop({ seen: () => seen, state: serving, file: fileOf() });
    await l.pass();
    expect(effects(l.journal)).toContain("publish none");
    expect(effects(l.journal).join()).not.toContain("destroy");
    seen = moved(passing(elsewhere));
    await l.pass();
    expect(effects(l.journal)).toContain("publish 50000");
  });
});

describe("a replacement", () => {
  test("withdraws the server, waits for nginx and the drain, and only then destroys", async () => {
    const l = loop({ seen: observation([changed]), state: serving, file: fileOf() });
    await l.pass();
    expect(effects(l.journal).slice(0, 3)).toEqual([
      "publish none",
      "ask reloader",
      expect.stringMatching(/restart|destroy/),
    ]);
    expect(l.journal.indexOf(`destroy ${ID}`)).toBeGreaterThan(l.journal.indexOf("ask reloader"));
    expect(l.clock.now() - NOW).toBe(10 * SECOND);
    expect(l.state.state.pendingDeletes).toMatchObject([{ id: ID, reason: "image_changed" }]);
  });

  test("does not drain an instance that does not answer any more", async () => {
    const silent = state({ tracks: { [ID]: silentTrack(HOUR) } });
    const l = loop({ seen: observation([row()]), state: silent, file: fileOf() });
    await l.pass();
    expect(effects(l.journal)).toContain("ask reloader");
    expect(effects(l.journal)).toContain(`destroy ${ID}`);
    expect(l.clock.now()).toBe(NOW);
  });

  test("does not ask the reloader about an instance that was never served", async () => {
    const l = loop({
      seen: observation([changed]),
      state: state({ tracks: { [ID]: servingTrack({ serving: false }) } }),
    });
    await l.pass();
    expect(effects(l.journal)).not.toContain("ask reloader");
    expect(effects(l.journal)).toContain(`destroy ${ID}`);
  });

  test("creates in a later pass, when a complete list lacks the old one", async () => {
    let rows = [changed];
    const l = loop({ seen: () => observation(rows), state: serving, file: fileOf() });
    await l.pass();
    rows = [];
    expect(l.journal).not.toContain("create 31415926");
    await l.clock.advance(1);
    await l.pass();
    expect(l.journal).toContain("create 31415926");
    expect(l.state.state.intent).toMatchObject({ contract: 42 });
  });

  test("withdraws a published duplicate before it destroys it", async () => {
    const older = row({ id: 1, ports: { "8000/tcp": 50000 } });
    const both = state({
      tracks: { [ID]: servingTrack(), 1: servingTrack({ endpoint: { host: "203.0.113.9", port: 50000 } }) },
    });
    const l = loop({ seen: observation([row(), older]), state: both, file: fileOf() });
    await l.pass();
    expect(effects(l.journal).filter((entry) => !entry.startsWith("count"))).toEqual([
      "publish 50000",
      "ask reloader",
      `destroy ${ID}`,
    ]);
  });
});

describe("a server whose instance cannot be destroyed", () => {
  const seen = observation([changed], { probes: new Map([[ID, passing()]]) });
  const served = { port: 41234 };

  test("is published again in the same pass when the API refuses the destroy, and nothing is pending", async () => {
    const refuse = () => {
      throw vastError("auth", { status: 403 });
    };
    const l = loop({ seen, state: serving, file: fileOf(), destroy: refuse });
    await l.pass();
    expect(effects(l.journal)).toEqual([
      "publish none",
      "ask reloader",
      "count_restart 7835610 1",
      `destroy ${ID}`,
      "publish 41234",
    ]);
    expect(l.state.plan).toMatchObject({ reason: "destroy_refused", state: "blocked", server: served });
    expect(l.state.state).toMatchObject({ pendingDeletes: [], tracks: { [ID]: { serving: true } } });
    expect(l.lines.filter((line) => line.reason === "destroy_refused" && line.event === "state")).toHaveLength(1);
  });

  test("is tried again later, and not in every pass", async () => {
    let allowed = false;
    const maybeRefuse = () => {
      if (!allowed) throw vastError("auth", { status: 403 });
    };
    const l = loop({ seen, state: serving, file: fileOf(), destroy: maybeRefuse, writeLabel: maybeRefuse });
    const destroys = () => l.journal.filter((entry) => entry.startsWith("destroy")).length;
    const lookFor = async (seconds: number) => {
      for (let left = seconds; left > 0; left -= 20) {
        await l.clock.advance(Math.min(left, 20) * SECOND);
        await l.pass();
      }
    };
    await l.pass();
    await l.pass();
    expect(destroys()).toBe(1);
    await lookFor(61);
    allowed = true;
    await lookFor(50);
    expect(destroys()).toBe(1);
    await lookFor(20);
    expect(destroys()).toBe(2);
    expect(l.state.state.pendingDeletes).toMatchObject([{ id: ID, deleteConfirmed: true }]);
  });

  test("is not even withdrawn while the state file cannot be written", async () => {
    const l = loop({ seen, state: serving, file: fileOf() });
    l.disk.full = true;
    await l.pass();
    expect(effects(l.journal)).toEqual(["publish 41234"]);
    expect(l.state.plan).toMatchObject({ reason: "image_changed", state: "ready", server: served, actions: [] });
    expect(l.state.problem).toMatch(/STATE_PATH/);
    expect(l.state.state.pendingDeletes).toEqual([]);
  });

  test("is published again when the disk is full by the time of the destroy, and is not destroyed later by mistake", async () => {
    let rows = [changed];
    const l = loop({
      seen: () => observation(rows, { probes: new Map([[ID, passing()]]) }),
      state: serving,
      file: fileOf(),
      onAsk: () => {
        l.disk.full = true;
      },
    });
    await l.pass();
    expect(effects(l.journal).filter((entry) => !entry.startsWith("count"))).toEqual([
      "publish none",
      "ask reloader",
      "publish 41234",
    ]);
    expect(l.state.plan).toMatchObject({ reason: "image_changed", state: "ready", server: served });
    expect(l.state.state.pendingDeletes).toEqual([]);
    l.disk.full = false;
    rows = [row()];
    await l.pass();
    expect(l.state.plan).toMatchObject({ reason: "instance_ready", actions: [] });
    expect(l.journal).not.toContain(`destroy ${ID}`);
  });
});

describe("before a server is given up", () => {
  const seen = observation([changed], { probes: new Map([[ID, passing()]]) });
  const open = (script: object) => loop({ seen, state: serving, file: fileOf(), ...script });

  test("the credit is read and an offer is searched, and nothing is withdrawn before", async () => {
    const l = open({});
    await l.pass();
    expect(l.journal.filter((entry) => entry !== "save").slice(0, 3)).toEqual(["credit", "search", "publish none"]);
    expect(l.journal).toContain(`destroy ${ID}`);
  });

  const fails = (kind: "auth" | "invalid" | "unavailable") => () => {
    throw vastError(kind, { call: "POST /api/v0/bundles/" });
  };
  test.each([
    ["there is no offer", { offers: () => [] }, "no_offer", /no other instance can be created: /],
    ["the credit is spent", { credit: () => -0.5 }, "account_no_credit", /add credit/],
    ["the key may not search", { offers: fails("auth") }, "account_auth", /VAST_API_KEY/],
    ["the search is refused", { offers: fails("invalid") }, "create_refused", /VAST_SEARCH_QUERY/],
    ["the API does not answer", { offers: fails("unavailable") }, "create_rate_limited", /accepts no calls/],
  ])("it serves on when %s", async (_, script, reason, message) => {
    const l = open(script);
    await l.pass();
    expect(effects(l.journal)).not.toContain("publish none");
    expect(l.state.plan).toMatchObject({ reason, state: "blocked", server: { port: 41234 } });
    expect(effects(l.journal)).not.toContain(`destroy ${ID}`);
    expect(l.state.plan?.message).toMatch(message);
    expect(l.state.state).toMatchObject({ backoff: null, account: null, pendingDeletes: [] });
  });

  test("nothing is searched with VAST_UPDATE_PRECHECK=none: it is destroyed although no other one can be created", async () => {
    const l = open({ offers: () => [], credit: () => -0.5, limits: { updatePrecheck: "none" } });
    await l.pass();
    expect(l.journal.filter((entry) => entry !== "save").slice(0, 2)).toEqual(["publish none", "ask reloader"]);
    expect(l.journal).toContain(`destroy ${ID}`);
    expect(l.journal).not.toContain("search");
  });

  test("a warning names what a typo in the image costs, and what prevents that", async () => {
    const l = open({});
    await l.pass();
    const warned = l.lines.filter(({ level, action }) => level === "warn" && action === "destroy");
    expect(warned.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/cannot be pulled costs this instance \(VAST_UPDATE_STRATEGY=surge or in-place/),
    ]);
  });

  test("a credit that cannot be read prevents nothing", async () => {
    const l = open({ credit: fails("unavailable") });
    await l.pass();
    expect(l.journal).toContain(`destroy ${ID}`);
  });

  test("the next search waits, and the replacement is made when it finds an offer", async () => {
    let offers: ReturnType<typeof offer>[] = [];
    const l = open({ offers: () => offers });
    const searches = () => l.journal.filter((entry) => entry === "search").length;
    await l.pass();
    const first = searches();
    await l.pass();
    expect(searches()).toBe(first);
    offers = [offer()];
    for (let waited = 0; waited < 31; waited += 10) {
      await l.clock.advance(10 * SECOND);
      await l.pass();
    }
    expect(l.journal).toContain(`destroy ${ID}`);
  });
});

describe("when something cannot be written", () => {
  test("nothing is mutated while the upstream file cannot be written, and the problem is shown", async () => {
    const l = loop({});
    l.brokenPublisher.now = true;
    const next = await l.pass();
    expect(l.journal).toEqual([]);
    expect(l.state.problem).toMatch(/read-only.*UPSTREAM_PATH/);
    expect(next).toBeGreaterThanOrEqual(NOW + 5 * SECOND);
    expect(l.lines.filter((line) => line.event === "disk")).toHaveLength(1);
  });

  test("a server that cannot be withdrawn is named, with what to do about it", async () => {
    const lost = loop({ seen: observation([]), state: serving, file: fileOf() });
    lost.brokenPublisher.now = true;
    await lost.pass();
    expect(lost.state.problem).toMatch(/nginx routes to 203\.0\.113\.9:41234 and the pod stays ready.*delete the pod/);
    const healthy = loop({
      seen: observation([row()], { probes: new Map([[ID, passing()]]) }),
      state: serving,
      file: fileOf(),
    });
    healthy.brokenPublisher.now = true;
    await healthy.pass();
    expect(healthy.state.problem).not.toContain("nginx");
    const there = { host: "203.0.113.9", port: 50000 };
    const moved = loop({
      seen: observation([row({ ports: { "8000/tcp": there.port } })], { probes: new Map([[ID, passing(there)]]) }),
      state: serving,
      file: fileOf(),
    });
    moved.brokenPublisher.now = true;
    await moved.pass();
    expect(moved.state.problem).toMatch(
      /nginx routes to 203\.0\.113\.9:41234 and the pod stays ready, although 203\.0\.113\.9:50000 must be served.*delete the pod/,
    );
  });

  test("nothing is mutated while the state file cannot be written", async () => {
    const l = loop({});
    l.disk.full = true;
    await l.pass();
    expect(effects(l.journal)).toEqual(["publish none"]);
    expect(l.state.problem).toMatch(/no space left.*STATE_PATH/);
  });

  test("is logged once, and once when it is over", async () => {
    const l = loop({ seen: observation([row()], { probes: new Map([[ID, passing()]]) }), state: serving });
    l.disk.full = true;
    await l.pass();
    await l.pass();
    l.disk.full = false;
    await l.pass();
    expect(l.lines.filter((line) => line.event === "disk").map((line) => line.level)).toEqual(["error", "info"]);
    expect(l.state.problem).toBeNull();
  });

  test("an internal error in an action is not reported as a disk problem", async () => {
    const l = loop({
      create: () => {
        throw new TypeError("x is not a function");
      },
    });
    await expect(l.pass()).rejects.toThrow(TypeError);
    expect(l.state.problem).toBeNull();
    expect(l.state.state.intent).toMatchObject({ contract: null });
  });
});

describe("the stop of the program", () => {
  test("between withdrawing and destroying stops before the destroy, and the server is published again", async () => {
    const l = loop({ seen: observation([changed]), state: serving, file: fileOf(), onAsk: () => l.stop.abort() });
    await l.pass();
    expect(effects(l.journal)).toEqual(["publish none", "ask reloader", "publish 41234"]);
    expect(l.state.state.pendingDeletes).toEqual([]);
  });

  test("between two destroys stops before the second", async () => {
    const l = loop({
      seen: observation([row(), row({ id: 1 }), row({ id: 2 })]),
      state: state({ tracks: { [ID]: servingTrack(), 1: silentTrack(0), 2: silentTrack(0) } }),
      destroy: () => l.stop.abort(),
    });
    await l.pass();
    expect(effects(l.journal).filter((entry) => entry.startsWith("destroy"))).toHaveLength(1);
    expect(l.disk.saved.at(-1)?.pendingDeletes).toHaveLength(1);
  });

  test("during the observation changes nothing", async () => {
    const l = loop({
      seen: () => {
        l.stop.abort();
        return observation();
      },
    });
    await l.pass();
    expect(l.journal).toEqual([]);
    expect(l.state.passes).toBe(0);
  });
});

describe("the start", () => {
  const adopted = (file: UpstreamFile) => adoptPublished(emptyState(LABEL), file, NOW);

  test("keeps serving the published server while the list is unknown", async () => {
    const file = fileOf();
    const probes = new Map([[ID, passing()]]);
    const l = loop({ seen: observation([], { list: unknown(), probes }), state: adopted(file), file });
    await l.pass();
    expect(effects(l.journal)).toEqual(["publish 41234"]);
  });

  test("withdraws what was published when it does not answer", async () => {
    const file = fileOf();
    const probes = new Map([[ID, failing()]]);
    const l = loop({ seen: observation([], { list: unknown(), probes }), state: adopted(file), file });
    for (let i = 0; i < 3; i += 1) await l.pass();
    expect(effects(l.journal)).toEqual(["publish 41234", "publish none"]);
  });

  test("counts as one restart of the instance that it finds", async () => {
    const seen = observation([row()], { probes: new Map([[ID, passing()]]) });
    const l = loop({ seen, state: serving });
    for (let i = 0; i < 3; i += 1) await l.pass();
    expect(effects(l.journal).filter((entry) => entry.startsWith("count_restart"))).toEqual([`count_restart ${ID} 1`]);
  });

  test("counts its restart with the first list that is known", async () => {
    let list: Observation["list"] = unknown();
    const l = loop({ seen: () => ({ ...observation([row()]), list }), state: serving });
    await l.pass();
    expect(effects(l.journal).join()).not.toContain("count_restart");
    list = observation([row()]).list;
    await l.pass();
    expect(effects(l.journal)).toContain(`count_restart ${ID} 1`);
  });

  test("counts no restart of an instance that it creates itself", async () => {
    let rows: ReturnType<typeof row>[] = [];
    const l = loop({ seen: () => observation(rows) });
    await l.pass();
    rows = [row({ id: 42 })];
    await l.pass();
    expect(effects(l.journal).join()).not.toContain("count_restart");
  });
});

describe("after a time in which nobody looked", () => {
  const mutations = (journal: Journal) => journal.filter((entry) => /^(destroy|create|ban)/.test(entry));
  /** A process whose pauses the test adds up. */
  function pausable() {
    let totalMs = 0;
    return { totalMs: () => totalMs, pause: (ms: number) => (totalMs += ms) };
  }
  // Silent for all of its time but the last minute.
  const nearlyLost = state({ tracks: { [ID]: silentTrack(4 * 60 * SECOND) } });
  const silent = observation([row()], { probes: new Map([[ID, failing()]]) });

  test("one lost probe destroys nothing, and the silence goes on from where it was", async () => {
    const pauses = pausable();
    const l = loop({ seen: silent, state: nearlyLost, pauses });
    await l.pass();
    await l.clock.advance(HOUR);
    pauses.pause(HOUR);
    await l.pass();
    for (let i = 0; i < 10; i += 1) {
      await l.clock.advance(5 * SECOND);
      await l.pass();
    }
    expect(mutations(l.journal)).toEqual([]);
    await l.clock.advance(15 * SECOND);
    await l.pass();
    expect(mutations(l.journal)).toEqual([`destroy ${ID}`]);
  });

  test("the first look decides nothing, and the second one does", async () => {
    const pauses = pausable();
    let seen = observation([row()]);
    const l = loop({ seen: () => seen, state: serving, file: fileOf(), pauses });
    await l.pass();
    seen = observation([changed]);
    pauses.pause(15 * SECOND);
    await l.pass();
    expect(mutations(l.journal)).toEqual([]);
    expect(l.state.plan).toMatchObject({ state: "ready", reason: "image_changed", server: { port: 41234 } });
    await l.pass();
    expect(mutations(l.journal)).toEqual([`destroy ${ID}`]);
  });

  test("a new pod never publishes the instance that it replaces", async () => {
    const l = loop({ seen: observation([changed]), state: { ...serving, observedAt: NOW - HOUR } });
    await l.pass();
    await l.clock.advance(2 * SECOND);
    await l.pass();
    expect(effects(l.journal)).not.toContain("publish 41234");
    expect(mutations(l.journal)).toEqual([`destroy ${ID}`]);
  });

  test("the first list decides nothing, however many looks had none before", async () => {
    const pauses = pausable();
    let seen = observation([row()]);
    const l = loop({ seen: () => seen, state: serving, file: fileOf(), pauses });
    await l.pass();
    seen = observation([], { list: unknown() });
    pauses.pause(15 * SECOND);
    await l.pass();
    seen = observation([changed]);
    await l.pass();
    expect(mutations(l.journal)).toEqual([]);
    await l.pass();
    expect(mutations(l.journal)).toEqual([`destroy ${ID}`]);
  });

  test("what was seen before the pause is observed again", async () => {
    const pauses = pausable();
    let looks = 0;
    const seen = () => {
      looks += 1;
      if (looks > 1) return observation([row()], { probes: new Map([[ID, passing()]]) });
      pauses.pause(HOUR);
      return observation([changed]);
    };
    const l = loop({ seen, state: serving, file: fileOf(), pauses });
    await l.pass();
    expect(l.asks.map(({ urgency }) => urgency)).toEqual(["starting", "now"]);
    expect(l.state.plan?.reason).toBe("instance_ready");
  });

  test("a decision from before the pause is not carried out", async () => {
    const pauses = pausable();
    let observed = observation([changed]);
    const l = loop({ seen: () => observed, state: serving, file: fileOf(), pauses, onAsk: () => pauses.pause(HOUR) });
    await l.pass();
    observed = observation([row()], { probes: new Map([[ID, passing()]]) });
    await l.pass();
    expect(mutations(l.journal)).toEqual([]);
    expect(l.state.plan).toMatchObject({ reason: "instance_ready", server: { port: 41234 } });
  });

  test.each([
    ["a short restart counts the silence", 5 * SECOND, [`destroy ${ID}`]],
    ["the time between two runs is no silence", HOUR, []],
  ])("%s", async (_, downMs, expected) => {
    const before = state({ tracks: { [ID]: silentTrack(299 * SECOND) } });
    const l = loop({ seen: silent, state: before });
    await l.clock.advance(downMs);
    await l.pass();
    await l.pass();
    expect(mutations(l.journal)).toEqual(expected);
  });

  test("a program that does not know when it last looked waits for its second look", async () => {
    const l = loop({ seen: silent, state: { ...state({ tracks: { [ID]: silentTrack(HOUR) } }), observedAt: null } });
    await l.pass();
    expect(mutations(l.journal)).toEqual([]);
    await l.pass();
    expect(mutations(l.journal)).toEqual([`destroy ${ID}`]);
  });
});

describe("the loop", () => {
  test("is in no hurry for a list when everything is well", async () => {
    const l = loop({ seen: observation([row()], { probes: new Map([[ID, passing()]]) }), state: serving });
    for (let i = 0; i < 3; i += 1) await l.pass();
    expect(l.asks.map((ask) => ask.urgency)).toEqual(["starting", "starting", "ready"]);
  });

  test("asks for a fresh list before it changes what an older one has decided", async () => {
    const l = loop({ seen: observation([changed]), state: serving, file: fileOf(), oldList: (how) => how !== "now" });
    await l.pass();
    expect(l.asks.map((ask) => ask.urgency)).toEqual(["starting", "now"]);
    expect(effects(l.journal)).toContain(`destroy ${ID}`);
  });

  test("changes nothing when the API refuses a fresh list, and keeps serving", async () => {
    const l = loop({ seen: observation([changed]), state: serving, file: fileOf(), oldList: () => true });
    const next = await l.pass();
    expect(effects(l.journal)).toEqual(["publish 41234"]);
    expect(l.state.file).toMatchObject({ state: "ready", reason: "image_changed" });
    expect(l.state).toMatchObject({ passes: 1, finishedAt: NOW });
    expect(next).toBeGreaterThan(NOW);
  });

  test.each([
    ["destroy", [changed], `destroy ${ID}`],
    ["create", [], "create 31415926"],
  ] as const)(
    "does not %s by a shared list that was read more than 20 s ago, even in this pass",
    async (_, rows, effect) => {
      const before =
        rows.length > 0 ? { state: serving, file: fileOf() } : { state: state({ firstNoneAt: NOW - MINUTE }) };
      const passWith = async (seen: Observation, listAgeMs: number) => {
        let isSlow = false;
        const heldUp = (clock: FakeClock) => clock.sleep(isSlow ? 25 * SECOND : 0);
        const nothing = observation([], { list: unknown("HTTP 502") });
        const l = loop({ ...before, seen: () => (isSlow ? seen : nothing), heldUp, listAgeMs });
        await l.pass();
        isSlow = true;
        await l.pass();
        return effects(l.journal);
      };
      const shared: Observation = { ...observation(rows), shared: true };
      expect(await passWith(shared, 20 * SECOND)).toContain(effect);
      expect(await passWith(shared, 20 * SECOND + 1)).not.toContain(effect);
      expect(await passWith(observation(rows), 20 * SECOND + 1)).toContain(effect);
    },
  );

  test("lets go of a server that is dead while the API refuses the fresh list for its replacement", async () => {
    const seen = observation([changed], { probes: new Map([[ID, failing()]]) });
    const l = loop({ seen, state: serving, file: fileOf(), oldList: () => true });
    for (let i = 0; i < 3; i += 1) await l.pass();
    expect(effects(l.journal)).toEqual(["publish 41234", "publish none"]);
    expect(l.state.file?.state).not.toBe("ready");
  });

  test("creates nothing from an older list that shows an instance meanwhile", async () => {
    let rows: ReturnType<typeof row>[] = [];
    const l = loop({
      seen: () => observation(rows),
      oldList: (how) => {
        rows = [row()];
        return how !== "now";
      },
    });
    await l.pass();
    expect(effects(l.journal).join()).not.toContain("create ");
  });

  test("changes nothing with VAST_POLICY=observe, and shows what it holds back", async () => {
    const l = loop({ seen: observation([changed]), state: serving, file: fileOf(), policy: "observe" });
    await l.pass();
    expect(effects(l.journal)).toEqual(["publish 41234"]);
    expect(l.state.suppressed).toContainEqual(expect.objectContaining({ kind: "destroy", id: ID }));
  });

  test("logs one line per change of state", async () => {
    const l = loop({ seen: observation([row()], { probes: new Map([[ID, passing()]]) }), state: serving });
    for (let i = 0; i < 5; i += 1) await l.pass();
    expect(l.lines.filter((line) => line.event === "state")).toHaveLength(1);
  });

  test("survives a pass with an internal error, and tries again five seconds later", async () => {
    let passes = 0;
    const l = loop({
      seen: () => {
        passes += 1;
        if (passes === 1) throw new TypeError("a defect");
        l.stop.abort();
        return observation();
      },
    });
    await l.clock.drive(l.run());
    expect(passes).toBe(2);
    expect(l.clock.now() - NOW).toBe(5 * SECOND);
    expect(l.lines).toContainEqual(expect.objectContaining({ level: "error", event: "internal_error" }));
    expect(l.state.finishedAt).toBe(NOW - HOUR);
  });

  test("stamps a pass when it is done, not before", async () => {
    const l = loop({ seen: observation([changed]), state: serving, file: fileOf() });
    await l.pass();
    expect(l.state).toMatchObject({ passes: 1, finishedAt: NOW + 10 * SECOND });
  });
});

describe("the lease", () => {
  const keys = fleetKeys(ACCOUNT_ID);
  const parts = (redis: FakeRedis, token: string) => ({
    redis,
    clock: fakeClock(NOW),
    log: fakeLog().log,
    keys,
    label: LABEL,
    token,
    owner: `${token} (pid 1)`,
    startedAt: null,
  });

  test("of another keeps everything as it is, and the instance served", async () => {
    const redis = fakeRedis(() => NOW);
    await createLease(parts(redis, "first")).renew(state());
    const lease = createLease(parts(redis, "second"));
    const seen = observation([changed], { probes: new Map([[ID, passing()]]) });
    const l = loop({ seen, state: serving, file: fileOf(), lease });
    await l.pass();
    expect(l.state.plan).toMatchObject({ reason: "other_owner", state: "blocked", server: { port: 41234 } });
    expect(effects(l.journal)).toEqual(["publish 41234"]);
  });

  test("is taken before the list is read, and the same pass knows what a predecessor began", async () => {
    const redis = fakeRedis(() => NOW);
    const first = createLease(parts(redis, "first"));
    await first.renew(state());
    const begun = { offerId: 1, hostId: null, machineId: 3, dollarsPerHour: 0.3, label: LABEL, startedAt: NOW };
    await first.mirror(state({ intent: { ...begun, contract: null }, creates: [NOW] }), true);
    await first.release();
    const claimed: boolean[] = [];
    const seen = () => {
      claimed.push(redis.entries.get(keys.lease(LABEL))?.value.startsWith("second") === true);
      return observation();
    };
    const l = loop({ seen, lease: createLease(parts(redis, "second")) });
    await l.pass();
    expect(claimed).toEqual([true]);
    expect(l.state.plan?.reason).toBe("create_unresolved");
    expect(l.disk.saved.at(-1)).toMatchObject({ intent: { startedAt: NOW }, creates: [NOW] });
    expect(effects(l.journal)).not.toContain("search");
  });

  test("is released while the files cannot be written, so that another provisioner can act, and taken again otherwise", async () => {
    const redis = fakeRedis(() => NOW);
    const [lease, other] = [createLease(parts(redis, "first")), createLease(parts(redis, "second"))];
    const l = loop({ seen: observation([changed]), state: serving, file: fileOf(), lease });
    l.brokenPublisher.now = true;
    await l.pass();
    expect(await other.renew(state())).toMatchObject({ ownership: { kind: "ours" } });
    l.brokenPublisher.now = false;
    await l.pass();
    expect(l.state.plan?.reason).toBe("other_owner");
    expect(effects(l.journal).join()).not.toContain("destroy");
    await other.release();
    await l.pass();
    expect(effects(l.journal)).toContain(`destroy ${ID}`);
  });

  test("that is lost during a drain stops the destroy, and the instance is served again", async () => {
    const redis = fakeRedis(() => NOW);
    const seen = observation([changed], { probes: new Map([[ID, passing()]]) });
    const l = loop({
      seen,
      state: serving,
      file: fileOf(),
      lease: createLease(parts(redis, "first")),
      onAsk: () =>
        void redis.entries.set(keys.lease(LABEL), { value: "t other (pid 1)", until: Number.POSITIVE_INFINITY }),
    });
    await l.pass();
    expect(effects(l.journal)).not.toContain(`destroy ${ID}`);
    expect(l.state.state.pendingDeletes).toEqual([]);
    await l.pass();
    expect(l.state.plan).toMatchObject({ reason: "other_owner", server: { port: 41234 } });
  });
});

describe("the turn among the pods with the same API key", () => {
  const turnsOf = (turn: { now: PodTurn }) => {
    const asked: unknown[] = [];
    const turns: PodTurns = {
      ...noPodTurns,
      ask: async (wish) => void asked.push(wish?.kind ?? null),
      turnFor: () => turn.now,
    };
    return { asked, turns };
  };
  const later: PodTurn = { kind: "later", ahead: 9, waitMs: 40 * SECOND, checkMs: 20 * SECOND };

  test("a pod without an instance creates when it comes, and asks in each pass", async () => {
    const turn: { now: PodTurn } = { now: later };
    const { asked, turns } = turnsOf(turn);
    const l = loop({ turns });
    expect(await l.pass()).toBe(NOW + 10 * SECOND);
    expect(l.journal.join()).not.toContain("create");
    expect(l.state.plan).toMatchObject({ reason: "waiting_for_turn", state: "provisioning" });
    turn.now = { kind: "now" };
    await l.pass();
    expect(l.journal.join()).toContain("create 31415926");
    expect(asked).toEqual(["create", "create"]);
  });

  test.each([true, false])(
    "an outdated instance serves until it comes: nothing is searched, withdrawn or destroyed, and no fresh list is read (shared: %s)",
    async (sharesLists) => {
      const turn: { now: PodTurn } = { now: later };
      const { asked, turns } = turnsOf(turn);
      const l = loop({
        turns,
        seen: observation([changed]),
        state: serving,
        file: fileOf(),
        oldList: (u) => u !== "now",
      });
      l.state.sharesLists = sharesLists;
      await l.pass();
      await l.pass();
      expect(l.journal.join()).not.toMatch(/search|ask reloader|destroy|publish none/);
      expect(l.state.plan).toMatchObject({ reason: "waiting_for_turn", state: "ready", server: { port: 41234 } });
      expect(l.asks.map(({ urgency }) => urgency)).not.toContain("now");
      turn.now = { kind: "now" };
      await l.pass();
      expect(effects(l.journal)).toContain(`destroy ${ID}`);
      expect(asked).toEqual(["replacement", "replacement", "replacement"]);
      const before = l.asks.length;
      await l.pass();
      expect(l.asks[before]?.urgency).toBe(sharesLists ? "now" : "starting"); // whether the destroyed one is still listed
    },
  );
});
