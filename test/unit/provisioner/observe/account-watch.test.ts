import { describe, expect, test } from "vitest";
import { createMoneyReadings } from "../../../../provisioner/fleet/money-readings.ts";
import { startState } from "../../../../provisioner/loop-state.ts";
import { createAccountWatch } from "../../../../provisioner/observe/account-watch.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { type ClientScript, fakeClient, fakeLog, type Journal, ownReadings, vastError } from "../fakes.ts";
import { HOUR, LABEL, MINUTE, NOW, observation, row, state } from "../plan/situation.ts";

// The first looks are spread by chance: here all are at once.
const FIRST_TIMES = 3;

function setup(script: ClientScript = {}, rows: readonly Instance[] = [row()]) {
  const clock = fakeClock(NOW);
  const journal: Journal = [];
  const { log, lines } = fakeLog();
  const loop = startState(state(), NOW);
  loop.seen = observation(rows);
  const client = fakeClient(journal, script);
  const readings = { ...ownReadings(client, clock), ...createMoneyReadings({ client, clock, fleet: null }) };
  let drawn = 0;
  const random = () => (drawn++ < FIRST_TIMES ? 0 : 0.5);
  const look = createAccountWatch({ readings, clock, random, log, label: LABEL, pods: () => 1 }, loop);
  const stop = new AbortController();
  const said = (level: string) => lines.filter((line) => line.level === level).map((line) => String(line.msg));
  return {
    clock,
    journal,
    loop,
    stop,
    look: () => look(stop.signal),
    warnings: () => said("warn"),
    infos: () => said("info"),
  };
}
const fail =
  (...given: Parameters<typeof vastError>) =>
  () => {
    throw vastError(...given);
  };

describe("the account", () => {
  test("is read: credit, announced prices and what was billed for the label", async () => {
    const increase = { id: 1, instanceId: 5, factor: 2, gpuDollarsPerHour: 1, endsAt: null };
    const { look, loop } = setup({
      credit: () => 88.2,
      priceIncreases: () => [increase],
      charges: () => ({ [LABEL]: 12.5, other: 3 }),
    });
    expect(await look()).toBe(MINUTE);
    expect(loop.account).toMatchObject({
      credit: { dollars: 88.2, at: NOW },
      priceIncreases: [increase],
      billed: { dollars: 12.5, at: NOW, since: Date.UTC(2026, 9, 24) },
    });
  });

  test("is asked for credit and prices each ten minutes, and for charges each hour", async () => {
    const { look, clock, journal } = setup();
    for (let minute = 0; minute < 60; minute += 1) {
      await look();
      await clock.advance(MINUTE);
    }
    const count = (what: string) => journal.filter((entry) => entry === what).length;
    expect([count("credit"), count("price increases"), count("charges")]).toEqual([6, 6, 1]);
  });

  test("is asked no more once the program stops", async () => {
    const { look, journal, stop } = setup();
    stop.abort();
    await look();
    expect(journal).toEqual([]);
  });

  test("keeps what was read while the API does not answer", async () => {
    let failing = false;
    const { look, clock, loop } = setup({ credit: () => (failing ? fail("unavailable")() : 50) });
    await look();
    failing = true;
    await clock.advance(10 * MINUTE);
    await look();
    expect(loop.account.credit).toEqual({ dollars: 50, at: NOW });
  });

  test.each(["auth", "not_found", "invalid"] as const)(
    "is unknown where the key may not read it (%s): that is said once, and asked again seldom",
    async (kind) => {
      const { look, clock, loop, journal, infos } = setup({ charges: fail(kind), priceIncreases: fail(kind) });
      for (let hour = 0; hour < 13; hour += 1) {
        await look();
        await clock.advance(HOUR);
      }
      expect(loop.account).toMatchObject({ priceIncreases: null, billed: null, credit: { dollars: 100 } });
      expect(journal.filter((entry) => entry === "charges")).toHaveLength(3);
      expect(infos().filter((text) => text.startsWith("what was really billed is unknown"))).toHaveLength(1);
    },
  );

  test("is unknown where it shows no credit", async () => {
    const { look, loop } = setup({ credit: () => null });
    await look();
    expect(loop.account.credit).toBeNull();
  });
});

describe("a warning about money", () => {
  test("is logged once, and again when it has ended in between", async () => {
    let dollars = 1;
    const { look, clock, warnings } = setup({ credit: () => dollars });
    const later = async (credit: number) => {
      dollars = credit;
      await clock.advance(10 * MINUTE);
      await look();
    };
    await look();
    await later(0.9);
    expect(warnings()).toEqual([expect.stringContaining("the credit of the account, $1.00, lasts 3.2 h")]);
    await later(100);
    await later(2);
    expect(warnings()).toHaveLength(2);
  });

  test("does not concern an instance that is being destroyed, and waits while the list is unknown", async () => {
    const { look, loop, warnings } = setup({}, [row({ endsAt: NOW + HOUR })]);
    loop.state = state({ pendingDeletes: [{ id: row().id, reason: "duplicate", since: NOW, deleteSentAt: NOW }] });
    await look();
    expect(warnings()).toEqual([]);
    loop.state = state();
    await look();
    expect(warnings()).toHaveLength(1);
    loop.seen = observation([], { list: { known: false, why: { message: "HTTP 502", account: null } } });
    await look();
    loop.seen = observation([row({ endsAt: NOW + HOUR })]);
    await look();
    expect(warnings()).toHaveLength(1);
  });
});
