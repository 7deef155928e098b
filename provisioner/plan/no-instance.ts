// Rows 3 and 19 to 24 of the table: whether to create an instance when there is none. Pure.

import { BUDGET_MS, CREATE_DEADLINE_MS } from "../state/apply-observation.ts";
import { wantedKey } from "../state/schema.ts";
import { doomedBlocks } from "./housekeeping.ts";
import { BLOCKED_MS, type Facts, NOTHING, type Plan, quiet, SOON_MS } from "./input.ts";
import { templateTrouble } from "./template.ts";

// Without bans a bad host may be rented again: worth half a minute of waiting for Redis, not more.
const BANS_WAIT_MS = 30_000;

export function planNone(facts: Facts): Plan {
  const { desired, seen, memory, now, limits } = facts;
  if (doomedBlocks(facts)) {
    const ids = memory.doomed.map((d) => d.id).join(", ");
    return quiet(facts, NOTHING, "destroying", `instance ${ids} is being destroyed`, "provisioning");
  }
  const trouble = templateTrouble(facts);
  const first = memory.intent === null && !memory.confirmedNone; // row 20 comes first: the template is asked for with the second list
  if (trouble !== null && !(first && trouble.reason === "template_unknown"))
    return quiet(facts, NOTHING, trouble.reason, trouble.message, "blocked", BLOCKED_MS);

  if (memory.intent !== null) return unresolved(facts, memory.intent.contract, memory.intent.startedAt);
  if (!memory.confirmedNone) {
    return quiet(
      facts,
      NOTHING,
      "confirming_none",
      `no instance has the label ${desired.label}; looking once more before one is created`,
      "provisioning",
      1000,
    );
  }
  if (memory.creates.length >= limits.maxCreatesPerHour) {
    const refillAt = Math.min(...memory.creates) + BUDGET_MS;
    const say = `${memory.creates.length} instances were created within an hour, VAST_MAX_CREATES_PER_HOUR is ${limits.maxCreatesPerHour}: see the log for why they failed; the next is created at ${new Date(refillAt).toISOString()}`;
    return quiet(facts, NOTHING, "create_budget", say, "blocked", Math.min(BLOCKED_MS, Math.max(refillAt - now, 0)));
  }
  const { backoff } = memory;
  if (backoff !== null && backoff.until > now && backoff.wanted === wantedKey(desired.image, desired.templateName)) {
    const passing = backoff.reason === "create_rate_limited" || backoff.reason === "offers_lost";
    const state = passing ? "provisioning" : "blocked"; // these pass by themselves
    return quiet(facts, NOTHING, backoff.reason, backoff.message, state, Math.min(BLOCKED_MS, backoff.until - now));
  }
  if (!seen.bans.known && now - (memory.bansUnknownSince ?? now) < BANS_WAIT_MS) {
    return quiet(
      facts,
      NOTHING,
      "bans_unknown",
      `the bans are unknown (${seen.bans.why.message}); waiting ${BANS_WAIT_MS / 1000} s for them`,
      "provisioning",
    );
  }
  const blind = seen.bans.known
    ? ""
    : `; the bans are unknown (${seen.bans.why.message}), so that a banned host may be taken`;
  const create = quiet(
    facts,
    NOTHING,
    "no_instance",
    `no instance has the label ${desired.label}: one is created${blind}`,
    "provisioning",
  );
  return { ...create, actions: [{ kind: "create" }], nextCheckAt: now };
}

/** Row 19, and rule 6 of creating: a success whose row never appears is destroyed by its id. */
function unresolved(facts: Facts, contract: number | null, startedAt: number): Plan {
  const { desired, now } = facts;
  if (now - startedAt < CREATE_DEADLINE_MS) {
    const say =
      contract === null
        ? `the outcome of a create is unknown: looking for the label ${desired.label}`
        : `instance ${contract} was created and is not listed yet`;
    return quiet(facts, NOTHING, "create_unresolved", say, "provisioning", SOON_MS);
  }
  if (contract === null) {
    // The deadline is over and nothing carries the label: the create did not happen.
    const say = `the create with unknown outcome left no instance behind within ${CREATE_DEADLINE_MS / 1000} s`;
    return {
      ...quiet(facts, NOTHING, "create_unresolved", say, "provisioning"),
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
    ...quiet(facts, NOTHING, "create_never_appeared", say, "provisioning"),
    actions: [destroy],
    nextCheckAt: now,
  };
}
