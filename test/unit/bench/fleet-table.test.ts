import { expect, test } from "vitest";
import type { FleetNumbers } from "../../bench/fleet-phases.ts";
import { fleetTable } from "../../bench/fleet-table.ts";

const NUMBERS: FleetNumbers = {
  coldStart: 1.052,
  rollout: 1.1,
  outage: 2,
  mostDown: 3,
  longestDown: 63.4,
  longestWithoutBoot: 17.2,
  refused: 0,
  calls: 12_345,
  idleCalls: 6.5,
  redisOperations: 21.3,
  simulatedHours: 2,
};

test("a run is a row", () => {
  const [, , row] = fleetTable([{ program: "store", pods: 20, numbers: NUMBERS }]);
  expect(row).toBe("| 20 | store | 1.05x | 1.10x | 3, 63.4 s (17.2 s) | 2.00x | 0 of 12,345 | 6.50 | 21.3 |");
});

test("what did not end is never, and what was not tried after it is empty", () => {
  const notTried = { rollout: null, outage: null, mostDown: null, longestDown: null, longestWithoutBoot: null };
  const none = { ...notTried, coldStart: null, idleCalls: null };
  const [, , cold] = fleetTable([{ program: "naive", pods: 50, numbers: { ...NUMBERS, ...none } }]);
  expect(cold).toBe("| 50 | naive | never |  |  |  | 0 of 12,345 |  | 21.3 |");
  const rollout = { ...NUMBERS, rollout: null, longestDown: null, longestWithoutBoot: null, outage: null };
  expect(fleetTable([{ program: "naive", pods: 5, numbers: rollout }])[2]).toContain("| never | 3, for ever |  |");
});
