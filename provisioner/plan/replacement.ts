// The plan that ends an instance so that another one takes its place. Pure.
import { banTarget } from "../model/bans.ts";
import type { Action, Plan, Serving } from "../model/plan.ts";
import { BANNING_REASONS, type DestroyReason } from "../model/reasons.ts";
import type { Instance } from "../vast/rows.ts";
import type { PlanInput } from "./input.ts";

export function replacement(
  row: Instance,
  facts: PlanInput,
  serving: Serving,
  reason: DestroyReason,
  message: string,
  difference?: { wanted: string; reported: string },
): Plan {
  const { id, hostId, machineId } = row;
  const bans = BANNING_REASONS.has(reason) && facts.limits.bansEnabled;
  const target = banTarget(row, facts.limits.banScope);
  const ban: Action[] = bans ? [{ kind: "ban", target, instanceId: id, reason }] : [];
  const destroy: Action = { kind: "destroy", id, hostId, machineId, reason, ...(difference ? { difference } : {}) };
  return {
    reason: reason === "operator" ? "internal_error" : reason,
    message,
    state: "provisioning",
    server: null,
    instance: serving.instance,
    actions: [...ban, destroy],
    serving,
    checkedAt: facts.now,
    nextCheckAt: facts.now,
  };
}
