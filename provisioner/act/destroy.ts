// Asks for the end of one instance. Touches the API and, before it, the state file.
import { type Clock, withDeadline } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { accountMessage } from "../model/account.ts";
import { MUTATION_MS } from "../model/deadlines.ts";
import type { Desired } from "../model/desired.ts";
import {
  accountBlocked,
  type Destroy,
  deleteConfirmed,
  deleteSent,
  destroyed,
  markForDeletion,
} from "../state/apply-outcome.ts";
import type { State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import { accountTrouble, asVastError } from "../vast/errors.ts";

export interface DestroyInstanceParts {
  client: VastClient;
  clock: Clock;
  log: Logger;
  desired: Desired;
  /** Takes the memory over and puts it on disk; throws when it cannot, and then nothing is asked. */
  save(state: State): Promise<void>;
  /** Asked when all is on disk: whether the label is still ours to act for, for the time that a mutation may take. */
  mayMutate(): Promise<boolean>;
}

/** Protocol rule 1: the id is doomed on disk before the DELETE, and stays so until a complete list lacks it. */
export async function destroyInstance(
  parts: DestroyInstanceParts,
  action: Destroy,
  message: string,
  state: State,
  signal?: AbortSignal,
): Promise<State> {
  const { client, clock, log, desired, save } = parts;
  let next = markForDeletion(state, action, clock.now());
  await save(next);
  if (!(await parts.mayMutate())) {
    // What to do with the instance is for somebody else to say now: it must not be found doomed here later on.
    await save(state);
    return state;
  }
  log.info({ event: "action", action: "destroy", instance: action.id, reason: action.reason }, message);
  try {
    await withDeadline(clock, MUTATION_MS, signal, (deadline) => client.destroyInstance(action.id, deadline));
    next = deleteConfirmed(deleteSent(next, action.id, clock.now()), action.id);
  } catch (error) {
    const failure = asVastError(error);
    const trouble = accountTrouble(failure);
    if (trouble !== null) next = accountBlocked(next, trouble, accountMessage(trouble, failure.message), clock.now());
    // Whatever the API answers leaves the id doomed: the lists decide, and tell after a while to ask again. Only what it
    // did not take up at all is asked again at once.
    const sent = failure.reached && failure.kind !== "rate_limited" && trouble === null;
    if (sent) next = deleteSent(next, action.id, clock.now());
    if (failure.kind === "not_found") next = deleteConfirmed(next, action.id);
    log.warn(
      { event: "action", action: "destroy", instance: action.id, err: failure },
      `instance ${action.id} is asked to be destroyed again until a list lacks it: ${failure.message}`,
    );
  }
  next = destroyed(next, action, desired, message, clock.now());
  await save(next);
  return next;
}
