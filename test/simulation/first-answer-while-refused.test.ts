// An instance boots, or is silent, while the account's trouble begins: its address is known from the list before.
import { expect, test } from "vitest";
import { judge } from "./laws/all.ts";
import type { Injection } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const MINUTES = 15;
const refusedFrom = (at: number): Injection => {
  return { kind: "account", at, forMs: MINUTES * MINUTE_MS, set: { keyRevoked: true }, back: { keyRevoked: false } };
};

/** For how much of the trouble the instance was served, and how many were created. */
async function servedIn(at: number, injections: readonly Injection[], appSeconds: number) {
  const scenario = scenarioWith([refusedFrom(at), ...injections], { faultyMinutes: 35, emulator: { appSeconds } });
  const { truth } = await simulate(scenario);
  expect(judge(truth)).toEqual([]);
  const [from, to] = [truth.start + at, truth.start + at + MINUTES * MINUTE_MS];
  const ms = truth.pods
    .flatMap(({ serving }) => serving)
    .reduce((sum, span) => sum + Math.max(0, Math.min(span.to, to) - Math.max(span.from, from)), 0);
  return { part: ms / (to - from), creates: truth.creates.length };
}

test("an app that starts while the list is refused is served when it answers", async () => {
  const boot = await simulate(scenarioWith([], { faultyMinutes: 5, emulator: { appSeconds: 90 } }));
  const { pods, contracts, start } = boot.truth;
  const answersMs = (contracts.find(({ label }) => label === pods[0]?.label)?.answering[0]?.from ?? 0) - start;
  expect(await servedIn(answersMs - MINUTE_MS, [], 90)).toMatchObject({ part: expect.closeTo(14 / 15, 1), creates: 1 });
});

test("an instance that answers more than two minutes after the last list is not: its port may be somebody else's", async () => {
  const mute = { ...instanceEvent(10, "mute"), undo: { event: "unmute", afterMs: 2.5 * MINUTE_MS } } as Injection;
  const { part, creates } = await servedIn(10.3 * MINUTE_MS, [mute], 20);
  expect(part).toBeLessThan(0.2);
  expect(creates).toBe(1);
});
