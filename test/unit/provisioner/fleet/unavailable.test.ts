import { expect, test } from "vitest";
import { members } from "./store.ts";

test("at most a tenth of the pods are down at once, and at least one may be", async () => {
  const { member } = members();
  const pods = Array.from({ length: 25 }, (_, i) => member(`${i}`).unavailable);
  const first = pods[0];
  await first?.seen();
  expect(await first?.goDown()).toEqual({ allowed: true, others: 0, most: 1 });
  for (const pod of pods) await pod.seen();
  const answers = [];
  for (const pod of pods.slice(0, 4)) answers.push((await pod.goDown()).allowed);
  expect(answers).toEqual([true, true, false, false]);
  expect(await pods[1]?.goDown()).toEqual({ allowed: true, others: 1, most: 2 }); // it asks again
  await first?.comeUp();
  expect((await pods[3]?.goDown())?.allowed).toBe(true);
});

test("a number of pods counts as it is", async () => {
  const { member } = members();
  const pods = ["a", "b", "c"].map((name) => member(name, { number: 2 }).unavailable);
  const answers = [];
  for (const pod of pods) answers.push((await pod.goDown()).allowed);
  expect(answers).toEqual([true, true, false]);
});

test("a pod that ended in the middle of its replacement blocks the others for a quarter of an hour", async () => {
  const { clock, member } = members();
  const [ended, other] = [member("a").unavailable, member("b").unavailable];
  await ended.goDown();
  expect((await other.goDown()).allowed).toBe(false);
  await clock.advance(900_000);
  expect((await other.goDown()).allowed).toBe(true);
});

test("a pod that was not seen for three minutes counts no more", async () => {
  const { clock, member } = members();
  await member("a").unavailable.seen();
  await clock.advance(180_000);
  expect(await member("b").unavailable.seen()).toBe(1);
});
