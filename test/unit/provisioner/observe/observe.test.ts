import { describe, expect, test } from "vitest";
import { known, type Published } from "../../../../provisioner/model/observation.ts";
import type { Listed, ListReader } from "../../../../provisioner/observe/list-reader.ts";
import type { Urgency } from "../../../../provisioner/observe/list-schedule.ts";
import { createObserver } from "../../../../provisioner/observe/observe.ts";
import { createOwnLists } from "../../../../provisioner/observe/own-lists.ts";
import { pollSlotOf } from "../../../../provisioner/observe/poll-schedule.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { type ClientScript, fakeBans, fakeClient, type Journal, ownReadings, vastError } from "../fakes.ts";
import {
  atOnce,
  desired,
  endpoint,
  failing,
  HOUR,
  MINUTE,
  NOW,
  nothingPublished,
  passing,
  published,
  row,
  SECOND,
  servingTrack,
  state,
  template,
} from "../plan/situation.ts";

const ID = 7835610;
const serving = state({ tracks: { [ID]: servingTrack() } });

interface Script extends ClientScript {
  answers?: () => boolean;
  pod?: string;
  allowLocal?: boolean;
  fresh?: boolean;
  availableAt?: () => number;
  lists?: Partial<ListReader>;
}

function observer(script: Script = {}) {
  const journal: Journal = [];
  const clock = fakeClock(NOW);
  let back = 0;
  const client = fakeClient(journal, { rows: () => [row()], ...script });
  const random = () => 0.5;
  const slot = pollSlotOf(script.pod ?? "vast-pod-0");
  const settableClock = { ...clock, now: () => clock.now() - back };
  const lists = createOwnLists({
    client,
    clock: settableClock,
    random,
    desired,
    slot,
    own: null,
    fresh: script.fresh ?? false,
    firstCreateWaitMs: 10 * SECOND,
    listAvailableAt: () => script.availableAt?.() ?? 0,
    blockCreateUntil: (until) => void journal.push(`block creates until +${until - NOW}`),
  });
  const observer = createObserver({
    readings: ownReadings(client, settableClock),
    bans: {
      ...fakeBans(journal),
      bans: async () => {
        journal.push("bans");
        return known([]);
      },
      counters: async (ids) => new Map(ids.map((id) => [id, COUNTERS])),
    },
    probe: async (endpoint) => {
      journal.push(`probe ${endpoint.port}`);
      return (script.answers?.() ?? true) ? passing(endpoint) : failing(endpoint);
    },
    clock: settableClock,
    random,
    desired,
    allowLocal: script.allowLocal ?? false,
    slot,
    own: null,
    lists: { ...lists, ...script.lists },
  });
  return {
    journal,
    clock,
    setBack: (ms: number) => {
      back = ms;
    },
    wakeAt: observer.wakeAt,
    observe: (m: State = serving, p: Published = nothingPublished, urgency: Urgency = "ready", began?: number) =>
      clock.drive(observer.observe(m, p, urgency, undefined, began)),
  };
}
const COUNTERS = { waitingSince: null, restarts: 0 };
const count = (journal: Journal, entry: string) => journal.filter((e) => e === entry).length;
const fails = (error: Error) => () => {
  throw error;
};

describe("an observation", () => {
  test("knows list, template, bans and probes", async () => {
    const { observe } = observer();
    expect(await observe()).toEqual({
      listedAt: NOW,
      list: known([row()]),
      template: known(template),
      templateAt: NOW,
      bans: known([]),
      counters: new Map([[ID, COUNTERS]]),
      instances: [
        { row: row(), endpoint: { found: true, endpoint }, probe: { ...passing(), ...atOnce(expect.any(Number)) } },
      ],
      publishedProbe: null,
    });
  });

  test("has the bans anew where there is an instance, or a create may follow from its list", async () => {
    const shared = (rows: Instance[], ageMs: number): Listed => {
      return { listedAt: NOW + readAt - ageMs, list: known(rows), shared: true };
    };
    let readAt = 0;
    let next: Listed = shared([], 0);
    const { observe, clock, journal } = observer({ lists: { next: async () => next } });
    const read = async (rows: Instance[], ageMs: number, urgency: Urgency = "ready", afterMs = MINUTE) => {
      await clock.advance(afterMs);
      readAt += afterMs;
      next = shared(rows, ageMs);
      const before = count(journal, "bans");
      await observe(state(), nothingPublished, urgency, clock.now() - 5 * SECOND);
      return count(journal, "bans") - before;
    };
    expect(await read([], 10 * SECOND)).toBe(1); // the first
    expect(await read([], 10 * SECOND)).toBe(0);
    expect(await read([], SECOND)).toBe(1);
    expect(await read([row()], 10 * SECOND)).toBe(1);
    // While all is well another list of the same instance is no reason.
    expect(await read([row()], 10 * SECOND, "ready", 10 * SECOND)).toBe(0);
    expect(await read([row()], 10 * SECOND, "starting", 10 * SECOND)).toBe(1);
    expect(await read([row(), row({ id: 9 })], 10 * SECOND, "ready", 10 * SECOND)).toBe(1);
    expect(await read([row(), row({ id: 9 })], 10 * SECOND)).toBe(1);
  });

  test("by a list that another pod has read says so, as long as that list counts", async () => {
    const list = known([row()]);
    const lists: (Listed | null)[] = [{ listedAt: NOW, list, shared: true }, null, { listedAt: NOW + 1, list }];
    const { observe } = observer({ lists: { next: async () => lists.shift() ?? null } });
    expect(await observe()).toMatchObject({ listedAt: NOW, shared: true });
    expect(await observe()).toMatchObject({ listedAt: NOW, shared: true });
    expect(await observe()).not.toHaveProperty("shared");
  });

  test("is unknown after an error, with the account problem", async () => {
    const seen = await observer({ rows: fails(vastError("auth", { status: 404 })) }).observe();
    expect(seen.list).toEqual({ known: false, why: { message: expect.stringContaining("404"), account: "auth" } });
    const away = await observer({ template: fails(vastError("unavailable", { status: 502 })) }).observe();
    expect(away.template).toMatchObject({ known: false, why: { account: null } });
  });

  test("does not hide an internal error as unknown", async () => {
    await expect(observer({ rows: fails(new TypeError("a defect")) }).observe()).rejects.toThrow(TypeError);
  });

  test("probes what is published while the list is unknown", async () => {
    const { observe, journal } = observer({ rows: fails(vastError("unavailable")) });
    expect((await observe(serving, published())).publishedProbe).toEqual({
      instanceId: ID,
      probe: { ...passing(), ...atOnce(expect.any(Number)) },
    });
    expect(count(journal, "probe 41234")).toBe(1);
  });

  test("does not probe an instance that is being destroyed", async () => {
    const { observe, journal } = observer();
    await observe(state({ pendingDeletes: [{ id: ID, reason: "duplicate", since: NOW, deleteSentAt: NOW }] }));
    expect(count(journal, "probe 41234")).toBe(0);
  });

  test("reads the account's credit only when an instance was stopped", async () => {
    const { observe, journal } = observer();
    expect((await observe()).credit).toBeUndefined();
    expect(journal).not.toContain("credit");
    for (const over of [{ actualStatus: "stopped" }, { intendedStatus: "stopped" }, { curState: "stopped" }]) {
      const stopped = observer({ rows: () => [row(over)], credit: () => -0.04 });
      expect((await stopped.observe()).credit).toEqual(known(-0.04));
    }
    const away = observer({ rows: () => [row({ curState: "stopped" })], credit: fails(vastError("unavailable")) });
    expect((await away.observe()).credit).toMatchObject({ known: false, why: { account: null } });
  });

  test("does not read the credit because of an instance that is being destroyed", async () => {
    const { observe, journal } = observer({ rows: () => [row({ curState: "stopped" })] });
    await observe(state({ pendingDeletes: [{ id: ID, reason: "duplicate", since: NOW, deleteSentAt: NOW }] }));
    expect(journal).not.toContain("credit");
  });

  test("does not probe an address of this machine unless that is allowed, and says why", async () => {
    const rows = () => [row({ address: "127.0.0.1" })];
    const refused = observer({ rows });
    const [seen] = (await refused.observe(state())).instances;
    expect(seen).toMatchObject({ probe: null, endpoint: { found: false, ours: false } });
    expect(seen?.endpoint).toMatchObject({ why: expect.stringContaining("UPSTREAM_ALLOW_LOCAL=true") });
    expect(refused.journal.filter((entry) => entry.startsWith("probe"))).toEqual([]);
    const [allowed] = (await observer({ rows, allowLocal: true }).observe(state())).instances;
    expect(allowed?.endpoint).toMatchObject({ found: true, endpoint: { host: "127.0.0.1" } });
  });

  test("does not probe an instance without an endpoint", async () => {
    const { observe, journal } = observer({ rows: () => [row({ ports: null, directPortStart: null })] });
    await observe(state());
    expect(journal.join()).not.toContain("probe");
  });
});

describe("how often the API is called", () => {
  test("lists twice a minute while everything answers, and probes each time", async () => {
    const { observe, journal, clock } = observer();
    for (let i = 0; i < 24; i += 1) {
      await observe();
      await clock.advance(5 * SECOND);
    }
    expect(count(journal, "list")).toBe(4);
    expect(count(journal, "probe 41234")).toBe(24);
  });

  test("lists immediately when a probe fails", async () => {
    let answers = true;
    const { observe, journal } = observer({ answers: () => answers });
    await observe();
    answers = false;
    const seen = await observe();
    expect(count(journal, "list")).toBe(2);
    expect(seen.instances[0]?.probe?.ok).toBe(false);
  });

  test("lists immediately when an instance has moved, and probes its new endpoint in the same pass", async () => {
    let at = 41234;
    const { observe, journal } = observer({
      rows: () => [row({ ports: { "8000/tcp": at } })],
      answers: () => at === 41234,
    });
    await observe();
    at = 50000;
    const seen = await observe();
    expect(journal.filter((entry) => entry.startsWith("probe"))).toEqual(["probe 41234", "probe 41234", "probe 50000"]);
    expect(seen.instances[0]?.probe?.endpoint.port).toBe(50000);
  });

  test("lists every two or three seconds while something comes up, and probes each time", async () => {
    const { observe, journal, clock } = observer({ answers: () => false });
    for (let i = 0; i < 60; i += 1) {
      await observe(serving, nothingPublished, "starting");
      await clock.advance(SECOND);
    }
    expect(count(journal, "list")).toBeGreaterThanOrEqual(20);
    expect(count(journal, "probe 41234")).toBe(60);
  });

  test("lists immediately before a change", async () => {
    const { observe, journal } = observer();
    await observe();
    await observe(serving, nothingPublished, "now");
    expect(count(journal, "list")).toBe(2);
  });

  test("only probes before a change when the API asked for a longer wait", async () => {
    let availableAt = 0;
    const { observe, journal } = observer({ availableAt: () => availableAt });
    const first = await observe();
    availableAt = NOW + 11 * SECOND;
    expect((await observe(serving, nothingPublished, "now")).listedAt).toBe(first.listedAt);
    expect([count(journal, "list"), count(journal, "probe 41234")]).toEqual([1, 2]);
    availableAt = NOW + 10 * SECOND;
    await observe(serving, nothingPublished, "now");
    expect(count(journal, "list")).toBe(2);
  });

  test("does not list after an unknown list before the rate limit allows it, but probes the published server", async () => {
    const { observe, journal } = observer({ rows: fails(vastError("unavailable")), availableAt: () => NOW + MINUTE });
    await observe(serving, published(), "starting");
    const seen = await observe(serving, published(), "starting");
    expect(count(journal, "list")).toBe(1);
    expect(count(journal, "probe 41234")).toBe(2);
    expect(seen.list.known).toBe(false);
  });

  test("lists each pod of an account in its own slot", async () => {
    const instants = new Set<number>();
    for (let i = 0; i < 10; i += 1) {
      const { observe, clock, wakeAt } = observer({ pod: `vast-pod-${i}` });
      await observe();
      await clock.advance(wakeAt("ready", NOW + 10 * MINUTE) - NOW);
      instants.add(clock.now() % 17_000);
    }
    expect(instants.size).toBe(10);
  });

  test("reads list and template immediately when the clock was set back", async () => {
    const { observe, journal, setBack } = observer();
    await observe();
    setBack(HOUR);
    expect((await observe()).listedAt).toBeLessThanOrEqual(NOW - HOUR + MINUTE);
    expect([count(journal, "list"), count(journal, "template")]).toEqual([2, 2]);
    const refused = observer({ rows: () => rowsThen() });
    let lists = 0;
    const rowsThen = () => {
      lists += 1;
      if (lists > 1) throw vastError("rate_limited");
      return [row()];
    };
    await refused.observe();
    refused.setBack(HOUR);
    expect((await refused.observe()).list.known).toBe(false);
  });

  test("keeps the time at which an old list was requested", async () => {
    const { observe, clock } = observer();
    await observe();
    await clock.advance(5 * SECOND);
    expect((await observe()).listedAt).toBe(NOW);
  });

  test("reads the template again within a minute, and sooner after a failure", async () => {
    const { observe, journal, clock } = observer();
    await observe();
    await clock.advance(MINUTE);
    await observe();
    expect(count(journal, "template")).toBe(2);
    const away = observer({ template: fails(vastError("unavailable")) });
    await away.observe();
    await away.clock.advance(10 * SECOND);
    await away.observe();
    expect(count(away.journal, "template")).toBe(2);
  });
});

describe("a rate-limited read", () => {
  const tooFrequent = vastError("rate_limited", { status: 429 });

  test("keeps a known list for two minutes, with its old time", async () => {
    let refused = false;
    const rows = () => (refused ? fails(tooFrequent)() : [row()]);
    const { observe, clock } = observer({ rows });
    await observe();
    refused = true;
    await clock.advance(MINUTE);
    expect(await observe()).toMatchObject({ listedAt: NOW, list: known([row()]) });
    await clock.advance(MINUTE);
    expect((await observe()).list.known).toBe(false);
  });

  test("keeps a known template", async () => {
    let refused = false;
    const { observe, clock } = observer({ template: () => (refused ? fails(tooFrequent)() : template) });
    await observe();
    refused = true;
    await clock.advance(MINUTE);
    expect((await observe()).template).toEqual(known(template));
  });

  test("makes the list less frequent, down to once per round; answered calls make it more frequent again", async () => {
    let refused = true;
    const { observe, journal, clock } = observer({ rows: () => (refused ? fails(tooFrequent)() : [row()]) });
    const inAMinute = async () => {
      journal.length = 0;
      for (let i = 0; i < 60; i += 1) {
        await observe(serving, nothingPublished, "starting");
        await clock.advance(SECOND);
      }
      return count(journal, "list");
    };
    expect(await inAMinute()).toBeLessThan(9);
    expect(await inAMinute()).toBeLessThan(5);
    refused = false;
    expect(await inAMinute()).toBeLessThan(5); // not at once
    const later: number[] = [];
    for (let i = 0; i < 60; i += 1) later.push(await inAMinute());
    expect(later.at(-1)).toBeGreaterThanOrEqual(20);
  });
});

describe("a pod that has never run here", () => {
  test("reads the template and creates in its create slot, at least 10 s after the first empty list", async () => {
    const { observe, journal, clock, wakeAt } = observer({ pod: "vast-pod-3", fresh: true, rows: () => [] });
    const first = await observe(state(), nothingPublished, "starting");
    expect(first.template.known).toBe(false);
    await clock.advance(5 * SECOND);
    await observe(state(), nothingPublished, "starting");
    expect(journal.filter((entry) => entry === "list" || entry === "template")).toEqual(["list"]);
    const slotAt = wakeAt("starting", NOW + HOUR);
    expect(slotAt - first.listedAt).toBeGreaterThanOrEqual(10 * SECOND);
    await clock.advance(slotAt - clock.now());
    expect((await observe(state(), nothingPublished, "starting")).template.known).toBe(true);
    expect(journal.filter((entry) => entry !== "bans")).toEqual([
      "list",
      "list",
      `block creates until +${slotAt + 2000 - NOW}`,
      "template",
    ]);
  });

  test("does not wait for a create slot as the first pod of its set", async () => {
    const { observe, clock, wakeAt } = observer({ fresh: true, rows: () => [] });
    const { listedAt } = await observe(state(), nothingPublished, "starting");
    expect(listedAt - NOW).toBeLessThan(2.2 * SECOND);
    expect(wakeAt("starting", clock.now() + HOUR) - listedAt).toBeLessThan(12.2 * SECOND);
  });

  test("waits for its create slot also as the first pod of its set after a refusal shows that there are others", async () => {
    let calls = 0;
    const rows = () => {
      calls += 1;
      return calls === 1 ? fails(vastError("rate_limited"))() : [];
    };
    const { observe, clock, wakeAt } = observer({ fresh: true, rows });
    await observe(state(), nothingPublished, "starting");
    await clock.advance(wakeAt("starting", clock.now() + HOUR) - clock.now());
    const { listedAt, list } = await observe(state(), nothingPublished, "starting");
    expect(list.known).toBe(true);
    expect(wakeAt("starting", clock.now() + HOUR) % 51_000).toBe(0);
    expect(wakeAt("starting", clock.now() + HOUR) - listedAt).toBeGreaterThanOrEqual(10 * SECOND);
  });

  test("does not wait for a create slot when it finds its instance", async () => {
    const { observe, clock, wakeAt } = observer({ pod: "vast-pod-3", fresh: true });
    const seen = await observe(state(), nothingPublished, "starting");
    expect(seen.template.known).toBe(true);
    expect(wakeAt("starting", clock.now() + SECOND) - clock.now()).toBeLessThanOrEqual(SECOND);
  });
});
