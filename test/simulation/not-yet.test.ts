// What the laws ask for and the provisioner cannot keep before Redis mirrors what its disk remembers. Each is a named expected
// failure: the day it passes, the test says so.
import { expect, test } from "vitest";
import { budgetKeptByLabel } from "./laws/budget.ts";
import { nothingLeft } from "./laws/nothing-left.ts";
import { happens, killed, MINUTE_MS, quietRun } from "./quiet-run.ts";
import type { Injection } from "./scenario.ts";
import { simulate } from "./simulation.ts";

test.fails("EXPECTED FAILURE, needs the budget in Redis: a label's budget holds although its pod is replaced", async () => {
  const rounds = Array.from({ length: 9 }, (_, i) => 4 + 6 * i);
  const injections = rounds.flatMap((minute): Injection[] => [happens(minute, "kill"), killed(minute + 0.02, true)]);
  expect(budgetKeptByLabel((await simulate(quietRun(injections))).truth)).toEqual([]);
});

test.fails("EXPECTED FAILURE, needs the intent in Redis: a contract that is never listed is ended although its pod is replaced", async () => {
  const rule = { method: "PUT", path: "^/api/v0/asks/", times: 1, effect: { kind: "no-row" } };
  const injections: Injection[] = [{ kind: "api-fault", at: 0, forMs: MINUTE_MS, rule }, killed(1, true)];
  expect(nothingLeft((await simulate(quietRun(injections))).truth)).toEqual([]);
});
