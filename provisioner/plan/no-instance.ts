// Rows 3 and 19 to 24 of the table: whether to create an instance when there is none. Pure.

import { CREATE_BUDGET_MS, CREATE_DEADLINE_MS } from "../model/deadlines.ts";
import { NOT_SERVING, type Plan } from "../model/plan.ts";
import { wantedKey } from "../state/schema.ts";
import { pendingDeleteBlocksCreate } from "./housekeeping.ts";
import { BLOCKED_MS, NEXT_CHECK_MS, noChange, type PlanInput } from "./input.ts";
import { templateTrouble } from "./template.ts";

// Without bans a bad host may be rented again: worth half a minute of waiting for Redis, not more.
const BANS_WAIT_MS = 30_000;

export function planNone(facts: PlanInput): Plan {
  const { desired, seen, state, now, limits } = facts;
  if (pendingDeleteBlocksCreate(facts)) {
    const ids = state.pendingDeletes.map((d) => d.id).join(", ");
    return noChange(facts, NOT_SERVING, "destroying", `instance ${ids} is being destroyed`, "provisioning");
  }
  const trouble = templateTrouble(facts);
  const first = state.intent === null && !state.confirmedNone; // row 20 comes first: the template is asked for with the second list
  if (trouble !== null && !(first && trouble.reason === "template_unknown"))
    return noChange(facts, NOT_SERVING, trouble.reason, trouble.message, "blocked", BLOCKED_MS);

  if (state.intent !== null) return unresolved(facts, state.intent.contract, state.intent.startedAt);
  if (!state.confirmedNone) {
    return noChange(
      facts,
      NOT_SERVING,
      "confirming_none",
      `no instance has the label ${desired.label}; looking once more before one is created`,
      "provisioning",
      1000,
    );
  }
  if (state.creates.length >= limits.maxCreatesPerHour) {
    const refillAt = Math.min(...state.creates) + CREATE_BUDGET_MS;
    const say = `${state.creates.length} instances were created within an hour, VAST_MAX_CREATES_PER_HOUR is ${limits.maxCreatesPerHour}: see the log for why they failed; the next is created at ${new Date(refillAt).toISOString()}`;
    return noChange(
      facts,
      NOT_SERVING,
      "create_budget",
      say,
      "blocked",
      Math.min(BLOCKED_MS, Math.max(refillAt - now, 0)),
    );
  }
  const { backoff } = state;
  if (backoff !== null && backoff.until > now && backoff.wanted === wantedKey(desired.image, desired.templateName)) {
    const passing = backoff.reason === "create_rate_limited" || backoff.reason === "offers_lost";
    const state = passing ? "provisioning" : "blocked"; // these pass by themselves
    return noChange(
      facts,
      NOT_SERVING,
      backoff.reason,
      backoff.message,
      state,
      Math.min(BLOCKED_MS, backoff.until - now),
    );
  }
  if (!seen.bans.known && now - (state.bansUnknownSince ?? now) < BANS_WAIT_MS) {
    return noChange(
      facts,
      NOT_SERVING,
      "bans_unknown",
      `the bans are unknown (${seen.bans.why.message}); waiting ${BANS_WAIT_MS / 1000} s for them`,
      "provisioning",
    );
  }
  const blind = seen.bans.known
    ? ""
    : `; the bans are unknown (${seen.bans.why.message}), so that a banned host may be taken`;
  const create = noChange(
    facts,
    NOT_SERVING,
    "no_instance",
    `no instance has the label ${desired.label}: one is created${blind}`,
    "provisioning",
  );
  return { ...create, actions: [{ kind: "create" }], nextCheckAt: now };
}

/** Row 19, and rule 6 of creating: a success whose row never appears is destroyed by its id. */
function unresolved(facts: PlanInput, contract: number | null, startedAt: number): Plan {
  const { desired, now } = facts;
  if (now - startedAt < CREATE_DEADLINE_MS) {
    const say =
      contract === null
        ? `the outcome of a create is unknown: looking for the label ${desired.label}`
        : `instance ${contract} was created and is not listed yet`;
    return noChange(facts, NOT_SERVING, "create_unresolved", say, "provisioning", NEXT_CHECK_MS);
  }
  if (contract === null) {
    // The deadline is over and nothing carries the label: the create did not happen.
    const say = `the create with unknown outcome left no instance behind within ${CREATE_DEADLINE_MS / 1000} s`;
    return {
      ...noChange(facts, NOT_SERVING, "create_unresolved", say, "provisioning"),
      actions: [{ kind: "forget_intent" }],
      nextCheckAt: now,
    };
  }
  const say = `instance ${contract} was created but never listed: it is destroyed by its id`;
  const destroy = {
    kind: "destroy",
    id: contract,
    hostId: null,
    machineId: null,
    reason: "create_never_appeared",
  } as const;
  return {
    ...noChange(facts, NOT_SERVING, "create_never_appeared", say, "provisioning"),
    actions: [destroy],
    nextCheckAt: now,
  };
}
