// Replaces the container of one instance on its machine. Touches the API and, before it, the state file.
import { withDeadline } from "../../common/clock.ts";
import type { Fence } from "../../common/http.ts";
import { MUTATION_MS } from "../model/deadlines.ts";
import type { UpdateAction } from "../model/plan.ts";
import { holdReplacement } from "../state/held-replacement.ts";
import { endRefused, writeTaken } from "../state/refused-end.ts";
import type { State } from "../state/schema.ts";
import { recycled, templateSent, undoUnanswered, updateBegun, updateFailed } from "../state/updating.ts";
import { accountTrouble, asVastError, isOutcomeUnknown, type VastError } from "../vast/errors.ts";
import { sendAgain } from "./send-again.ts";
import { openSendWindow } from "./send-window.ts";
import type { OfferParts } from "./try-offer.ts";
import { keptMessage, whyNotNow } from "./why-not-now.ts";

// A server was withdrawn for this.
const TRIES = 3;
// So many attempts without an answer: the endpoint may not exist any more.
const MOST_WITHOUT_ANSWER = 3;

type Answer = { kind: "done" } | { kind: "not_sent" } | { kind: "failed"; failure: VastError };

/**
 * The update is on disk before its first call, so that a crash cannot leave a template prepared that nobody knows of. What the API refuses
 * has failed, and the next pass replaces the instance. What it takes no answer for, or refuses because of the account or the rate limit,
 * is tried again later; the old container serves until then. One that goes back to the container of before serves nobody meanwhile: it is
 * tried again soon.
 */
export async function updateInstance(
  parts: OfferParts,
  action: UpdateAction,
  message: string,
  state: State,
  signal?: AbortSignal,
): Promise<State> {
  const { client, clock, log, desired, save } = parts;
  const { id } = action;
  const mayBeSent = openSendWindow(clock);
  const begun = updateBegun(state, action, clock.now());
  await save(begun);
  const withdrawn = async () => {
    await save(state);
    return state;
  };
  if (!(await parts.mayMutate())) return withdrawn();
  log.info({ event: "action", action: "update", instance: id, reason: action.reason }, message);
  const prepared = await prepare(parts, action, mayBeSent, signal);
  if (prepared.kind === "not_sent") return withdrawn();
  const sent = templateSent(begun, clock.now());
  let next = sent;
  if (prepared.kind === "failed") {
    const { failure } = prepared;
    next = isOutcomeUnknown(failure)
      ? unanswered(parts, action, failure, sent)
      : refused(parts, action, failure, action.undoes === null ? state : sent, sent);
  } else {
    const answer = await tell(
      parts,
      (deadline) => sendAgain(() => client.recycleInstance(id, mayBeSent, deadline), TRIES, deadline),
      signal,
    );
    // Whether a recycle without an answer took place is shown by the list.
    if (answer.kind === "done" || (answer.kind === "failed" && isOutcomeUnknown(answer.failure)))
      next = recycled(answer.kind === "done" ? writeTaken(sent) : sent, action, desired.revision, clock.now());
    else if (answer.kind === "failed") next = refused(parts, action, answer.failure, sent, sent);
  }
  await save(next);
  return next;
}

async function prepare(
  { client, clock, imageLogin, ...parts }: OfferParts,
  { id, image, templateHash, diskGb }: UpdateAction,
  mayBeSent: Fence,
  signal?: AbortSignal,
): Promise<Answer> {
  const login = imageLogin();
  const request = {
    id,
    image,
    templateHash,
    ...(diskGb === null ? {} : { diskSpace: diskGb }),
    ...(login === null ? {} : { imageLogin: login }),
  };
  const send = (deadline: AbortSignal) =>
    sendAgain(() => client.updateTemplate(request, mayBeSent, deadline), TRIES, deadline);
  return tell({ ...parts, client, clock, imageLogin }, send, signal);
}

async function tell(
  { clock }: OfferParts,
  send: (deadline: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<Answer> {
  try {
    await withDeadline(clock, MUTATION_MS / 2, signal, send);
    return { kind: "done" };
  } catch (error) {
    const failure = asVastError(error);
    return failure.kind === "not_sent" ? { kind: "not_sent" } : { kind: "failed", failure };
  }
}

/** `kept`: the state if it is to be tried again, `failed`: the state if it is not. */
function refused(parts: OfferParts, action: UpdateAction, failure: VastError, kept: State, failed: State): State {
  const why = whyNotNow(failure);
  if (why !== null) return postponed(parts, action, accountTrouble(failure) === null ? kept : endRefused(kept), why);
  return updateFailed(failed, `the API refuses it (${failure.message})`);
}

function unanswered(parts: OfferParts, action: UpdateAction, failure: VastError, state: State): State {
  if (action.undoes !== null) {
    const { state: counted, times } = undoUnanswered(state);
    if (times < MOST_WITHOUT_ANSWER) return postponed(parts, action, counted, "the API does not answer it");
    return updateFailed(counted, `the API does not answer it (${failure.message})`);
  }
  const { heldReplacement: held } = state;
  const isSame = held?.instanceId === action.id && held.wanted === action.difference.wanted;
  const before = isSame && held.reason === "update_refused" ? held.failures : 0;
  if (before + 1 >= MOST_WITHOUT_ANSWER) return updateFailed(state, `the API does not answer it (${failure.message})`);
  return postponed(parts, action, state, `the API does not answer it (${failure.message})`);
}

function postponed({ clock, log }: OfferParts, action: UpdateAction, state: State, why: string): State {
  const { id, difference, image, undoes } = action;
  if (undoes !== null) {
    const line = { event: "action", action: "update", instance: id } as const;
    log.warn(line, `instance ${id} does not go back to image ${image} yet: ${why}. It is tried again`);
    return state;
  }
  const message = keptMessage(action, why);
  log.warn({ event: "action", action: "update", instance: id }, message);
  return holdReplacement(
    state,
    { instanceId: id, wanted: difference.wanted, reason: "update_refused", message },
    clock.now(),
  );
}
