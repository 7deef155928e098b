import { describe, expect, test } from "vitest";
import { WakeSignal } from "../../../../common/loop.ts";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { runLeading } from "../../../../provisioner/fleet/leader.ts";
import { createListSource } from "../../../../provisioner/fleet/list-source.ts";
import { createSnapshot, LEAD_MS } from "../../../../provisioner/fleet/snapshot.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { type ClientScript, fakeClient, fakeLog, type Journal, vastError } from "../fakes.ts";
import { LABEL, MINUTE, NOW, row, SECOND } from "../plan/situation.ts";

const OTHER = "k8s_pod=vast-pod-1";

/** Pods with one account: each has a leader loop and looks at its own label. */
function fleet() {
  const clock = fakeClock(NOW);
  const redis = sharedRedis(clock.now);
  const stops: AbortController[] = [];
  const loops: Promise<void>[] = [];
  const pod = (token: string, label: string, script: ClientScript = {}) => {
    const journal: Journal = [];
    const { log, lines } = fakeLog();
    const shared = createSnapshot(redis.connect(clock.sleep), fleetKeys(1));
    const snapshot = () => shared;
    const source = createListSource({ snapshot, clock, label });
    let [answersAfterMs, availableAt] = [0, 0];
    const client = fakeClient(journal, script);
    const { listByLabels } = client;
    client.listByLabels = async (labels) => {
      availableAt = clock.now() + SECOND;
      if (answersAfterMs > 0) await clock.sleep(answersAfterMs);
      return listByLabels(labels);
    };
    const stop = new AbortController();
    stops.push(stop);
    const { leaderKnownForMs, noLeader } = source;
    const parts = {
      client,
      snapshot,
      clock,
      log,
      token,
      leaderKnownForMs,
      noLeader,
      listAvailableAt: () => availableAt,
    };
    const run = () => {
      const loop = runLeading(parts, stop.signal);
      loops.push(loop);
      return loop;
    };
    return {
      /** From now on the API answers this pod late. */
      swallowCalls(ms: number) {
        answersAfterMs = ms;
      },
      journal,
      lines,
      source,
      snapshot: shared,
      stop,
      run,
      reads: () => journal.filter((e) => e.startsWith("list")),
    };
  };
  const end = async () => {
    for (const stop of stops) stop.abort();
    await clock.drive(Promise.all(loops));
  };
  return { clock, redis, pod, end };
}

const LEADS = "this pod reads the instance list for all pods of the account";
const rows = (): Instance[] => [row({ id: 1, label: LABEL }), row({ id: 2, label: OTHER })];
const leads = (lines: Record<string, unknown>[]) =>
  lines.filter(({ event }) => event === "fleet").map(({ msg }) => String(msg));

describe("the leader", () => {
  test("reads for all pods, and each sees its own instance", async () => {
    const { clock, pod, end } = fleet();
    const [first, second] = [pod("one", LABEL, { rows }), pod("two", OTHER)];
    void first.run();
    const lists = Promise.all([first.source.fresh(10 * SECOND), second.source.fresh(10 * SECOND)]);
    expect(await clock.drive(lists)).toMatchObject([
      { kind: "list", rows: [{ id: 1 }] },
      { kind: "list", rows: [{ id: 2 }] },
    ]);
    expect(second.reads()).toEqual([]);
    await end();
  });

  test("reads a label again when it is due, and hardly calls while nothing is", async () => {
    const { clock, pod, end } = fleet();
    const { run, source, journal } = pod("one", LABEL, { rows });
    void run();
    await clock.drive(source.fresh(10 * SECOND));
    const before = journal.length;
    await clock.drive(source.look(5 * MINUTE));
    await clock.advance(65 * SECOND);
    expect(journal.slice(before)).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(/^count/)));
    await clock.drive(source.look(30 * SECOND));
    await clock.advance(2 * SECOND);
    expect(await clock.drive(source.look(5 * MINUTE))).toMatchObject({ kind: "list", listedAt: expect.any(Number) });
    expect(journal.slice(before).filter((entry) => entry.startsWith("list"))).toHaveLength(1);
    await end();
  });

  test("is followed by another pod within 15 s when it is killed, and what it publishes late has no effect", async () => {
    const { clock, pod, end } = fleet();
    const killed = pod("one", LABEL);
    await clock.drive(killed.snapshot.lead("one", 25, false));
    const second = pod("two", OTHER, { rows });
    await clock.drive(second.source.look(SECOND));
    void second.run();
    await clock.advance(LEAD_MS - SECOND);
    expect(leads(second.lines)).toEqual([]);
    await clock.advance(5 * SECOND);
    expect(leads(second.lines)).toEqual([LEADS]);
    const late = new Map([[OTHER, { askedAt: NOW, rows: [] }]]);
    expect(await clock.drive(killed.snapshot.publish("one", late, null))).toBe(false);
    expect(await clock.drive(second.source.look(5 * MINUTE))).toMatchObject({ kind: "list", rows: [{ id: 2 }] });
    await end();
  });

  test("is asked for by another pod only when that pod has not seen it for 10 s, or at once when it sees that nobody leads", async () => {
    const { clock, redis, pod, end } = fleet();
    const [first, second] = [pod("one", LABEL, { rows }), pod("two", OTHER, { rows })];
    void first.run();
    await clock.advance(2 * SECOND);
    await clock.drive(second.source.look(MINUTE));
    void second.run();
    const before = redis.operations();
    first.stop.abort();
    await clock.advance(8 * SECOND);
    expect(redis.operations() - before).toBeLessThan(3); // the first pod ends its reading and resigns
    expect(leads(second.lines)).toEqual([]);
    await clock.drive(second.source.look(MINUTE));
    await clock.advance(0);
    expect(leads(second.lines)).toHaveLength(1);
    await end();
  });

  test("lets another pod lead at once when it is stopped", async () => {
    const { clock, pod, end } = fleet();
    const [first, second] = [pod("one", LABEL, { rows }), pod("two", OTHER, { rows })];
    const over = first.run();
    await clock.advance(2 * SECOND);
    first.stop.abort();
    await clock.drive(over);
    void second.run();
    await clock.advance(2 * SECOND);
    expect(leads(second.lines)).toHaveLength(1);
    await end();
  });

  test("lets another pod try when it cannot read for 6 s, and says why the list is unknown", async () => {
    const { clock, pod, end } = fleet();
    const failing = { ...client404() };
    const [first, second] = [pod("one", LABEL, failing), pod("two", OTHER, { rows })];
    void first.run();
    const list = await clock.drive(first.source.fresh(5 * SECOND));
    expect(list).toMatchObject({
      kind: "failed",
      why: { account: "auth", message: expect.stringContaining("it said so") },
    });
    for (let i = 0; i < 12; i += 1) {
      await clock.advance(SECOND);
      await clock.drive(first.source.look(SECOND));
    }
    expect(leads(first.lines)).toContainEqual(expect.stringMatching(/cannot read the instance list/));
    void second.run();
    await clock.advance(2 * SECOND);
    expect(leads(second.lines)).toHaveLength(1);
    expect(await clock.drive(first.source.fresh(5 * SECOND))).toMatchObject({ kind: "list", rows: [{ id: 1 }] });
    await end();
  });

  test("is said once when no pod can read the list, and its cause stays known while each tries in turn", async () => {
    const { clock, pod, end } = fleet();
    const pods = [pod("one", LABEL, client404()), pod("two", OTHER, client404())];
    for (const one of pods) {
      one.swallowCalls(4 * SECOND); // a call is under way whenever a pod gives up
      void one.run();
    }
    await clock.drive(Promise.all(pods.map(({ source }) => source.fresh(10 * SECOND))));
    for (let i = 0; i < 120; i += 1) {
      await clock.advance(SECOND);
      const seen = await clock.drive(Promise.all(pods.map(({ source }) => source.look(SECOND))));
      for (const list of seen) expect(list).toMatchObject({ kind: "failed", why: { account: "auth" } });
    }
    const fleetLines = pods.flatMap(({ lines }) => lines.filter(({ event }) => event === "fleet"));
    const said = fleetLines.filter(({ level }) => level !== "debug").map(({ msg }) => msg);
    expect(said).toEqual([LEADS, expect.stringMatching(/cannot read the instance list/)]);
    const tried = fleetLines.filter(({ msg }) => msg === LEADS);
    expect(tried.length).toBeGreaterThan(5);
    await end();
  });

  test("reads label by label when a page cannot be read twice, so that the damaged one concerns its own pod only", async () => {
    const { clock, pod, end } = fleet();
    const damaged = vastError("malformed");
    const { run, source, snapshot } = pod("one", LABEL, {
      rows: () => [row({ id: 1, label: LABEL })],
      onList: (labels) => {
        if (labels.includes(OTHER)) throw damaged;
      },
    });
    const other = createListSource({ snapshot: () => snapshot, clock, label: OTHER });
    void run();
    const both = () => clock.drive(Promise.all([source, other].map((one) => one.fresh(10 * SECOND))));
    expect(await both()).toMatchObject([{ kind: "failed" }, { kind: "failed" }]);
    expect(await both()).toMatchObject([{ kind: "failed" }, { kind: "failed" }]);
    expect(await both()).toMatchObject([
      { kind: "list", rows: [{ id: 1 }] },
      { kind: "failed", why: { message: damaged.message } },
    ]);
    await end();
  });

  test("lets another pod try when its calls are swallowed, well before their deadline", async () => {
    const { clock, pod, end } = fleet();
    const [cutOff, second] = [pod("one", LABEL, { rows }), pod("two", OTHER, { rows })];
    cutOff.swallowCalls(20 * SECOND);
    void cutOff.run();
    await clock.drive(cutOff.source.look(SECOND));
    await clock.drive(second.source.look(SECOND));
    void second.run();
    await clock.advance(12 * SECOND);
    expect(leads(cutOff.lines)).toEqual([LEADS, expect.stringMatching(/cannot read the instance list/)]);
    expect(leads(second.lines)).toEqual([LEADS]);
    expect(await clock.drive(cutOff.source.fresh(5 * SECOND))).toMatchObject({ kind: "list", rows: [{ id: 1 }] });
    await end();
  });

  test("waits for the answers of an API that is slow for everybody", async () => {
    const { clock, pod, end } = fleet();
    const [first, second] = [pod("one", LABEL, { rows }), pod("two", OTHER, { rows })];
    for (const one of [first, second]) {
      one.swallowCalls(15 * SECOND);
      void one.run();
    }
    const lists = Promise.all([first.source.fresh(40 * SECOND), second.source.fresh(40 * SECOND)]);
    await clock.advance(40 * SECOND);
    expect(await clock.drive(lists)).not.toContainEqual(expect.objectContaining({ kind: "none" }));
    expect(await clock.drive(second.source.look(SECOND))).toMatchObject({ kind: "list", rows: [{ id: 2 }] });
    await clock.advance(MINUTE);
    const led = [...leads(first.lines), ...leads(second.lines)].filter((text) => text.includes("cannot read"));
    expect(led).toHaveLength(1);
    await end();
  });

  test("does not call while its calls would have to wait for the rate limit", async () => {
    const { clock, redis } = fleet();
    const journal: Journal = [];
    const snapshot = createSnapshot(redis.connect(clock.sleep), fleetKeys(1));
    const stop = new AbortController();
    const parts = { client: fakeClient(journal), snapshot: () => snapshot, clock, log: fakeLog().log, token: "one" };
    const waits = { leaderKnownForMs: () => 0, noLeader: new WakeSignal(), listAvailableAt: () => NOW + MINUTE };
    const loop = runLeading({ ...parts, ...waits }, stop.signal);
    await clock.drive(snapshot.look(LABEL, SECOND, 0));
    await clock.advance(59 * SECOND);
    expect(journal).toEqual([]);
    await clock.advance(2 * SECOND);
    expect(journal).not.toEqual([]);
    stop.abort();
    await clock.drive(loop);
  });

  test("does nothing while Redis is away, and leads again after a flush", async () => {
    const { clock, redis, pod, end } = fleet();
    const { run, source, lines } = pod("one", LABEL, { rows });
    void run();
    await clock.drive(source.fresh(10 * SECOND));
    redis.flush();
    expect(await clock.drive(source.fresh(10 * SECOND))).toMatchObject({ kind: "list", rows: [{ id: 1 }] });
    redis.away = true;
    await clock.advance(30 * SECOND);
    redis.away = false;
    await clock.advance(10 * SECOND);
    expect(await clock.drive(source.fresh(10 * SECOND))).toMatchObject({ kind: "list" });
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
    await end();
  });

  test("reports a defect and continues", async () => {
    const { clock, pod, end } = fleet();
    let broken = true;
    const { run, source, lines } = pod("one", LABEL, {
      rows: () => {
        if (broken) throw new TypeError("a defect");
        return rows();
      },
    });
    void run();
    const list = source.fresh(20 * SECOND);
    await clock.advance(3 * SECOND);
    broken = false;
    expect(await clock.drive(list)).toMatchObject({ kind: "list", rows: [{ id: 1 }] });
    expect(lines.filter(({ event }) => event === "internal_error")).toHaveLength(1);
    await end();
  });
});

/** A client whose key the API refuses. */
function client404(): ClientScript {
  return {
    rows: () => {
      throw vastError("auth", { status: 404 });
    },
  };
}
