// Destroys one instance. Touches the API and, before it, the state file.
import { type Clock, withDeadline } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { accountMessage } from "../model/account.ts";
import { MUTATION_MS } from "../model/deadlines.ts";
import type { Desired } from "../model/desired.ts";
import type { DestroyAction } from "../model/plan.ts";
import {
  accountBlocked,
  deleteConfirmed,
  deleteRefused,
  deleteUnanswered,
  destroyed,
  markForDeletion,
} from "../state/apply-outcome.ts";
import { holdReplacement } from "../state/held-replacement.ts";
import { endRefused } from "../state/refused-end.ts";
import type { State } from "../state/schema.ts";
import { withoutRefusedDelete } from "../state/undo-delete.ts";
import type { VastClient } from "../vast/client.ts";
import { accountTrouble, asVastError, isDestroyRefused, type VastError } from "../vast/errors.ts";
import { sendAgain } from "./send-again.ts";
import { openSendWindow } from "./send-window.ts";
import { keptMessage, whyNotNow } from "./why-not-now.ts";

export interface DestroyInstanceParts {
  client: VastClient;
  clock: Clock;
  log: Logger;
  desired: Desired;
  /** Takes the state over and puts it on disk; when it throws, nothing is sent. */
  save(state: State): Promise<void>;
  /** Whether this provisioner still holds the label's lease for the time that a mutation may take; called when all is on disk. */
  mayMutate(): Promise<boolean>;
}

// A server was withdrawn for this destroy: one that came too soon after another is sent again when the rate limit allows it, all within
// the time of one mutation. Others are sent again in a later pass.
const TRIES_WITH_SERVER = 3;

/**
 * The id is in the pending deletes on disk before the DELETE is sent, and stays there until a complete list lacks it. A destroy that
 * certainly took no effect is no longer pending: the instance lives on, may answer again, and the next pass decides anew.
 */
export async function destroyInstance(
  parts: DestroyInstanceParts,
  action: DestroyAction,
  message: string,
  state: State,
  signal?: AbortSignal,
): Promise<State> {
  const { client, clock, log, desired, save } = parts;
  const mayBeSent = openSendWindow(clock);
  let next = markForDeletion(state, action, clock.now());
  await save(next);
  const withdrawn = async () => {
    // Another provisioner may decide about the instance now: this one must not destroy it later.
    await save(state);
    return state;
  };
  if (!(await parts.mayMutate())) return withdrawn();
  const servedUntilNow = action.difference !== undefined && state.tracks[action.id]?.serving === true;
  const tries = servedUntilNow ? TRIES_WITH_SERVER : 1;
  const level = servedUntilNow && action.reason !== "contract_ending" ? "warn" : "info";
  log[level]({ event: "action", action: "destroy", instance: action.id, reason: action.reason }, message);
  try {
    await withDeadline(clock, MUTATION_MS, signal, (deadline) =>
      sendAgain(() => client.destroyInstance(action.id, mayBeSent, deadline), tries, deadline),
    );
    next = deleteConfirmed(next, action.id, clock.now());
  } catch (error) {
    const failure = asVastError(error);
    if (failure.kind === "not_sent") {
      log.warn(
        { event: "action", action: "destroy", instance: action.id, err: failure },
        `the destroy of instance ${action.id} was not sent; the next pass decides again`,
      );
      return withdrawn();
    }
    if (isDestroyRefused(failure)) return livesOn(parts, action, failure, state);
    // The lists show whether it took effect, and it is sent again after a while.
    const after = failure.kind === "not_found" ? deleteConfirmed : deleteUnanswered;
    next = after(next, action.id, clock.now());
    log.warn(
      { event: "action", action: "destroy", instance: action.id, err: failure },
      `the destroy of instance ${action.id} is sent again until the instance is no longer listed: ${failure.message}`,
    );
  }
  next = destroyed(next, action, desired.revision, message, clock.now());
  await save(next);
  return next;
}

/** The instance was not destroyed. The next attempt waits, except when only the rate limit or the network was in the way. */
async function livesOn(
  { clock, log, save }: DestroyInstanceParts,
  action: DestroyAction,
  failure: VastError,
  state: State,
): Promise<State> {
  const { id, reason, difference } = action;
  const message = keptMessage(action, remedy(failure));
  log.warn({ event: "action", action: "destroy", instance: id, err: failure }, message);
  const trouble = accountTrouble(failure);
  let next = state;
  if (difference === undefined && trouble !== null) {
    const now = clock.now();
    next = accountBlocked(withoutRefusedDelete(state, id, now), trouble, accountMessage(trouble, failure.message), now);
  } else if (difference !== undefined || failure.kind === "invalid") {
    // Only an attempt that interrupts a server costs something.
    const known = trouble === null ? state : endRefused(state);
    const before = state.tracks[id]?.serving === true ? known : { ...known, heldReplacement: null };
    const held = { instanceId: id, wanted: difference?.wanted ?? reason, reason: "destroy_refused", message } as const;
    next = deleteRefused(holdReplacement(before, held, clock.now()), id, clock.now());
  }
  await save(next);
  return next;
}

function remedy(failure: VastError): string {
  const refusal = `the API refuses it; destroy it in the console of Vast.ai if this lasts (${failure.message})`;
  return whyNotNow(failure) ?? refusal;
}
