// Raises the bid of one instance. Touches the API and, before it, the state file.
import { withDeadline } from "../../common/clock.ts";
import { MUTATION_MS } from "../model/deadlines.ts";
import type { RaiseBidAction } from "../model/plan.ts";
import { bidRaised, bidRefused } from "../state/bids.ts";
import type { State } from "../state/schema.ts";
import { asVastError, isOutcomeUnknown } from "../vast/errors.ts";
import type { DestroyInstanceParts } from "./destroy.ts";
import { sendAgain } from "./send-again.ts";
import { openSendWindow } from "./send-window.ts";
import { whyNotNow } from "./why-not-now.ts";

// Nobody is served until it is raised.
const TRIES = 2;

/**
 * The raise is on disk before the call, so that a program that crashes here does not raise without end. The call may be repeated. Whether
 * it took effect is shown by the list: an instance that does not run soon after is replaced, and one whose raise is refused at once.
 */
export async function raiseBid(
  { client, clock, log, save, mayMutate }: Omit<DestroyInstanceParts, "desired">,
  action: RaiseBidAction,
  message: string,
  state: State,
  signal?: AbortSignal,
): Promise<State> {
  const { id, dollarsPerHour } = action;
  const line = { event: "action", action: "raise_bid", instance: id } as const;
  const mayBeSent = openSendWindow(clock);
  const raised = bidRaised(state, action, clock.now());
  await save(raised);
  const withdrawn = async () => {
    await save(state);
    return state;
  };
  if (!(await mayMutate())) return withdrawn();
  log.info(line, message);
  try {
    await withDeadline(clock, MUTATION_MS, signal, (deadline) =>
      sendAgain(() => client.changeBid(id, dollarsPerHour, mayBeSent, deadline), TRIES, deadline),
    );
    return raised;
  } catch (error) {
    const failure = asVastError(error);
    if (failure.kind === "not_sent") return withdrawn();
    if (isOutcomeUnknown(failure)) {
      log.warn(
        { ...line, err: failure },
        `it is unknown whether the bid of instance ${id} was raised: the list shows it`,
      );
      return raised;
    }
    const why = whyNotNow(failure) ?? `the API refuses it (${failure.message})`;
    log.warn({ ...line, err: failure }, `the bid of instance ${id} was not raised: ${why}`);
    const next = bidRefused(raised, why);
    await save(next);
    return next;
  }
}
