// The decision that destroys an instance so that another one is created. Pure.
import { banTarget } from "../model/bans.ts";
import type { Action, Decision, DestroyAction } from "../model/plan.ts";
import { BANNING_REASONS, type DestroyReason } from "../model/reasons.ts";
import type { Instance } from "../vast/rows.ts";
import type { Situation } from "./situation.ts";

/** `message` is the whole sentence. */
export function replacement(
  row: Instance,
  { limits, serving, now }: Situation,
  reason: Exclude<DestroyReason, "operator">,
  message: string,
  difference?: DestroyAction["difference"],
): Decision {
  const { id, hostId, machineId } = row;
  const bans = BANNING_REASONS.has(reason) && limits.bansEnabled;
  const ban: Action[] = bans ? [{ kind: "ban", target: banTarget(row, limits.banScope), instanceId: id, reason }] : [];
  const destroy: Action = { kind: "destroy", id, hostId, machineId, reason, ...(difference ? { difference } : {}) };
  return {
    reason,
    message,
    state: "provisioning",
    serving,
    actions: [...ban, destroy],
    checkedAt: now,
    nextCheckAt: now,
  };
}
