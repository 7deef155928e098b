// What is said and served while another provisioner has the label, or may have it: nothing is created or destroyed. Pure.

import { LEASE_MS } from "../model/deadlines.ts";
import type { Ownership } from "../model/ownership.ts";
import type { Plan, Serving } from "../model/plan.ts";
import { BLOCKED_MS, noChange, type PlanInput, UNKNOWN_MS } from "./input.ts";

// A lease that ends is tried for soon after, and not many times within the second before.
const LEAST_WAIT_MS = 1000;

/** What serves goes on serving: two pods of one label may both send requests to its instance. */
export function leaseHeldByOther(
  facts: PlanInput,
  serving: Serving,
  ownership: Exclude<Ownership, { kind: "ours" }>,
): Plan {
  const { desired, now } = facts;
  if (ownership.kind === "unknown") {
    const say = `Redis does not tell whether another provisioner has the label ${desired.label} (${ownership.why}): nothing is created or destroyed before ${new Date(ownership.until).toISOString()}`;
    const state = serving.server === null ? "provisioning" : "ready";
    return noChange(facts, serving, "owner_unknown", say, state, Math.min(UNKNOWN_MS, ownership.until - now));
  }
  const { owner, until } = ownership;
  const end =
    until === null
      ? `its lease in Redis never expires: if it is gone, delete the key`
      : `if it is gone, its lease in Redis ends within ${LEASE_MS / 1000} s`;
  const say = `the label ${desired.label} belongs to another provisioner, ${owner}: nothing is created or destroyed here. Give pods of one POD_NAME a VAST_LABEL each, and accounts that share a Redis a database each; ${end}`;
  const waitMs = until === null ? BLOCKED_MS : Math.min(BLOCKED_MS, Math.max(until - now, LEAST_WAIT_MS));
  return noChange(facts, serving, "other_owner", say, "blocked", waitMs);
}
