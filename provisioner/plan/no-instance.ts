// The rules for a pod that has no instance: whether one is created. Pure.
import { CREATE_BUDGET_MS, CREATE_DEADLINE_MS } from "../model/deadlines.ts";
import type { CreateAction } from "../model/plan.ts";
import { bidNow, MOST_BID_FAILURES } from "../state/bids.ts";
import { pendingDeleteBlocksCreate } from "./housekeeping.ts";
import type { PlanInput } from "./input.ts";
import { BLOCKED_MS, NEXT_CHECK_MS, noChange, type Rule, withoutInstance } from "./rule.ts";

// Without the bans a bad host may be rented again: that is worth half a minute of waiting for Redis, not more.
const BANS_WAIT_MS = 30_000;
const CONFIRM_NONE_MS = 1000;
const DEADLINE_SECONDS = CREATE_DEADLINE_MS / 1000;

export const DESTROYING_RULE: Rule = {
  name: "destroying",
  observed: "no other instance, and one that is being destroyed is still listed, for less than 120 s",
  plan: "wait; it is never published, its destroy is sent again after 60 s, without a clear answer sooner",
  decide: withoutInstance((situation) => {
    if (!pendingDeleteBlocksCreate(situation)) return null;
    const ids = situation.state.pendingDeletes.map((d) => d.id).join(", ");
    return noChange(situation, "destroying", `instance ${ids} is being destroyed`, "provisioning");
  }),
};

/** Creates the desired instance. */
export function createAction({ desired, seen, state, limits }: Omit<PlanInput, "ownership" | "now">): CreateAction {
  const template = seen.template.known ? seen.template.value : state.template;
  const { label, image, templateName } = desired;
  const maxDollarsPerHour = limits.maxDollarsPerHour ?? null;
  const templateHash = template?.hash ?? null;
  const bid = bidNow(state, limits.bidding);
  const create = { kind: "create", label, image, templateName, templateHash, maxDollarsPerHour } as const;
  if (bid !== null) return { ...create, bid };
  return limits.bidding === null ? create : { ...create, fallback: true };
}

/** The end of a sentence about a create. */
function howRented({ state, limits }: Pick<PlanInput, "state" | "limits">): string {
  if (limits.bidding === null) return "";
  if (bidNow(state, limits.bidding) !== null) return " with a bid";
  return ` on demand, because ${MOST_BID_FAILURES} bids have failed within an hour (VAST_BID_FALLBACK)`;
}

/** Why the budget allows no create, or null: what to look for, and when the next create is possible (epoch ms). */
export function spentBudget({ state, limits }: PlanInput): { message: string; refillAt: number } | null {
  if (state.creates.length < limits.maxCreatesPerHour) return null;
  const refillAt = Math.min(...state.creates) + CREATE_BUDGET_MS;
  const message = `${state.creates.length} instances were created within an hour and VAST_MAX_CREATES_PER_HOUR is ${limits.maxCreatesPerHour}: see the log for why they failed. The next create is possible at ${new Date(refillAt).toISOString()}`;
  return { message, refillAt };
}

export const NO_INSTANCE_RULES: readonly Rule[] = [
  {
    name: "create_unresolved",
    observed: "no instance, and a create that may have succeeded, less than 120 s ago",
    plan: "wait for its instance to be listed",
    decide: withoutInstance((situation) => {
      const { state, now, desired } = situation;
      const { intent } = state;
      if (intent === null || now - intent.startedAt >= CREATE_DEADLINE_MS) return null;
      const message =
        intent.contract === null
          ? `the outcome of a create is unknown: looking for an instance with the label ${desired.label}`
          : `instance ${intent.contract} was created but is not listed yet`;
      return noChange(situation, "create_unresolved", message, "provisioning", NEXT_CHECK_MS);
    }),
  },
  {
    name: "create_left_nothing",
    observed: "no instance 120 s after a create with an unknown outcome",
    plan: "forget the create",
    decide: withoutInstance((situation) => {
      if (situation.state.intent === null || situation.state.intent.contract !== null) return null;
      const message = `the create with an unknown outcome left no instance within ${DEADLINE_SECONDS} s`;
      return {
        ...noChange(situation, "create_unresolved", message, "provisioning"),
        actions: [{ kind: "forget_intent" }],
        nextCheckAt: situation.now,
      };
    }),
  },
  {
    name: "create_never_appeared",
    observed: "a created instance was not listed within 120 s",
    plan: "destroy it by its id, then create another",
    decide: withoutInstance((situation) => {
      const id = situation.state.intent?.contract ?? null;
      if (id === null) return null;
      const reason = "create_never_appeared";
      const message = `instance ${id} was created but not listed within ${DEADLINE_SECONDS} s; it is destroyed by its id`;
      return {
        ...noChange(situation, reason, message, "provisioning"),
        actions: [{ kind: "destroy", id, hostId: null, machineId: null, reason }],
        nextCheckAt: situation.now,
      };
    }),
  },
  {
    name: "confirming_none",
    observed: "no instance, and no earlier list to confirm it: first start, or an instance disappeared",
    plan: "wait for a second empty list, at least `VAST_FIRST_CREATE_WAIT_SECONDS` later",
    decide: withoutInstance((situation) => {
      if (situation.state.confirmedNone) return null;
      const message = `no instance has the label ${situation.desired.label}; one is created when a second list confirms it`;
      return noChange(situation, "confirming_none", message, "provisioning", CONFIRM_NONE_MS);
    }),
  },
  {
    name: "create_budget",
    observed: "no instance, and `VAST_MAX_CREATES_PER_HOUR` is reached",
    plan: "wait until a create is an hour old; `blocked: create_budget`",
    decide: withoutInstance((situation) => {
      const spent = spentBudget(situation);
      if (spent === null) return null;
      const waitMs = Math.min(BLOCKED_MS, Math.max(spent.refillAt - situation.now, 0));
      return noChange(situation, "create_budget", spent.message, "blocked", waitMs);
    }),
  },
  {
    name: "backing_off",
    observed:
      "no instance, and the last attempt for this image and template failed: no offer, refused, rate-limited, or the image, disk or app does not work",
    plan: "wait with exponential backoff; `provisioning` if only the market or the rate limit has to change, else `blocked`",
    decide: withoutInstance((situation) => {
      const { state, now, desired } = situation;
      const { backoff } = state;
      if (backoff === null || backoff.until <= now || backoff.wanted !== desired.revision) return null;
      const passes = backoff.reason === "create_rate_limited" || backoff.reason === "offers_lost";
      const waitMs = Math.min(BLOCKED_MS, backoff.until - now);
      return noChange(situation, backoff.reason, backoff.message, passes ? "provisioning" : "blocked", waitMs);
    }),
  },
  {
    name: "bans_unknown",
    observed: "no instance, and the bans have been unknown for less than 30 s",
    plan: "wait for Redis",
    decide: withoutInstance((situation) => {
      const { seen, state, now } = situation;
      if (seen.bans.known || now - (state.bansUnknownSince ?? now) >= BANS_WAIT_MS) return null;
      const message = `the bans are unknown (${seen.bans.why.message}); waiting ${BANS_WAIT_MS / 1000} s for Redis`;
      return noChange(situation, "bans_unknown", message, "provisioning");
    }),
  },
  {
    name: "no_instance",
    observed: "no instance",
    plan: "create one; if the bans are still unknown, without them",
    decide: withoutInstance((situation) => {
      const { desired, seen, now } = situation;
      const unfiltered = seen.bans.known
        ? ""
        : `. The bans are unknown (${seen.bans.why.message}), so it may be on a banned host`;
      const message = `no instance has the label ${desired.label}: creating one${howRented(situation)}${unfiltered}`;
      return {
        ...noChange(situation, "no_instance", message, "provisioning"),
        actions: [createAction(situation)],
        nextCheckAt: now,
      };
    }),
  },
];
