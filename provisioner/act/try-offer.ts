// Sends one create for one offer and answers what came of it. Touches the API; the caller keeps the state.
import { withDeadline } from "../../common/clock.ts";
import type { Fence } from "../../common/http.ts";
import { oneLine } from "../../common/terminal.ts";
import { CREATE_WAIT_MS } from "../model/deadlines.ts";
import { diskSpace } from "../model/disk-space.ts";
import type { CreateAction } from "../model/plan.ts";
import { asVastError, isOfferGone, isOutcomeUnknown, type VastError } from "../vast/errors.ts";
import type { Offer, Template } from "../vast/rows.ts";
import type { DestroyInstanceParts } from "./destroy.ts";

export interface OfferParts extends DestroyInstanceParts {
  /** `-u USER -p TOKEN HOST`, or null when the template brings its own login. */
  imageLogin: () => string | null;
}

/** `stop`: the program is asked to stop. `abortMutations`: it cannot wait any longer for a mutation that was sent. */
export interface Signals {
  stop: AbortSignal;
  abortMutations: AbortSignal;
}

/**
 * - `gone`: somebody else has rented the offer
 * - `unknown`: the create may have succeeded
 * - `refused`: nothing was created
 * - `left_contract`: the create failed but left a contract, which is ours
 * - `not_sent`: the label's lease is not held any more, or too much time has passed since the intent was written
 */
export type OfferOutcome =
  | { kind: "created"; contract: number }
  | { kind: "gone" }
  | { kind: "unknown" }
  | { kind: "refused"; failure: VastError }
  | { kind: "left_contract"; failure: VastError; contract: number }
  | { kind: "not_sent" };

/** `offer 31415926 (RTX 4090, $0.3000/h)`; with `a bid of $0.2800/h` where one is made */
export function offerText({ id, gpuName, dollarsPerHour, bid }: Offer): string {
  const price = dollarsPerHour === null ? "" : `, $${dollarsPerHour.toFixed(4)}/h`;
  const bidText = bid === undefined ? "" : `, a bid of $${bid.toFixed(4)}/h`;
  return `offer ${id} (${oneLine(gpuName)}${price}${bidText})`;
}

/** The intent must be on disk before this is called; `mayBeSent` must be older than it. */
export async function tryOffer(
  parts: OfferParts,
  action: CreateAction,
  offer: Offer,
  template: Template,
  mayBeSent: Fence,
  { stop, abortMutations }: Signals,
): Promise<OfferOutcome> {
  const { client, clock, log } = parts;
  const { hostId, machineId } = offer;
  if (!(await parts.mayMutate())) return { kind: "not_sent" };
  log.info(
    { event: "progress", phase: "creating", offer: offer.id, hostId, machineId },
    `creating from ${offerText(offer)}`,
  );
  try {
    const imageLogin = parts.imageLogin();
    const request = {
      offerId: offer.id,
      templateHash: template.hash,
      image: action.image,
      label: action.label,
      diskSpace: diskSpace(template),
      ...(imageLogin === null ? {} : { imageLogin }),
      ...(offer.bid === undefined ? {} : { bid: offer.bid }),
    };
    const contract = await withDeadline(clock, CREATE_WAIT_MS, stop, (slot) =>
      client.createInstance(request, mayBeSent, abortMutations, slot),
    );
    return { kind: "created", contract };
  } catch (error) {
    const failure = asVastError(error);
    if (failure.contract !== null) return { kind: "left_contract", failure, contract: failure.contract };
    if (failure.kind === "not_sent") {
      log.warn(
        { event: "action", action: "create", offer: offer.id, err: failure },
        "the create was not sent; the next pass decides again",
      );
      return { kind: "not_sent" };
    }
    if (isOutcomeUnknown(failure)) {
      log.warn(
        { event: "action", action: "create", offer: offer.id, err: failure },
        `create outcome unknown; looking for its instance before creating another (${failure.message})`,
      );
      return { kind: "unknown" };
    }
    if (!isOfferGone(failure)) return { kind: "refused", failure };
    log.info({ event: "progress", phase: "creating", offer: offer.id }, `offer ${offer.id} is gone, trying the next`);
    return { kind: "gone" };
  }
}
