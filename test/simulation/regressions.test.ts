// Bugs that the fault mix has found, each with the few faults that are needed for it.
import { expect, test } from "vitest";
import type { Truth } from "./emulator-truth.ts";
import { judge } from "./laws/all.ts";
import { FIRST_IMAGE, type Injection } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const fault = (
  atMinute: number,
  forMinutes: number,
  rule: Extract<Injection, { kind: "api-fault" }>["rule"],
): Injection => ({
  kind: "api-fault",
  at: atMinute * MINUTE_MS,
  forMs: forMinutes * MINUTE_MS,
  rule,
});

test("a contract that no list shows is destroyed although its first DELETE gets no answer", async () => {
  const { truth } = await simulate(
    scenarioWith([
      fault(0, 1, { method: "PUT", path: "^/api/v0/asks/", times: 1, effect: { kind: "no-row" } }),
      fault(0, 20, { method: "DELETE", times: 1, effect: { kind: "hang-before" } }),
    ]),
  );
  expect(truth.contracts.filter((one) => one.visibleAt === Number.POSITIVE_INFINITY)).toMatchObject([
    { endedBy: "api" },
  ]);
  expect(judge(truth)).toEqual([]);
});

test("an instance that returns to loading and stays there is replaced, even soon after an unreachable one", async () => {
  const { truth } = await simulate(scenarioWith([instanceEvent(5, "mute"), instanceEvent(40, "stick")]));
  expect(judge(truth)).toEqual([]);
});

test("five pods that share the API's limits know their instance lists nearly all the time", async () => {
  const { timeline } = await simulate(scenarioWith([], { pods: 5 }), { timeline: true });
  const unknown = timeline.filter((line) => line.includes("the instance list is unknown") && line > "00:05");
  expect(unknown.length).toBeLessThan(5); // 92 before reads were retried
});

/** The longest time in which the first pod served nothing after it had served. */
function longestGapMs({ pods }: Truth): number {
  const spans = pods[0]?.serving ?? [];
  return Math.max(...spans.slice(1).map((span, i) => span.from - (spans[i]?.to ?? 0)));
}

const during = { at: 9 * MINUTE_MS, forMs: 50 * MINUTE_MS };
const scopes = ["misc", "user_read", "instance_read"];
const HOLDS: [string, Injection][] = [
  ["its destroy cannot be recorded", { ...during, kind: "state-disk-full", pod: 0 }],
  ["its destroy is refused", { ...during, kind: "account", set: { scopes }, back: { scopes: null } }],
];
test.each(HOLDS)("a server serves on while %s, and is kept when its image is wanted again", async (_, fault) => {
  const { truth } = await simulate(
    scenarioWith([
      fault,
      { kind: "image", at: 10 * MINUTE_MS, image: "example/app:2", losesDisk: false },
      { kind: "image", at: 50 * MINUTE_MS, image: FIRST_IMAGE, losesDisk: false },
    ]),
  );
  expect(judge(truth)).toEqual([]);
  expect(truth.contracts.filter((one) => one.label === truth.pods[0]?.label)).toHaveLength(1);
  // An attempt withdraws the server for the drain.
  expect(longestGapMs(truth)).toBeLessThan(30_000);
});

test.each<[string, Injection[]]>([
  ["of another image", [{ kind: "image", at: 10 * MINUTE_MS, image: "example/app:2", losesDisk: false }]],
  ["that could not be reached", []],
])("an instance %s whose destroy was refused while it did not answer serves again when it answers", async (_, more) => {
  const silent: Injection = {
    kind: "network",
    at: 12 * MINUTE_MS,
    forMs: 9 * MINUTE_MS,
    to: "instances",
    code: "ETIMEDOUT",
    pod: null,
  };
  const refused: Injection = { ...during, kind: "account", set: { scopes }, back: { scopes: null } };
  const { truth } = await simulate(scenarioWith([refused, silent, ...more]));
  expect(judge(truth)).toEqual([]);
  expect(longestGapMs(truth)).toBeLessThan(10 * MINUTE_MS);
});

test("an instance whose destroy got no answer, and was refused later, serves again when it answers", async () => {
  const refused: Injection = { ...during, kind: "account", set: { scopes }, back: { scopes: null } };
  const lost = fault(9, 2, { method: "DELETE", times: 1, effect: { kind: "error", status: 502, form: "html" } });
  const changed: Injection = { kind: "image", at: 10 * MINUTE_MS, image: "example/app:2", losesDisk: false };
  const { truth } = await simulate(scenarioWith([refused, lost, changed]));
  expect(judge(truth)).toEqual([]);
  expect(longestGapMs(truth)).toBeLessThan(5 * MINUTE_MS);
});
