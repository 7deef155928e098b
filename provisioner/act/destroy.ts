// Destroys one instance. Touches the API and, before it, the state file.
import { type Clock, withDeadline } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { accountMessage } from "../model/account.ts";
import { MUTATION_MS } from "../model/deadlines.ts";
import type { Desired } from "../model/desired.ts";
import type { DestroyAction } from "../model/plan.ts";
import { accountBlocked, deleteConfirmed, deleteSent, destroyed, markForDeletion } from "../state/apply-outcome.ts";
import type { State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import { accountTrouble, asVastError } from "../vast/errors.ts";
import { openSendWindow } from "./send-window.ts";

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

/** The id is in the pending deletes on disk before the DELETE is sent, and stays there until a complete list lacks it. */
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
  log.info({ event: "action", action: "destroy", instance: action.id, reason: action.reason }, message);
  try {
    await withDeadline(clock, MUTATION_MS, signal, (deadline) =>
      client.destroyInstance(action.id, mayBeSent, deadline),
    );
    next = deleteConfirmed(deleteSent(next, action.id, clock.now()), action.id);
  } catch (error) {
    const failure = asVastError(error);
    if (failure.kind === "not_sent") {
      log.warn(
        { event: "action", action: "destroy", instance: action.id, err: failure },
        `the destroy of instance ${action.id} was not sent; the next pass decides again`,
      );
      return withdrawn();
    }
    const trouble = accountTrouble(failure);
    if (trouble !== null) next = accountBlocked(next, trouble, accountMessage(trouble, failure.message), clock.now());
    // The delete stays pending whatever the API answers: the lists show whether it took effect, and it is sent again after a
    // while. What the API did not process at all is sent again in the next pass.
    const sent = failure.reached && failure.kind !== "rate_limited" && trouble === null;
    if (sent) next = deleteSent(next, action.id, clock.now());
    if (failure.kind === "not_found") next = deleteConfirmed(next, action.id);
    log.warn(
      { event: "action", action: "destroy", instance: action.id, err: failure },
      `the destroy of instance ${action.id} is sent again until the instance is no longer listed: ${failure.message}`,
    );
  }
  next = destroyed(next, action, desired.revision, message, clock.now());
  await save(next);
  return next;
}
