// Finds out, while an instance serves, whether the API would take its end. Touches the API with a call that changes nothing.
import { withDeadline } from "../../common/clock.ts";
import type { Action } from "../model/plan.ts";
import { holdReplacement } from "../state/held-replacement.ts";
import { rehearsed } from "../state/refused-end.ts";
import type { State } from "../state/schema.ts";
import { accountTrouble, asVastError, isOutcomeUnknown, type VastError } from "../vast/errors.ts";
import type { DestroyInstanceParts } from "./destroy.ts";
import { sendAgain } from "./send-again.ts";
import { openSendWindow } from "./send-window.ts";
import { keptMessage, whyNotNow } from "./why-not-now.ts";

// The list by which the end was decided must still count afterwards.
const ANSWER_WITHIN_MS = 20_000;
const TRIES = 2;

/**
 * The instance gets the label that it has: that needs the same right as its end. Where the API refuses it for the account's sake, or does
 * not answer, the end waits, and the instance serves on. Any other refusal is none of the key: it says as much as a yes.
 */
export async function rehearse(
  { client, clock, log, mayMutate }: Omit<DestroyInstanceParts, "desired" | "save">,
  { ends, label }: Extract<Action, { kind: "rehearse" }>,
  state: State,
  stop: AbortSignal,
): Promise<State> {
  const { id, kind } = ends;
  const line = { event: "action", action: "rehearse", instance: id } as const;
  const mayBeSent = openSendWindow(clock);
  if (!(await mayMutate())) return state;
  try {
    await withDeadline(clock, ANSWER_WITHIN_MS, stop, (deadline) =>
      sendAgain(() => client.writeLabel(id, label, mayBeSent, deadline), TRIES, deadline),
    );
  } catch (error) {
    const failure = asVastError(error);
    if (failure.kind === "not_sent" || stop.aborted) return state;
    if (!saysMuch(failure)) {
      const message = keptMessage(ends, whyNotNow(failure) ?? `the API does not answer (${failure.message})`);
      log.debug({ ...line, err: failure }, message);
      const wanted = ends.kind === "destroy" ? (ends.difference?.wanted ?? ends.reason) : ends.difference.wanted;
      const reason = ends.kind === "destroy" ? "destroy_refused" : "update_refused";
      return holdReplacement(state, { instanceId: id, wanted, reason, message }, clock.now(), true);
    }
    log.debug({ ...line, err: failure }, `the label of instance ${id} was not written again: ${failure.message}`);
  }
  log.info(line, `the API takes changes of instance ${id} again: its ${kind} is tried once more`);
  return rehearsed(state, clock.now());
}

/** The API has looked at the request itself. */
function saysMuch(failure: VastError): boolean {
  return (
    accountTrouble(failure) === null && failure.kind !== "rate_limited" && failure.reached && !isOutcomeUnknown(failure)
  );
}
