import { expect, test } from "vitest";
import { createRegistry } from "../../../../common/metrics.ts";
import { startState } from "../../../../provisioner/loop-state.ts";
import { registerMoneyMetrics } from "../../../../provisioner/report/money-metrics.ts";
import { NOW, state } from "../plan/situation.ts";

test("the counters of money start at 0 and follow the state, and the credit has no line while it is unknown", async () => {
  const registry = createRegistry();
  const loop = startState(state(), NOW);
  registerMoneyMetrics(registry, loop);
  const values = async () => (await registry.metrics()).split("\n").filter((line) => /^vast_pod/.test(line));
  expect(await values()).toEqual(["vast_pod_cost_dollars_total 0", "vast_pod_wasted_dollars_total 0"]);
  const { money } = loop.state;
  loop.account = { ...loop.account, credit: { dollars: 88.2, at: NOW } };
  loop.state = state({ money: { ...money, paid: 1.5, wasted: 0.25 } });
  expect(await values()).toEqual([
    "vast_pod_cost_dollars_total 1.5",
    "vast_pod_wasted_dollars_total 0.25",
    "vast_pod_account_credit_dollars 88.2",
  ]);
});
