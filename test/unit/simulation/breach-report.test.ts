import { expect, test } from "vitest";
import { breachLines } from "../../simulation/breach-report.ts";
import type { Verdict } from "../../simulation/run-one.ts";
import type { Task } from "../../simulation/tasks.ts";

const verdict = (seed: number, breaches: string[], shortest: string[] = []): Verdict => ({
  seed,
  hash: "",
  breaches,
  money: { paid: 0, boot: 0, waste: 0 },
  servedShare: 1,
  causes: [],
  timeline: [],
  shortest,
});
const task = (seed: number, over: Partial<Task> = {}): Task => ({
  seed,
  hours: 5,
  pods: 3,
  fleet: false,
  shrinkRuns: 0,
  ...over,
});

test("each run that breaks a law is named, with what it breaks and the command that repeats it", () => {
  const runs = [verdict(1, []), verdict(2, ["01:00 one-instance: two"], ["shortest: exit"]), verdict(3, ["end: x"])];
  const quality: Partial<Task> = { mix: "quality", order: "expected_cost", fleet: true };
  expect(breachLines(runs, [task(1), task(2), task(3, quality)])).toEqual([
    "seed 2 breaks:",
    "  01:00 one-instance: two",
    "  shortest: exit",
    "  full timeline: npm run simulate -- --seed 2 --hours 5 --pods 3 --no-fleet",
    "seed 3 breaks:",
    "  end: x",
    "  full timeline: npm run simulate -- --seed 3 --hours 5 --pods 3 --fleet --mix quality --order expected_cost",
    "3 seeds, 45 pod-hours, 2 seeds break a law",
    "failing seeds: 2, 3",
  ]);
  expect(breachLines([verdict(1, [])], [task(1)])).toEqual(["1 seeds, 15 pod-hours, 0 seeds break a law"]);
});
