import { expect, test } from "vitest";
import type { Place } from "../../../../provisioner/fleet/turns.ts";
import { members } from "./store.ts";

const place = (kind: Place["class"], since = 0): Place => ({ class: kind, since });

test("a new gate begins closed for one interval, because nobody knows when the last call was", async () => {
  const { clock, member } = members();
  const { turns } = member("a");
  expect(await turns.take("create", place(1))).toMatchObject({ waitMs: 4650, ahead: 0 });
  await clock.advance(4649);
  expect((await turns.take("create", place(1))).waitMs).toBe(1);
  await clock.advance(1);
  expect((await turns.take("create", place(1))).waitMs).toBe(0);
});

test("the order is that of the classes, and inside a class first come, first served", async () => {
  const { clock, member } = members();
  const order = [place(2), place(1), place(1), place(0)];
  const pods = order.map((wanted, i) => ({ wanted, name: `${i}`, ...member(`${i}`) }));
  for (const { turns, wanted } of pods) {
    await turns.ask("create", wanted);
    await clock.advance(10);
  }
  const gone: string[] = [];
  while (gone.length < pods.length) {
    await clock.advance(50);
    for (const { turns, wanted, name } of pods) {
      if (!gone.includes(name) && (await turns.take("create", wanted)).waitMs === 0) gone.push(name);
    }
  }
  expect(gone).toEqual(["3", "1", "2", "0"]);
});

test("the one behind a dead member goes 0.3 s later, and the dead one is forgotten after 30 s", async () => {
  const { clock, member } = members();
  const [dead, other] = [member("a").turns, member("b").turns];
  await dead.ask("create", place(0));
  await clock.advance(4650 + 299);
  expect(await other.take("create", place(1))).toMatchObject({ waitMs: 4650, ahead: 1 });
  await clock.advance(1);
  expect((await other.take("create", place(1))).waitMs).toBe(0);
  await clock.advance(30_000);
  expect((await other.take("create", place(1))).ahead).toBe(0);
});

test("one that only asks, and whose turn is more than a minute away, counts for a minute and a half without a sign of life", async () => {
  const { clock, member } = members();
  const pods = Array.from({ length: 20 }, (_, i) => member(`${10 + i}`).turns);
  for (const turns of pods) await turns.ask("create", place(1));
  const last = member("last").turns;
  const ahead = async () => (await last.estimate("create", place(1))).ahead;
  await clock.advance(30_001);
  // Those with a rank of 12 and more wait for more than 60 s.
  expect(await ahead()).toBe(8);
  await clock.advance(59_000);
  expect(await ahead()).toBe(8);
  await clock.advance(1000);
  expect(await ahead()).toBe(0);
});

test("a question keeps the place and takes nothing", async () => {
  const { clock, member } = members();
  const [a, b] = [member("a").turns, member("b").turns];
  const first = await a.ask("create", place(1));
  await clock.advance(10_000);
  expect((await a.ask("create", place(1))).waitMs).toBe(0);
  expect(await a.ask("create", place(1))).toEqual({ waitMs: 0, ahead: 0, since: first.since });
  expect((await b.ask("create", place(1, first.since - 1))).ahead).toBe(0); // it wanted its turn before
  expect((await a.ask("create", place(1))).ahead).toBe(1);
  await b.leave("create");
  expect((await a.ask("create", place(1))).ahead).toBe(0);
});

test("a 429 closes the gate for all, doubles its margin up to 0.6 s, and an interval that it names counts for ten minutes", async () => {
  const { clock, member } = members();
  const [a, b] = [member("a").turns, member("b").turns];
  await a.take("create", place(1));
  await b.penalize("create", 12_000, 6000);
  expect((await a.take("create", place(1))).waitMs).toBe(12_000);
  await clock.advance(12_000);
  expect((await a.take("create", place(1))).waitMs).toBe(0);
  expect((await a.take("create", place(1))).waitMs).toBe(6000 + 300);
  for (let i = 0; i < 5; i += 1) await b.penalize("create", 0, null);
  await clock.advance(600_000);
  expect((await a.take("create", place(1))).waitMs).toBe(0);
  expect((await a.take("create", place(1))).waitMs).toBe(4500 + 600);
  await clock.advance(2 * 3_600_000);
  expect((await b.take("create", place(0))).waitMs).toBe(0);
  expect((await b.take("create", place(0))).waitMs).toBe(4500 + 150);
});

test("after a flush the old order comes back, and no turn is given before one interval has passed", async () => {
  const { clock, redis, member } = members();
  const [a, b] = [member("a").turns, member("b").turns];
  const first = await a.ask("create", place(1));
  await clock.advance(20_000);
  const second = await b.ask("create", place(1));
  redis.flush();
  expect((await b.take("create", place(1, second.since))).waitMs).toBe(4650);
  await a.ask("create", place(1, first.since));
  expect(await b.take("create", place(1, second.since))).toMatchObject({ waitMs: 9300, ahead: 1 });
});

test("gates that are made at the start are open when the first create needs them", async () => {
  const { clock, member } = members();
  const { turns } = member("a");
  await turns.peek("user", place(1));
  await clock.advance(6150);
  for (const endpoint of ["user", "list", "template", "search", "create", "destroy"])
    expect(await turns.take(endpoint, place(1))).toMatchObject({ waitMs: 0, ahead: 0 });
});

test("the first gate that is found flushed makes all of them again, and nobody loses a place", async () => {
  const { clock, member, redis } = members();
  const [a, b] = [member("a").turns, member("b").turns];
  await a.peek("user", place(1));
  redis.flush();
  const { since } = await a.ask("create", place(1));
  await b.take("list", place(1));
  await clock.advance(6150);
  expect((await b.take("search", place(1))).waitMs).toBe(0);
  expect(await b.estimate("create", place(1))).toMatchObject({ ahead: 1 });
  expect(await a.take("create", place(1, since))).toMatchObject({ waitMs: 0, ahead: 0 });
});

test("searches count per address, other calls per key and address", async () => {
  const { clock, member } = members();
  const { turns } = member("a");
  await turns.take("search", place(1));
  await turns.take("list", place(1));
  await clock.advance(1150);
  expect((await turns.take("list", place(1))).waitMs).toBe(0);
  expect((await turns.take("search", place(1))).waitMs).toBe(5000);
});

test("the next turn comes an interval after the call before it has left, although that took its turn earlier", async () => {
  const { clock, member } = members();
  const [late, next] = [member("a").turns, member("b").turns];
  await late.peek("user", place(1));
  await clock.advance(4650);
  expect((await late.take("create", place(1))).waitMs).toBe(0);
  await clock.advance(700);
  await late.left("create");
  expect((await next.take("create", place(1))).waitMs).toBe(4650);
  await clock.advance(4649);
  expect((await next.take("create", place(1))).waitMs).toBe(1);
  await clock.advance(1);
  expect((await next.take("create", place(1))).waitMs).toBe(0);
});

test("a call that leaves after Redis was flushed closes the new gate for its interval", async () => {
  const { clock, redis, member } = members();
  const [late, next] = [member("a").turns, member("b").turns];
  await late.peek("user", place(1));
  await clock.advance(4650);
  await late.take("create", place(1));
  redis.flush();
  await late.left("create");
  expect((await next.take("create", place(1))).waitMs).toBe(4650);
});

test("a call that leaves does not shorten the time for which a 429 has closed its gate", async () => {
  const { turns } = members().member("a");
  await turns.peek("user", place(1));
  await turns.penalize("create", 12_000, null);
  await turns.left("create");
  expect((await turns.take("create", place(1))).waitMs).toBe(12_000);
});
