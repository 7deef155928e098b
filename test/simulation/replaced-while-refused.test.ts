// A pod is replaced and loses its disk while the account's trouble refuses the instance list. The first test runs without Redis too,
// which shows that the copy in Redis makes the difference.
import { expect, test } from "vitest";
import { judge } from "./laws/all.ts";
import type { Injection, Scenario } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, podKilled, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const WITH = { BLACKLIST_ENABLED: "true" };
const FROM = 10;
const MINUTES = 12;
const refused: Injection = {
  kind: "account",
  at: FROM * MINUTE_MS,
  forMs: MINUTES * MINUTE_MS,
  set: { keyRevoked: true },
  back: { keyRevoked: false },
};

/** For how much of the trouble nginx routed to a server, and how many instances were created in all. */
async function served(injections: Injection[], env: Scenario["env"]) {
  const { truth } = await simulate(scenarioWith([refused, ...injections], { env, faultyMinutes: 25 }));
  expect(judge(truth)).toEqual([]);
  const from = truth.start + FROM * MINUTE_MS;
  const to = from + MINUTES * MINUTE_MS;
  const spans = truth.pods.flatMap((pod) => pod.serving);
  const ms = spans.reduce((sum, span) => sum + Math.max(0, Math.min(span.to, to) - Math.max(span.from, from)), 0);
  return { part: ms / (to - from), creates: truth.creates.length };
}

test("the new pod serves the instance of its predecessor", async () => {
  const killed = [podKilled(FROM + 2, true)];
  const [mirrored, alone] = [await served(killed, WITH), await served(killed, {})];
  expect(mirrored.part).toBeGreaterThan(0.9); // a killed pod's lease lasts a minute
  expect(alone.part).toBeLessThan(0.2);
  expect([mirrored.creates, alone.creates]).toEqual([1, 1]);
});

test("an instance that ended meanwhile is not served, and one is created when the list comes again", async () => {
  const ended = await served([instanceEvent(FROM + 1.99, "kill"), podKilled(FROM + 2, true)], WITH);
  expect(ended.part).toBeLessThan(0.2);
  expect(ended.creates).toBe(2);
});
