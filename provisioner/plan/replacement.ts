// The plan that ends an instance so that another one takes its place. Pure.
import { banTarget } from "../model/bans.ts";
import { BANNING_REASONS, type DestroyReason } from "../model/reasons.ts";
import type { Instance } from "../vast/rows.ts";
import type { Action, Facts, Plan, Standing } from "./input.ts";

export function replacement(
  row: Instance,
  facts: Facts,
  standing: Standing,
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
    reason: reason === "operator" ? "undecided" : reason,
    message,
    state: "provisioning",
    server: null,
    instance: standing.instance,
    actions: [...ban, destroy],
    standing,
    checkedAt: facts.now,
    nextCheckAt: facts.now,
  };
}

/** `instance 7835610 (RTX 4090, $0.316/h)` */
export function describe(row: Instance): string {
  const price = row.dollarsPerHour === null ? null : `$${row.dollarsPerHour.toFixed(3)}/h`;
  const facts = [row.gpuName, price].filter((fact) => fact);
  return `instance ${row.id}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`;
}
