// The runs of the test suite: what every seed has to show. Two test files share them, so that both cores work.
import { expect, test } from "vitest";
import { tryOut } from "./trial.ts";

// 5 pods for 2.6 hours: an hour and a half with faults, and the hour after it that the laws speak of. 40 seeds make 520 pod-hours.
const SIZE = { hours: 2.6, pods: 5 };
// Enough for a first short list in a failing test; `npm run simulate` goes further.
const SHRINK_RUNS = 8;

export function testSeeds(first: number, count: number): void {
  for (let seed = first; seed < first + count; seed += 1) {
    test(`seed ${seed}: faults of every kind break no law`, async () => {
      const { breaches, shortest } = await tryOut(seed, { ...SIZE, shrinkRuns: SHRINK_RUNS });
      expect([...breaches, ...shortest]).toEqual([]);
    });
  }
}
