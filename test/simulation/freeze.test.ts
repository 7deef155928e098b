// A process that is stopped and later continues exactly where it was: its clocks have jumped, and what it had decided is old.
import { expect, test } from "vitest";
import { judge } from "./laws/all.ts";
import type { Injection } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const SECOND_MS = 1000;
const WITH_REDIS = { env: { BLACKLIST_ENABLED: "true" } };

// The second create waits behind the first one's rate limit for 4.5 s.
const firstOfferGone: Injection = {
  kind: "api-fault",
  at: 10 * MINUTE_MS,
  forMs: 5 * MINUTE_MS,
  rule: {
    method: "PUT",
    path: "^/api/v0/asks/",
    times: 1,
    effect: { kind: "error", status: 410, form: "ask", error: "no_such_ask" },
  },
};
const replaced = [firstOfferGone, instanceEvent(10, "kill")];

/** When the second create of the replacement leaves the gate, in a run without a pause; ms from the start. */
async function secondCreateAt(): Promise<number> {
  const { truth } = await simulate(scenarioWith(replaced, WITH_REDIS));
  expect(truth.creates.map((one) => one.made !== null)).toEqual([true, false, true]);
  return (truth.creates[2]?.at ?? 0) - truth.start;
}

test("law 8: a create that was frozen at its rate limit is not sent when another provisioner has taken over", async () => {
  const at = (await secondCreateAt()) - 2 * SECOND_MS;
  const injections: Injection[] = [
    ...replaced,
    { kind: "freeze", at, pod: 0, forMs: 10 * MINUTE_MS },
    { kind: "overlap", at: at + SECOND_MS, pod: 0, forMs: 30 * MINUTE_MS },
  ];
  const { truth } = await simulate(scenarioWith(injections, WITH_REDIS));
  expect(truth.creates.filter((one) => one.made !== null)).toHaveLength(2);
  expect(judge(truth)).toEqual([]);
});

/** The first looks after `ms` reach no instance. */
const unreachableAfter = (ms: number): Injection => ({
  kind: "network",
  at: ms - SECOND_MS,
  forMs: 20 * SECOND_MS,
  to: "instances",
  code: "ETIMEDOUT",
  pod: 0,
});

// Silent when the process is frozen and when it continues; in between it answers, for longer than an instance may be unreachable.
const silentAround: Injection[] = [
  {
    kind: "instance",
    at: 10 * MINUTE_MS,
    pod: 0,
    event: "mute",
    body: {},
    undo: { event: "unmute", afterMs: 35 * SECOND_MS },
  },
  { kind: "freeze", at: 10 * MINUTE_MS + 30 * SECOND_MS, pod: 0, forMs: 10 * MINUTE_MS },
  unreachableAfter(20 * MINUTE_MS + 30 * SECOND_MS),
];

test.each([
  ["never ready", instanceEvent(10, "kill"), 10.5],
  ["ready", null, 10],
])("law 3: after a pause an instance that was %s has as much time left as before", async (_, event, minute) => {
  const [at, forMs] = [minute * MINUTE_MS, 45 * MINUTE_MS];
  const injections = [
    ...(event === null ? [] : [event]),
    { kind: "freeze", at, pod: 0, forMs } as const,
    unreachableAfter(at + forMs),
  ];
  const { truth } = await simulate(scenarioWith(injections, WITH_REDIS));
  expect(truth.destroys).toEqual([]);
  expect(judge(truth)).toEqual([]);
});

test("law 3: an instance that is silent right before and right after a pause is kept", async () => {
  const { truth } = await simulate(scenarioWith(silentAround, WITH_REDIS));
  expect(truth.destroys).toEqual([]);
  expect(judge(truth)).toEqual([]);
});
