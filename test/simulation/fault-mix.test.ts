import { beforeAll, expect, test } from "vitest";
import { runMany } from "./run-many.ts";
import type { Verdict } from "./run-one.ts";

// 5 pods for 2.52 hours: an hour and a half with faults, and the hour after it that the laws need. 40 seeds make 504
// pod-hours, 158 s on two free cores (2026-11-28).
const SEEDS = 40;
const SIZE = { hours: 2.52, pods: 5 };
// Enough for a short list of faults in a failing test; `npm run simulate` makes it shorter.
const SHRINK_RUNS = 10;
// A busy machine needs more time.
const LONGEST_MS = 900_000;

let verdicts: Verdict[] = [];
beforeAll(async () => {
  const tasks = Array.from({ length: SEEDS }, (_, i) => ({
    seed: i + 1,
    ...SIZE,
    fleet: false,
    shrinkRuns: SHRINK_RUNS,
  }));
  verdicts = await runMany(tasks, () => undefined);
}, LONGEST_MS);

test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))("seed %i: faults of every kind break no law", (seed) => {
  const verdict = verdicts.find((one) => one.seed === seed);
  expect(verdict?.hash).toMatch(/^[0-9a-f]{64}$/);
  expect([...(verdict?.breaches ?? []), ...(verdict?.shortest ?? [])]).toEqual([]);
});
