import { expect, test } from "vitest";
import { CREATE_SLOT_MS as APART_MS } from "../../../../provisioner/fleet/pacing.ts";
import { members } from "./store.ts";

test("at most a tenth of the pods are down at once, and at least one may be", async () => {
  const { clock, member } = members();
  const pods = Array.from({ length: 25 }, (_, i) => member(`${i}`).unavailable);
  const first = pods[0];
  await first?.seen();
  expect(await first?.goDown()).toMatchObject({ allowed: true, others: 0, most: 1, waitMs: 0 });
  for (const pod of pods) await pod.seen();
  const answers = [];
  for (const pod of pods.slice(0, 4)) {
    await clock.advance(APART_MS);
    answers.push((await pod.goDown()).allowed);
  }
  expect(answers).toEqual([true, true, false, false]);
  expect(await pods[1]?.goDown()).toMatchObject({ allowed: true, others: 1, most: 2 }); // it asks again
  await first?.comeUp();
  expect((await pods[3]?.goDown())?.allowed).toBe(true);
});

test("a number of pods counts as it is", async () => {
  const { clock, member } = members();
  const pods = ["a", "b", "c"].map((name) => member(name, { number: 2 }).unavailable);
  const answers = [];
  for (const pod of pods) {
    await clock.advance(APART_MS);
    await pod.seen();
    answers.push((await pod.goDown()).allowed);
  }
  expect(answers).toEqual([true, true, false]);
});

test("no two pods go down at once, and one that is down already does not wait", async () => {
  const { clock, member } = members();
  const [a, b] = ["a", "b"].map((name) => member(name, { number: 3 }).unavailable);
  for (const pod of [a, b]) await pod?.seen();
  await a?.goDown();
  await clock.advance(1000);
  expect(await b?.goDown()).toEqual({ allowed: false, others: 1, most: 3, waitMs: APART_MS - 1000, until: 0 });
  await clock.advance(APART_MS - 1000);
  expect(await b?.goDown()).toMatchObject({ allowed: true, others: 1 });
  expect(await a?.goDown()).toMatchObject({ allowed: true, others: 1 });
});

test("a pod that ended in the middle of its replacement blocks the others until it has not been seen for three minutes", async () => {
  const { clock, member } = members();
  const [ended, other] = [member("a").unavailable, member("b").unavailable];
  for (const pod of [ended, other]) await pod.seen();
  await ended.goDown();
  await clock.advance(179_999);
  await other.seen();
  expect(await other.goDown()).toMatchObject({ allowed: false, others: 1 });
  await clock.advance(1);
  await other.seen();
  expect(await other.goDown()).toMatchObject({ allowed: true, others: 0 });
});

test("a pod whose replacement takes long blocks the others for a quarter of an hour", async () => {
  const { clock, member } = members();
  const [slow, other] = [member("a").unavailable, member("b").unavailable];
  for (const pod of [slow, other]) await pod.seen();
  const { until } = await slow.goDown();
  for (let minute = 1; minute <= 15; minute += 1) {
    expect(await other.goDown()).toMatchObject({ allowed: false, others: 1 });
    await clock.advance(60_000);
    expect(await slow.stayDown(until)).toEqual({ isNew: false });
    await other.seen();
  }
  expect((await other.goDown()).allowed).toBe(true);
});

test("a Redis that has forgotten everything learns who is down before another pod may follow", async () => {
  const { clock, redis, member } = members();
  const [down, other] = [member("a").unavailable, member("b").unavailable];
  for (const pod of [down, other]) await pod.seen();
  const { until } = await down.goDown();
  expect(until).toBe(clock.now() + 900_000);
  redis.flush();
  expect(await other.goDown()).toMatchObject({ allowed: false, waitMs: APART_MS });
  await clock.advance(5000);
  expect(await down.stayDown(until)).toEqual({ isNew: true });
  await other.seen();
  expect(await other.goDown()).toMatchObject({ allowed: false, others: 1, most: 1 });
  await down.comeUp();
  expect(await other.goDown()).toMatchObject({ allowed: true });
});

test("a pod that was not seen for three minutes counts no more", async () => {
  const { clock, member } = members();
  await member("a").unavailable.seen();
  await clock.advance(180_000);
  expect(await member("b").unavailable.seen()).toEqual({ pods: 1, isNew: true });
  expect(await member("b").unavailable.seen()).toEqual({ pods: 1, isNew: false });
});
