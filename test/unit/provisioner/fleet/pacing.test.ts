import { expect, test } from "vitest";
import { vastError } from "../fakes.ts";
import { members } from "./store.ts";

test("the calls of several pods leave one interval apart", async () => {
  const { clock, pod } = members();
  const began = clock.now();
  const pods = Array.from({ length: 5 }, (_, i) => pod(`${i}`));
  const times = await clock.drive(
    Promise.all(pods.map(({ pacing }) => pacing.acquire("destroy").then(() => clock.now() - began))),
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

test("an urgent read goes before the others", async () => {
  const { clock, pod } = members();
  const [a, b, c] = [pod("a"), pod("b"), pod("c")];
  const order: string[] = [];
  await clock.drive(
    Promise.all([
      a.pacing.acquire("list", undefined, false).then(() => order.push("a")),
      b.pacing.acquire("list", undefined, false).then(() => order.push("b")),
      c.pacing.acquire("list").then(() => order.push("urgent")),
    ]),
  );
  expect(order[0]).toBe("urgent");
});

test("a 429 holds up all pods", async () => {
  const { clock, pod } = members();
  const [a, b] = [pod("a"), pod("b")];
  await clock.drive(a.pacing.acquire("create"));
  a.pacing.failed("create", vastError("rate_limited"));
  const began = clock.now();
  await clock.drive(b.pacing.acquire("create"));
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
