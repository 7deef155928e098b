import { describe, expect, test } from "vitest";
import { known, type Published } from "../../../../provisioner/model/observation.ts";
import type { Urgency } from "../../../../provisioner/observe/list-schedule.ts";
import { createObserver } from "../../../../provisioner/observe/observe.ts";
import { pollSlotOf } from "../../../../provisioner/observe/poll-schedule.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { type ClientScript, fakeBans, fakeClient, type Journal, vastError } from "../fakes.ts";
import {
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
  fresh?: boolean;
  opensAt?: () => number;
}

function observer(script: Script = {}) {
  const journal: Journal = [];
  const clock = fakeClock(NOW);
  let back = 0;
  const observed = createObserver({
    client: fakeClient(journal, { rows: () => [row()], ...script }),
    bans: fakeBans(journal),
    probe: async (endpoint) => {
      journal.push(`probe ${endpoint.port}`);
      return (script.answers?.() ?? true) ? passing(endpoint) : failing(endpoint);
    },
    clock: { ...clock, now: () => clock.now() - back },
    random: () => 0.5,
    desired,
    slot: pollSlotOf(script.pod ?? "vast-pod-0"),
    fresh: script.fresh ?? false,
    firstCreateWaitMs: 10 * SECOND,
    listAvailableAt: () => script.opensAt?.() ?? 0,
    blockCreateUntil: (until) => void journal.push(`hold ${until - NOW}`),
  });
  return {
    journal,
    clock,
    setBack: (ms: number) => {
      back = ms;
    },
    wakeAt: observed.wakeAt,
    look: (m: State = serving, p: Published = nothingPublished, urgency: Urgency = "ready") =>
      clock.drive(observed.observe(m, p, urgency)),
  };
}
const count = (journal: Journal, entry: string) => journal.filter((e) => e === entry).length;
const fails = (error: Error) => () => {
  throw error;
};

describe("a look at the world", () => {
  test("knows list, template, bans and probes", async () => {
    const { look } = observer();
    expect(await look()).toEqual({
      listedAt: NOW,
      list: known([row()]),
      template: known(template),
      templateAt: NOW,
      bans: known([]),
      counters: new Map(),
      instances: [{ row: row(), endpoint: { found: true, endpoint }, probe: passing() }],
      publishedProbe: null,
    });
  });

  test("takes an error for unknown, with the account's trouble", async () => {
    const seen = await observer({ rows: fails(vastError("auth", { status: 404 })) }).look();
    expect(seen.list).toEqual({ known: false, why: { message: expect.stringContaining("404"), account: "auth" } });
    const away = await observer({ template: fails(vastError("unavailable", { status: 502 })) }).look();
    expect(away.template).toMatchObject({ known: false, why: { account: null } });
  });

  test("hides no defect behind unknown", async () => {
    await expect(observer({ rows: fails(new TypeError("a defect")) }).look()).rejects.toThrow(TypeError);
  });

  test("probes what is published while the list is unknown", async () => {
    const { look, journal } = observer({ rows: fails(vastError("unavailable")) });
    expect((await look(serving, published())).publishedProbe).toEqual({ instanceId: ID, probe: passing() });
    expect(count(journal, "probe 41234")).toBe(1);
  });

  test("does not probe an instance that is being destroyed", async () => {
    const { look, journal } = observer();
    await look(state({ pendingDeletes: [{ id: ID, reason: "duplicate", since: NOW, deleteSentAt: NOW }] }));
    expect(count(journal, "probe 41234")).toBe(0);
  });

  test("asks for the account's credit where an instance was stopped, and only there", async () => {
    const { look, journal } = observer();
    expect((await look()).credit).toBeUndefined();
    expect(journal).not.toContain("credit");
    for (const over of [{ actualStatus: "stopped" }, { intendedStatus: "stopped" }, { curState: "stopped" }]) {
      const stopped = observer({ rows: () => [row(over)], credit: () => -0.04 });
      expect((await stopped.look()).credit).toEqual(known(-0.04));
    }
    const away = observer({ rows: () => [row({ curState: "stopped" })], credit: fails(vastError("unavailable")) });
    expect((await away.look()).credit).toMatchObject({ known: false, why: { account: null } });
  });

  test("does not ask for the credit on account of an instance that is being destroyed", async () => {
    const { look, journal } = observer({ rows: () => [row({ curState: "stopped" })] });
    await look(state({ pendingDeletes: [{ id: ID, reason: "duplicate", since: NOW, deleteSentAt: NOW }] }));
    expect(journal).not.toContain("credit");
  });

  test("does not probe what has no endpoint yet", async () => {
    const { look, journal } = observer({ rows: () => [row({ ports: null, directPortStart: null })] });
    await look(state());
    expect(journal.join()).not.toContain("probe");
  });
});

describe("how often the API is asked", () => {
  test("the list twice a minute while everything answers, the probe each time", async () => {
    const { look, journal, clock } = observer();
    for (let i = 0; i < 24; i += 1) {
      await look();
      await clock.advance(5 * SECOND);
    }
    expect(count(journal, "list")).toBe(4);
    expect(count(journal, "probe 41234")).toBe(24);
  });

  test("the list at once when a probe fails", async () => {
    let answers = true;
    const { look, journal } = observer({ answers: () => answers });
    await look();
    answers = false;
    const seen = await look();
    expect(count(journal, "list")).toBe(2);
    expect(seen.instances[0]?.probe?.ok).toBe(false);
  });

  test("the list at once when an instance has moved, whose new endpoint is probed in the same look", async () => {
    let at = 41234;
    const { look, journal } = observer({
      rows: () => [row({ ports: { "8000/tcp": at } })],
      answers: () => at === 41234,
    });
    await look();
    at = 50000;
    const seen = await look();
    expect(journal.filter((entry) => entry.startsWith("probe"))).toEqual(["probe 41234", "probe 41234", "probe 50000"]);
    expect(seen.instances[0]?.probe?.endpoint.port).toBe(50000);
  });

  test("the list every two or three seconds while something comes up, the probe each time", async () => {
    const { look, journal, clock } = observer({ answers: () => false });
    for (let i = 0; i < 60; i += 1) {
      await look(serving, nothingPublished, "starting");
      await clock.advance(SECOND);
    }
    expect(count(journal, "list")).toBeGreaterThanOrEqual(20);
    expect(count(journal, "probe 41234")).toBe(60);
  });

  test("the list at once before something is changed", async () => {
    const { look, journal } = observer();
    await look();
    await look(serving, nothingPublished, "now");
    expect(count(journal, "list")).toBe(2);
  });

  test("the probe alone before something is changed, where the API has asked for a longer wait", async () => {
    let opensAt = 0;
    const { look, journal } = observer({ opensAt: () => opensAt });
    const first = await look();
    opensAt = NOW + 11 * SECOND;
    expect((await look(serving, nothingPublished, "now")).listedAt).toBe(first.listedAt);
    expect([count(journal, "list"), count(journal, "probe 41234")]).toEqual([1, 2]);
    opensAt = NOW + 10 * SECOND;
    await look(serving, nothingPublished, "now");
    expect(count(journal, "list")).toBe(2);
  });

  test("an unknown list not before its gate opens, while what is published is probed on", async () => {
    const { look, journal } = observer({ rows: fails(vastError("unavailable")), opensAt: () => NOW + MINUTE });
    await look(serving, published(), "starting");
    const seen = await look(serving, published(), "starting");
    expect(count(journal, "list")).toBe(1);
    expect(count(journal, "probe 41234")).toBe(2);
    expect(seen.list.known).toBe(false);
  });

  test("in the slot of each pod of an account, so that no two meet", async () => {
    const instants = new Set<number>();
    for (let i = 0; i < 10; i += 1) {
      const { look, clock, wakeAt } = observer({ pod: `vast-pod-${i}` });
      await look();
      await clock.advance(wakeAt("ready", NOW + 10 * MINUTE) - NOW);
      instants.add(clock.now() % 17_000);
    }
    expect(instants.size).toBe(10);
  });

  test("the list and the template at once when the clock was set back: a time to come would pass for now", async () => {
    const { look, journal, setBack } = observer();
    await look();
    setBack(HOUR);
    expect((await look()).listedAt).toBeLessThanOrEqual(NOW - HOUR + MINUTE);
    expect([count(journal, "list"), count(journal, "template")]).toEqual([2, 2]);
    const refused = observer({ rows: () => rowsThen() });
    let lists = 0;
    const rowsThen = () => {
      lists += 1;
      if (lists > 1) throw vastError("rate_limited");
      return [row()];
    };
    await refused.look();
    refused.setBack(HOUR);
    expect((await refused.look()).list.known).toBe(false);
  });

  test("an old list keeps the time at which it was asked for: it proves nothing later", async () => {
    const { look, clock } = observer();
    await look();
    await clock.advance(5 * SECOND);
    expect((await look()).listedAt).toBe(NOW);
  });

  test("the template within a minute, sooner after a failure", async () => {
    const { look, journal, clock } = observer();
    await look();
    await clock.advance(MINUTE);
    await look();
    expect(count(journal, "template")).toBe(2);
    const away = observer({ template: fails(vastError("unavailable")) });
    await away.look();
    await away.clock.advance(10 * SECOND);
    await away.look();
    expect(count(away.journal, "template")).toBe(2);
  });
});

describe("a read that is refused as too frequent", () => {
  const tooFrequent = vastError("rate_limited", { status: 429 });

  test("leaves a known list known for two minutes, with its old time", async () => {
    let refused = false;
    const rows = () => (refused ? fails(tooFrequent)() : [row()]);
    const { look, clock } = observer({ rows });
    await look();
    refused = true;
    await clock.advance(MINUTE);
    expect(await look()).toMatchObject({ listedAt: NOW, list: known([row()]) });
    await clock.advance(MINUTE);
    expect((await look()).list.known).toBe(false);
  });

  test("leaves a known template known", async () => {
    let refused = false;
    const { look, clock } = observer({ template: () => (refused ? fails(tooFrequent)() : template) });
    await look();
    refused = true;
    await clock.advance(MINUTE);
    expect((await look()).template).toEqual(known(template));
  });

  test("makes the list be asked for more seldom, down to once in a round, and clean calls bring it back", async () => {
    let refused = true;
    const { look, journal, clock } = observer({ rows: () => (refused ? fails(tooFrequent)() : [row()]) });
    const inAMinute = async () => {
      journal.length = 0;
      for (let i = 0; i < 60; i += 1) {
        await look(serving, nothingPublished, "starting");
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
  test("asks for the template and creates at its turn, which comes 10 s after the first empty list at the earliest", async () => {
    const { look, journal, clock, wakeAt } = observer({ pod: "vast-pod-3", fresh: true, rows: () => [] });
    const first = await look(state(), nothingPublished, "starting");
    expect(first.template.known).toBe(false);
    await clock.advance(5 * SECOND);
    await look(state(), nothingPublished, "starting");
    expect(journal.filter((entry) => entry === "list" || entry === "template")).toEqual(["list"]);
    const turn = wakeAt("starting", NOW + HOUR);
    expect(turn - first.listedAt).toBeGreaterThanOrEqual(10 * SECOND);
    await clock.advance(turn - clock.now());
    expect((await look(state(), nothingPublished, "starting")).template.known).toBe(true);
    expect(journal.filter((entry) => entry !== "bans")).toEqual([
      "list",
      "list",
      `hold ${turn + 2000 - NOW}`,
      "template",
    ]);
  });

  test("waits for no turn as the first of its set", async () => {
    const { look, clock, wakeAt } = observer({ fresh: true, rows: () => [] });
    const { listedAt } = await look(state(), nothingPublished, "starting");
    expect(listedAt - NOW).toBeLessThan(2.2 * SECOND);
    expect(wakeAt("starting", clock.now() + HOUR) - listedAt).toBeLessThan(12.2 * SECOND);
  });

  test("waits for its turn as the first of its set as well once a refusal tells of others", async () => {
    let calls = 0;
    const rows = () => {
      calls += 1;
      return calls === 1 ? fails(vastError("rate_limited"))() : [];
    };
    const { look, clock, wakeAt } = observer({ fresh: true, rows });
    await look(state(), nothingPublished, "starting");
    await clock.advance(wakeAt("starting", clock.now() + HOUR) - clock.now());
    const { listedAt, list } = await look(state(), nothingPublished, "starting");
    expect(list.known).toBe(true);
    expect(wakeAt("starting", clock.now() + HOUR) % 51_000).toBe(0);
    expect(wakeAt("starting", clock.now() + HOUR) - listedAt).toBeGreaterThanOrEqual(10 * SECOND);
  });

  test("has no turn to wait for when it finds its instance", async () => {
    const { look, clock, wakeAt } = observer({ pod: "vast-pod-3", fresh: true });
    const seen = await look(state(), nothingPublished, "starting");
    expect(seen.template.known).toBe(true);
    expect(wakeAt("starting", clock.now() + SECOND) - clock.now()).toBeLessThanOrEqual(SECOND);
  });
});
