// What the laws ask for and the provisioner cannot keep before Redis mirrors what its disk remembers. Each is a named expected
// failure: the day it passes, the test says so.
import { expect, test } from "vitest";
import { budgetKeptByLabel } from "./laws/budget.ts";
import { nothingLeft } from "./laws/nothing-left.ts";
import type { Injection, Scenario } from "./scenario.ts";
import { simulate } from "./simulation.ts";

const MINUTE_MS = 60_000;

const replacedAt = (at: number): Injection => ({
  kind: "restart",
  at,
  pod: 0,
  how: "kill",
  point: null,
  downMs: 3000,
  losesDisk: true,
});

function run(injections: Injection[]): Scenario {
  return {
    seed: 5,
    hours: 2.2,
    pods: 1,
    faultsEndMs: 65 * MINUTE_MS,
    env: { BLACKLIST_ENABLED: "true" },
    oneAddress: true,
    emulator: {},
    injections,
  };
}

test.fails("EXPECTED FAILURE, needs the budget in Redis: a label's budget holds although its pod is replaced", async () => {
  const rounds = Array.from({ length: 9 }, (_, i) => 4 + 6 * i);
  const injections = rounds.flatMap((minute): Injection[] => [
    { kind: "instance", at: minute * MINUTE_MS, pod: 0, event: "kill", body: {}, undo: null },
    replacedAt(minute * MINUTE_MS + 1000),
  ]);
  expect(budgetKeptByLabel((await simulate(run(injections))).truth)).toEqual([]);
});

test.fails("EXPECTED FAILURE, needs the intent in Redis: a contract that is never listed is ended although its pod is replaced", async () => {
  const rule = { method: "PUT", path: "^/api/v0/asks/", times: 1, effect: { kind: "no-row" } };
  const injections: Injection[] = [{ kind: "api-fault", at: 0, forMs: MINUTE_MS, rule }, replacedAt(MINUTE_MS)];
  expect(nothingLeft((await simulate(run(injections))).truth)).toEqual([]);
});
