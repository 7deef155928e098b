// The provisioner counts what its instances cost from the lists that it sees; the emulator knows what was really charged.
import { expect, test } from "vitest";
import { emptyState, stateSchema } from "../../provisioner/state/schema.ts";
import { contractsOf } from "./emulator-truth.ts";
import { faultMix } from "./fault-mix.ts";
import { simulate } from "./simulation.ts";

const HOURS = 3;
const PODS = 4;

/** $ of the pods that kept their state file: charged, and counted by the program. */
async function bothAccounts(seed: number) {
  const { truth, states } = await simulate(faultMix(seed, { hours: HOURS, pods: PODS }));
  const sums = { pods: 0, charged: 0, counted: 0, servedNobody: 0, wasted: 0 };
  for (const [i, pod] of truth.pods.entries()) {
    const text = states[i] ?? null;
    if (pod.replacedAt.length > 0) continue;
    const { money } = text === null ? emptyState(pod.label) : stateSchema.parse(JSON.parse(text));
    sums.pods += 1;
    sums.counted += money.paid;
    sums.wasted += money.wasted;
    for (const { paid } of contractsOf(truth, pod)) {
      sums.charged += paid.serving + paid.before + paid.after;
      sums.servedNobody += paid.before + paid.after;
    }
  }
  return sums;
}

// Seeds in which at least two pods keep their disks; in the second all update in place or surge.
test.each([3, 21])("what is counted agrees with what is charged within 2 %, whatever fails (seed %i)", async (seed) => {
  const { pods, charged, counted, servedNobody, wasted } = await bothAccounts(seed);
  expect(pods).toBeGreaterThan(1);
  expect(charged).toBeGreaterThan(0.2);
  expect(Math.abs(counted / charged - 1)).toBeLessThan(0.02);
  expect(Math.abs(wasted - servedNobody) / charged).toBeLessThan(0.02);
});
