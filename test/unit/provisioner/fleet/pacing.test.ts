import { expect, test } from "vitest";
import { vastError } from "../fakes.ts";
import { members } from "./store.ts";

test("the calls of several pods leave one interval apart", async () => {
  const { clock, pod } = members();
  const began = clock.now();
  const pods = Array.from({ length: 5 }, (_, i) => pod(`${i}`));
  const times = await clock.drive(
    Promise.all(
      pods.map(async ({ pacing }) => {
        await pacing.acquire("destroy");
        await pacing.takeTurn("destroy");
        return clock.now() - began;
      }),
    ),
  );
  const gaps = times.sort((a, b) => a - b).map((at, i) => at - (times[i - 1] ?? 0));
  for (const gap of gaps) {
    expect(gap).toBeGreaterThanOrEqual(3150);
    expect(gap).toBeLessThan(3150 + 400);
  }
});

test("a read that would wait longer than a pass may take is told so, and keeps its place", async () => {
  const { clock, pod } = members();
  const pods = Array.from({ length: 12 }, (_, i) => pod(`${i}`));
  const waits = await clock.drive(Promise.all(pods.map(({ pacing }) => pacing.acquire("list"))));
  expect(waits.filter((waitMs) => waitMs === 0).length).toBeGreaterThanOrEqual(7);
  const refused = pods.filter((_, i) => waits[i] !== 0);
  expect(refused.length).toBeGreaterThan(0);
  const [late, again] = [pod("late"), refused[0]];
  if (again === undefined) throw new Error("none was refused");
  const order: string[] = [];
  await clock.drive(
    Promise.all([
      late.pacing.acquire("list").then(() => order.push("late")),
      again.pacing.acquire("list").then(() => order.push("again")),
    ]),
  );
  expect(order[0]).toBe("again");
});

test("a read for all pods goes before the own reads of the others, and a destroy of an ordered end before other destroys", async () => {
  const { clock, pod } = members();
  const pods = Array.from({ length: 4 }, (_, i) => pod(`${i}`));
  const [leader, ending] = [pod("leader"), pod("ending")];
  ending.destroyPlace.class = 0;
  const order: string[] = [];
  const calls = pods.flatMap(({ pacing }) => [
    pacing.acquire("list").then(() => order.push("list")),
    pacing.acquire("destroy").then(() => pacing.takeTurn("destroy").then(() => order.push("destroy"))),
  ]);
  await clock.advance(1);
  calls.push(leader.pacing.acquire("list", undefined, "for_all").then(() => order.push("list for all")));
  calls.push(
    ending.pacing.acquire("destroy").then(() => ending.pacing.takeTurn("destroy").then(() => order.push("end"))),
  );
  await clock.drive(Promise.all(calls));
  expect(order.filter((one) => one.startsWith("list"))[0]).toBe("list for all");
  expect(order.filter((one) => !one.startsWith("list"))[0]).toBe("end");
});

test("an urgent read goes before the others", async () => {
  const { clock, pod } = members();
  const [a, b, c] = [pod("a"), pod("b"), pod("c")];
  const order: string[] = [];
  await clock.drive(
    Promise.all([
      a.pacing.acquire("list", undefined, "soon_again").then(() => order.push("a")),
      b.pacing.acquire("list", undefined, "soon_again").then(() => order.push("b")),
      c.pacing.acquire("list").then(() => order.push("urgent")),
    ]),
  );
  expect(order[0]).toBe("urgent");
});

test("a 429 holds up all pods", async () => {
  const fleet = members();
  const { clock, pod } = fleet;
  const [a, b] = [pod("a"), pod("b")];
  await clock.drive(sendCreate(fleet, a));
  a.pacing.failed("create", vastError("rate_limited"));
  const began = clock.now();
  await clock.drive(sendCreate(fleet, b));
  expect(clock.now() - began).toBeGreaterThanOrEqual(12_000);
});

test("while Redis is away calls wait for ten seconds, then each pod calls alone: creates in its own slot", async () => {
  const { clock, redis, pod } = members();
  const [a, b] = [pod("a", 0, 20), pod("b", 7, 20)];
  redis.away = true;
  const began = clock.now();
  await clock.drive(a.pacing.acquire("list"));
  expect(clock.now() - began).toBeGreaterThanOrEqual(10_000);
  expect(clock.now() - began).toBeLessThan(13_000);
  const created = async ({ pacing }: typeof a) => {
    await pacing.acquire("create");
    return clock.now();
  };
  const [first = 0, second = 0] = await clock.drive(Promise.all([created(a), created(b)]));
  expect(Math.abs(first - second) % (20 * 4650)).toBeGreaterThanOrEqual(4650);
  redis.away = false;
  const back = clock.now();
  await clock.drive(a.pacing.acquire("list"));
  expect(clock.now() - back).toBeLessThan(1200);
});

test("a call that is cancelled stops waiting", async () => {
  const { clock, pod } = members();
  const stop = new AbortController();
  const { pacing } = pod("a");
  const waiting = pacing.acquire("create", stop.signal);
  await clock.advance(1000);
  stop.abort();
  const began = clock.now();
  expect(await clock.drive(waiting)).toBe(0);
  expect(clock.now()).toBe(began);
});

type Caller = ReturnType<ReturnType<typeof members>["pod"]>;

/** Sends a create as the transport does: it waits, connects, takes its turn and leaves. Answers when it leaves. */
async function sendCreate({ clock }: ReturnType<typeof members>, { pacing }: Caller, connectMs = 0, lateMs = 0) {
  await pacing.acquire("create");
  await clock.sleep(connectMs);
  await pacing.takeTurn("create");
  await clock.sleep(lateMs);
  pacing.left("create");
  return clock.now();
}

test("creates that leave late after their turn keep their interval all the same", async () => {
  const fleet = members();
  const sent = [900, 0, 400, 0, 0].map((lateMs, i) => sendCreate(fleet, fleet.pod(`${i}`), 0, lateMs));
  const times = (await fleet.clock.drive(Promise.all(sent))).sort((a, b) => a - b);
  for (const [i, at] of times.slice(1).entries()) {
    expect(at - (times[i] ?? 0)).toBeGreaterThanOrEqual(4650);
    expect(at - (times[i] ?? 0)).toBeLessThan(4650 + 900 + 50);
  }
});

test("the connection of a create is opened before its turn, so that it delays no create", async () => {
  const fleet = members();
  const began = fleet.clock.now();
  const sent = ["a", "b", "c"].map((name) => sendCreate(fleet, fleet.pod(name), 400));
  const times = (await fleet.clock.drive(Promise.all(sent))).sort((a, b) => a - b);
  for (const [i, at] of times.entries()) expect(at - began - (i + 1) * 4650).toBeLessThan(100);
});

test("a pod that connects slowly lets the next one go first, and keeps the interval to it", async () => {
  const fleet = members();
  const [slow, quick] = [fleet.pod("a"), fleet.pod("b")];
  const sent = Promise.all([sendCreate(fleet, slow, 8000), sendCreate(fleet, quick)]);
  const [second, first] = await fleet.clock.drive(sent);
  expect(second - first).toBeGreaterThanOrEqual(4650);
});

test("a pod that was paused after it took its turn takes another one", async () => {
  const fleet = members();
  const { clock } = fleet;
  const [paused, other] = [fleet.pod("a"), fleet.pod("b")];
  const { turns } = paused.store;
  let taken = 0;
  paused.store.turns = {
    ...turns,
    async take(...place) {
      const turn = await turns.take(...place);
      if (turn.waitMs === 0) taken += 1;
      if (turn.waitMs === 0 && taken === 1) await clock.sleep(6000);
      return turn;
    },
  };
  const sent = Promise.all([sendCreate(fleet, paused), sendCreate(fleet, other)]);
  const [second, first] = await clock.drive(sent);
  expect(taken).toBe(2);
  expect(second - first).toBeGreaterThanOrEqual(4650);
});

test("a create that has waited for its own slot, because Redis is away, waits for no turn when Redis is back", async () => {
  const { clock, redis, pod } = members();
  const { pacing } = pod("a", 3, 20);
  redis.away = true;
  await clock.drive(pacing.acquire("list"));
  await clock.drive(pacing.acquire("create"));
  const slotAt = clock.now();
  redis.away = false;
  await clock.drive(pacing.takeTurn("create"));
  expect(clock.now()).toBe(slotAt);
});
