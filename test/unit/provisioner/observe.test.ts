import { describe, expect, test } from "vitest";
import type { Memory } from "../../../provisioner/memory.ts";
import { known, type Published } from "../../../provisioner/observation.ts";
import { createObserver } from "../../../provisioner/observe.ts";
import { fakeClock } from "../common/fake-clock.ts";
import { type ClientScript, fakeBans, fakeClient, type Journal, vastError } from "./fakes.ts";
import {
  desired,
  failing,
  MINUTE,
  memory,
  NOW,
  nothingPublished,
  passing,
  published,
  row,
  SECOND,
  servingTrack,
  template,
} from "./situation.ts";

const ID = 7835610;
const serving = memory({ tracks: { [ID]: servingTrack() } });

function observer(script: ClientScript & { answers?: () => boolean; random?: number } = {}) {
  const journal: Journal = [];
  const clock = fakeClock(NOW);
  const observe = createObserver({
    client: fakeClient(journal, { rows: () => [row()], ...script }),
    bans: fakeBans(journal),
    probe: async (endpoint) => {
      journal.push(`probe ${endpoint.port}`);
      return (script.answers?.() ?? true) ? passing(endpoint) : failing(endpoint);
    },
    clock,
    random: () => script.random ?? 0.5,
    desired,
  });
  return {
    journal,
    clock,
    look: (m: Memory = serving, p: Published = nothingPublished, fresh = false) => observe(m, p, fresh),
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
      probes: new Map([[ID, passing()]]),
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
    expect((await look(serving, published())).probes).toEqual(new Map([[ID, passing()]]));
    expect(count(journal, "probe 41234")).toBe(1);
  });

  test("does not probe a doomed instance", async () => {
    const { look, journal } = observer();
    await look(memory({ doomed: [{ id: ID, reason: "duplicate", since: NOW, askedAt: NOW }] }));
    expect(count(journal, "probe 41234")).toBe(0);
  });

  test("does not probe what has no endpoint yet", async () => {
    const { look, journal } = observer({ rows: () => [row({ ports: null, directPortStart: null })] });
    await look(memory());
    expect(journal.join()).not.toContain("probe");
  });
});

describe("how often the API is asked", () => {
  test("the list once in half a minute while everything answers, the probe each time", async () => {
    const { look, journal, clock } = observer();
    for (let i = 0; i < 7; i += 1) {
      await look();
      await clock.advance(5 * SECOND);
    }
    expect(count(journal, "list")).toBe(2);
    expect(count(journal, "probe 41234")).toBe(7);
  });

  test("the list at once when a probe fails", async () => {
    let answers = true;
    const { look, journal } = observer({ answers: () => answers });
    await look();
    answers = false;
    const seen = await look();
    expect(count(journal, "list")).toBe(2);
    expect(seen.probes.get(ID)?.ok).toBe(false);
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
    expect(seen.probes.get(ID)?.endpoint.port).toBe(50000);
  });

  test("the list at once when a fresh one is wanted or the last was unknown", async () => {
    const { look, journal } = observer();
    await look();
    await look(serving, nothingPublished, true);
    expect(count(journal, "list")).toBe(2);
    const away = observer({ rows: fails(vastError("unavailable")) });
    await away.look();
    await away.look();
    expect(count(away.journal, "list")).toBe(2);
  });

  test("not at the same instant by all pods of an account", async () => {
    const relistedAfter = async (random: number) => {
      const { look, journal, clock } = observer({ random });
      await look();
      while (count(journal, "list") < 2) {
        await clock.advance(SECOND);
        await look();
      }
      return (clock.now() - NOW) / SECOND;
    };
    expect([await relistedAfter(0), await relistedAfter(0.5), await relistedAfter(1)]).toEqual([24, 30, 36]);
  });

  test("an old list keeps the time at which it was asked for: it proves nothing later", async () => {
    const { look, clock } = observer();
    await look();
    await clock.advance(5 * SECOND);
    expect((await look()).listedAt).toBe(NOW);
  });

  test("the template once a minute, sooner after a failure", async () => {
    const { look, journal, clock } = observer();
    await look();
    await clock.advance(MINUTE - 1);
    await look();
    expect(count(journal, "template")).toBe(1);
    await clock.advance(1);
    await look();
    expect(count(journal, "template")).toBe(2);
    const away = observer({ template: fails(vastError("unavailable")) });
    await away.look();
    await away.clock.advance(10 * SECOND);
    await away.look();
    expect(count(away.journal, "template")).toBe(2);
  });
});
