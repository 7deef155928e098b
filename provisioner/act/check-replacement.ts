// Finds out whether an instance could be created now, before a serving one is destroyed for it. Touches the API, which it only reads.
import { accountMessage } from "../model/account.ts";
import type { Observation } from "../model/observation.ts";
import type { CreateAction, DestroyAction, Outdated } from "../model/plan.ts";
import { type HeldReason, holdReplacement, isHeldReason } from "../state/held-replacement.ts";
import type { State } from "../state/schema.ts";
import { asVastError } from "../vast/errors.ts";
import { type CreateParts, type CreateResult, messageOfResult, searchOffers } from "./create.ts";
import { needsOfCreate } from "./needs-of-create.ts";

/** The state, in which the replacement is held where nothing could be created. Money, offers and bans can change at any time. */
export async function checkReplacement(
  parts: CreateParts,
  { replaces, create }: { replaces: DestroyAction; create: CreateAction },
  seen: Observation,
  state: State,
  stop: AbortSignal,
): Promise<State> {
  const { clock, log } = parts;
  const obstacle = await obstacleToCreate(parts, create, seen, state, stop);
  if (obstacle === null || replaces.difference === undefined) return state;
  return held({ clock, log }, { id: replaces.id, ...replaces.difference }, obstacle, state);
}

/** The state after a create beside an instance that serves: where nothing was created, the next attempt waits. */
export function unlessCreated(parts: CreateParts, { besides }: CreateAction, result: CreateResult): State {
  const { state, outcome } = result;
  if (besides === undefined || state.intent !== null || outcome === "create_interrupted") return state;
  if (outcome.startsWith("account_")) return state; // all mutations wait
  const reason = isHeldReason(outcome) ? outcome : outcome === "offers_lost" ? "no_offer" : "update_failed";
  return held(parts, besides, { reason, message: messageOfResult(result) }, state);
}

function held(
  { clock, log }: Pick<CreateParts, "clock" | "log">,
  { id: instanceId, wanted, reported }: Outdated,
  obstacle: { reason: HeldReason; message: string },
  state: State,
): State {
  const message = `instance ${instanceId} has ${reported}, but ${wanted} is wanted; it serves on, because no other instance can be created: ${obstacle.message}`;
  log.debug({ event: "progress", phase: "searching" }, message);
  return holdReplacement(state, { instanceId, wanted, reason: obstacle.reason, message }, clock.now());
}

async function obstacleToCreate(
  parts: CreateParts,
  create: CreateAction,
  seen: Observation,
  state: State,
  stop: AbortSignal,
): Promise<{ reason: HeldReason; message: string } | null> {
  const needs = needsOfCreate(create, seen, state);
  if (needs === null) return null; // the decision table has a rule for that
  if (await isOutOfCredit(parts, stop)) {
    const message = accountMessage("no_credit", "its balance and credit are below 0");
    return { reason: "account_no_credit", message };
  }
  const found = await searchOffers(parts, needs, state, null, stop);
  if (found.offers !== null || stop.aborted) return null;
  const { outcome } = found.result;
  return { reason: isHeldReason(outcome) ? outcome : "no_offer", message: messageOfResult(found.result) };
}

/** Only what is known counts: an answer that does not come prevents nothing. */
async function isOutOfCredit({ readings, log }: CreateParts, stop: AbortSignal): Promise<boolean> {
  try {
    const { value: credit } = await readings.credit(stop);
    return credit !== null && credit <= 0;
  } catch (error) {
    log.debug({ event: "progress", phase: "searching", err: asVastError(error) }, "the account's credit is unknown");
    return false;
  }
}
