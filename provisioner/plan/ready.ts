// The decision about an instance that serves and is as it is wanted. Pure.
import type { Decision } from "../model/plan.ts";
import { noChange, SERVING_MS } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";

export function ready({ row, name }: KeptInstance, situation: Situation): Decision {
  const { maxDollarsPerHour } = situation.limits;
  const over = maxDollarsPerHour !== undefined && (row.dollarsPerHour ?? 0) > maxDollarsPerHour;
  const alarm = over ? `; ALARM: it costs more than VAST_MAX_DPH (${maxDollarsPerHour})` : "";
  return noChange(situation, "instance_ready", `${name} is serving${alarm}`, "ready", SERVING_MS);
}
