import { describe, expect, test } from "vitest";
import { WakeSignal } from "../../../../common/loop.ts";
import type { ListSource, SharedList } from "../../../../provisioner/fleet/list-source.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import { createFleetLists } from "../../../../provisioner/observe/fleet-lists.ts";
import type { Listed, ListReader } from "../../../../provisioner/observe/list-reader.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import type { Journal } from "../fakes.ts";
import { HOUR, MINUTE, NOW, row, SECOND, unknown } from "../plan/situation.ts";

interface Script {
  /** What the shared list is; throws when Redis is away. */
  shared?: () => SharedList;
  leader?: () => boolean;
  startingSeconds?: number;
  unknownSeconds?: number;
}

function fleetLists(script: Script = {}) {
  const clock = fakeClock(NOW);
  const journal: Journal = [];
  let setMs = -SECOND;
  const shared = script.shared ?? (() => ({ kind: "none" as const }));
  const source: ListSource = {
    async look(periodMs) {
      journal.push(`look ${periodMs / SECOND}`);
      return shared();
    },
    async fresh() {
      journal.push("fresh");
      return shared();
    },
    leaderKnownForMs: () => ((script.leader?.() ?? true) ? SECOND : 0),
    lookEveryMs(urgency) {
      if (urgency === "ready") return 15 * SECOND;
      return ((urgency === "unknown" ? script.unknownSeconds : script.startingSeconds) ?? 0) * SECOND;
    },
    pods: () => 1,
    noLeader: new WakeSignal(),
  };
  const ownList: Listed = { listedAt: NOW + HOUR, list: known([row({ id: 9 })]) };
  const own: ListReader = {
    begin: async () => undefined,
    async next() {
      journal.push("own");
      return { ...ownList, listedAt: clock.now() };
    },
    async again() {
      journal.push("own again");
      return { ...ownList, listedAt: clock.now() };
    },
    wakeAt: () => NOW + 123,
    templateIsNeeded: () => false,
  };
  const lists = createFleetLists({
    source,
    own,
    clock: { ...clock, now: () => clock.now() + setMs },
  });
  setMs = 0; // a second after the process began
  return {
    clock,
    journal,
    lists,
    setClock: (ms: number) => {
      setMs = ms;
    },
  };
}

// All lists of a test are from after the process began.
const SINCE = NOW - 500;

const listed = (listedAt: number, rows = [row()]): Listed => ({ listedAt, list: known(rows) });
const fromLeader = (...list: Parameters<typeof listed>): Listed => ({ ...listed(...list), shared: true });
const shared = (listedAt: number, rows = [row()]): SharedList => ({ kind: "list", listedAt, rows });

describe("with a leader", () => {
  test("a list of it is taken once, and wanted seldom while all is well and soon otherwise", async () => {
    let at = SINCE + 1;
    const { lists, journal, clock } = fleetLists({ shared: () => shared(at) });
    expect([lists.templateIsNeeded(), lists.wakeAt(null, "starting", NOW + MINUTE)]).toEqual([true, NOW + MINUTE]);
    expect(await lists.next(null, "starting")).toEqual(fromLeader(SINCE + 1));
    await clock.advance(15 * SECOND);
    expect(await lists.next(listed(SINCE + 1), "ready")).toBeNull();
    at = SINCE + 2;
    expect(await lists.next(listed(SINCE + 1), "starting")).toEqual(fromLeader(SINCE + 2));
    await clock.advance(15 * SECOND);
    await lists.next(listed(SINCE + 2), "starting");
    await lists.next(listed(SINCE + 2), "now");
    await lists.again(listed(SINCE + 2), "ready");
    expect(journal).toEqual(["fresh", "look 300", "look 2", "look 15", "fresh", "fresh"]);
  });

  test("while all is well it is looked at every 15 s, else every 4 s, and at once where something does not answer or is to be changed", async () => {
    const { lists, journal, clock } = fleetLists({ shared: () => shared(SINCE + 1), startingSeconds: 4 });
    const last = await lists.next(null, "starting");
    const looks = async (...call: Parameters<typeof lists.next>) => {
      const before = journal.length;
      await lists.next(...call);
      return journal.length > before;
    };
    await clock.advance(14 * SECOND);
    expect(await looks(last, "ready")).toBe(false);
    await clock.advance(SECOND);
    expect(await looks(last, "ready")).toBe(true);
    expect(await looks(last, "ready")).toBe(false);
    await clock.advance(4 * SECOND);
    expect(await looks(last, "starting")).toBe(true);
    expect(await looks(last, "starting")).toBe(false);
    expect(await looks(last, "now")).toBe(true);
    expect(await looks({ listedAt: SINCE, list: unknown() }, "ready")).toBe(true);
    await lists.again(listed(SINCE + 1), "ready");
    expect(journal.at(-1)).toBe("fresh");
  });

  test("while it is unknown it is looked at less often in a large fleet, but at once where something is to be changed", async () => {
    const { lists, journal, clock } = fleetLists({ shared: () => shared(SINCE + 1), unknownSeconds: 10 });
    const last: Listed = { listedAt: SINCE, list: unknown() };
    await lists.next(null, "starting");
    const before = journal.length;
    await clock.advance(9 * SECOND);
    expect(await lists.next(last, "starting")).toBeNull();
    expect(journal.length).toBe(before);
    await lists.next(last, "now");
    expect(journal.length).toBe(before + 1);
    await clock.advance(10 * SECOND);
    await lists.next(last, "starting");
    expect(journal.length).toBe(before + 2);
  });

  test("a list from before this process began, or before an own one, is no news", async () => {
    let at = NOW - SECOND;
    const { lists } = fleetLists({ shared: () => shared(at) });
    expect(await lists.next(null, "starting")).toMatchObject({ list: { known: false } });
    at = SINCE + 5;
    const last = fromLeader(SINCE + 5);
    expect(await lists.next({ listedAt: SINCE, list: unknown() }, "starting")).toEqual(last);
    at = SINCE + 4;
    expect(await lists.next(last, "starting")).toBeNull();
  });

  test("new lists count after the clock was set back", async () => {
    let at = SINCE + 1;
    const { lists, setClock } = fleetLists({ shared: () => shared(at) });
    await lists.next(null, "starting");
    setClock(-HOUR);
    at = NOW - HOUR;
    expect(await lists.next(listed(SINCE + 1), "starting")).toBeNull();
    setClock(-HOUR + SECOND);
    at = NOW - HOUR + SECOND;
    expect(await lists.next(listed(SINCE + 1), "starting")).toEqual(fromLeader(at));
  });

  test("what it could not read is unknown, with its reason, until it has read it", async () => {
    const why = { message: "HTTP 404", account: "auth" } as const;
    let seen: SharedList = { kind: "failed", listedAt: SINCE + 3, why };
    const { lists } = fleetLists({ shared: () => seen });
    const failed = await lists.next(listed(SINCE + 1), "starting");
    expect(failed).toEqual({ listedAt: SINCE + 3, apiFailed: true, list: { known: false, why } });
    expect(await lists.next(failed, "starting")).toBeNull();
    seen = { kind: "none" };
    expect(await lists.next(failed, "starting")).toBeNull();
    expect(await lists.next(listed(SINCE + 1), "starting")).toMatchObject({
      list: { known: false, why: { message: "no pod has read it lately" } },
    });
    seen = shared(SINCE + 4);
    expect(await lists.next(failed, "starting")).toEqual(fromLeader(SINCE + 4));
  });
});

describe("without a leader", () => {
  test.each<[string, Script, RegExp]>([
    ["Redis is away", { shared: failing }, /Redis is unreachable/],
    ["no pod leads", { leader: () => false }, /no pod reads it yet/],
  ])("because %s, the last list counts for some seconds, and then the pod reads its own", async (_, script, why) => {
    const { lists, journal, clock } = fleetLists(script);
    expect(await lists.next(null, "starting")).toMatchObject({
      list: { known: false, why: { message: expect.stringMatching(why) } },
    });
    expect(await lists.next(listed(NOW), "now")).toBeNull();
    await clock.advance(10 * SECOND);
    expect(await lists.again(listed(NOW), "ready")).toBeNull();
    expect(lists.wakeAt(null, "starting", NOW + MINUTE)).toBe(NOW + MINUTE);
    await clock.advance(SECOND);
    expect(await lists.next(listed(NOW), "starting")).toMatchObject({ list: known([row({ id: 9 })]) });
    expect(await lists.again(listed(NOW), "ready")).toMatchObject({ list: known([row({ id: 9 })]) });
    expect(journal.filter((entry) => entry.startsWith("own"))).toEqual(["own", "own again"]);
    expect(lists.wakeAt(null, "starting", NOW + MINUTE)).toBe(NOW + 123);
  });

  test("a pod for which all is well looks in each pass, until there is one", async () => {
    let leader = false;
    const { lists, journal } = fleetLists({ leader: () => leader, shared: () => shared(SINCE + 1) });
    const last = listed(SINCE + 1);
    await lists.next(last, "starting");
    await lists.next(last, "ready");
    leader = true;
    await lists.next(last, "ready");
    await lists.next(last, "ready");
    expect(journal).toHaveLength(3);
  });

  test("the shared list is used again when there is a leader, unless an own one is newer", async () => {
    let leader = false;
    let at = SINCE + 1;
    const { lists, journal, clock } = fleetLists({ leader: () => leader, shared: () => shared(at) });
    await lists.next(null, "starting");
    await clock.advance(11 * SECOND);
    const own = await lists.next(null, "starting");
    leader = true;
    expect(await lists.next(own, "starting")).toBeNull();
    at = clock.now() + 1;
    expect(await lists.next(own, "starting")).toEqual(fromLeader(at));
    expect(journal.filter((entry) => entry === "own")).toHaveLength(1);
  });
});

function failing(): never {
  throw new Error("Command timed out");
}
