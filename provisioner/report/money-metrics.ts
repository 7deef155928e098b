// The metrics of money. The counters are read from the state: they go on after a restart. Touches only the registry.
import { countOf, gaugeOf, type Registry } from "../../common/metrics.ts";
import type { LoopState } from "../loop-state.ts";

export function registerMoneyMetrics(registry: Registry, loop: Pick<LoopState, "state" | "account">): void {
  countOf(
    registry,
    {
      name: "vast_pod_cost_dollars_total",
      help: "Cost of the pod's instances, failed ones included: an estimate, price x time as listed, without traffic.",
    },
    () => loop.state.money.paid,
  );
  countOf(
    registry,
    {
      name: "vast_pod_wasted_dollars_total",
      help: "The part of that cost for time in which no server of the instance was published.",
    },
    () => loop.state.money.wasted,
  );
  gaugeOf(
    registry,
    { name: "vast_pod_account_credit_dollars", help: "What the account can still spend, read every ten minutes." },
    () => loop.account.credit?.dollars ?? null,
  );
}
