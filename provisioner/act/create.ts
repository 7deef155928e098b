// Creates one instance: template, search, and offers one after another until one is not gone. Touches the API and, before
// each create, the state file.
import type { AccountReadings } from "../fleet/account-readings.ts";
import type { FoundOffers, OfferFate } from "../fleet/offer-market.ts";
import type { PodTurns } from "../fleet/pod-turns.ts";
import { accountMessage } from "../model/account.ts";
import { mayDecide, type Observation } from "../model/observation.ts";
import type { CreateAction } from "../model/plan.ts";
import type { Pauses } from "../observe/pauses.ts";
import { exclusionText } from "../search/exclusions.ts";
import { type Requirements, requirements } from "../search/requirements.ts";
import type { Choice } from "../search/select-offers.ts";
import {
  accountBlocked,
  createdAs,
  createRefused,
  intend,
  markForDeletion,
  offerGone,
} from "../state/apply-outcome.ts";
import { backOff } from "../state/backoff.ts";
import type { Backoff, State } from "../state/schema.ts";
import { type AccountTrouble, accountTrouble, asVastError, type VastError } from "../vast/errors.ts";
import type { Offer, Template } from "../vast/rows.ts";
import { currentTemplate } from "./current-template.ts";
import { destroyInstance } from "./destroy.ts";
import { type FindOfferParts, findOffers, type OfferChoice } from "./find-offers.ts";
import { openSendWindow } from "./send-window.ts";
import { type OfferOutcome, type OfferParts, type Signals, tryOffer } from "./try-offer.ts";
import { whyNoOffer } from "./why-no-offer.ts";

export interface CreateParts extends OfferParts, FindOfferParts {
  turns: Pick<PodTurns, "untilCreateIsNext">;
  readings: AccountReadings;
  pauses: Pauses;
  /** When a create that was rate-limited may be sent again. */
  nextCreateSlot: (notBefore: number) => number;
  /** Called with what a search found: what can be taken, and why the rest cannot. */
  onOffers?: (choice: Choice) => void;
}

/** What came of a create, in the words of the reasons. */
export type CreateOutcome =
  | "created"
  | "create_unresolved"
  | "create_failed"
  | "create_interrupted"
  | `account_${AccountTrouble}`
  | Backoff["reason"];

export interface CreateResult {
  state: State;
  outcome: CreateOutcome;
}

/** Why an attempt created nothing, in a sentence. */
export function messageOfResult({ state, outcome }: CreateResult): string {
  return (outcome.startsWith("account_") ? state.account?.message : state.backoff?.message) ?? outcome;
}

// Offers tried from one search: after that the list is old, and a fresh one costs less than more misses.
const MOST_OFFERS = 5;
// A lost offer is nobody's fault and costs no waiting; this many lists of lost offers mean that others empty the market.
const MOST_SEARCHES = 3;
// All searches and offers take some 80 s by the API's rate limits. Where it answers slowly the pass ends earlier, so that /livez sees it.
const SERIES_MS = 90_000;
// A create that comes too soon after another is locked out for this long.
const RATE_LIMITED_CREATE_MS = 12_000;
// The calls of a create, and what a refusal of each one means.
const CREATE = { name: "create", refusal: "the API refuses the create: check image, template, label and disk space" };
const SEARCH = {
  name: "search for an offer",
  refusal: "the API refuses the search: check VAST_SEARCH_QUERY and VAST_SEARCH_ORDER",
};
const TEMPLATE = {
  name: "reading the template",
  refusal: "the API refuses to return the template: check VAST_TEMPLATE_NAME and the rights of VAST_API_KEY",
};

/** One attempt. Whether an instance exists is shown by the next lists. */
export async function createOne(
  parts: CreateParts,
  action: CreateAction,
  seen: Observation,
  state: State,
  signals: Signals,
): Promise<CreateResult> {
  const { stop } = signals;
  const { clock, market, pauses, turns } = parts;
  const pausedMs = pauses.totalMs();
  const prepared = await prepareSearch(parts, action, seen, state, stop);
  if (prepared.needs === null) return prepared.result;
  const { needs, template } = prepared;
  let next = prepared.state;
  const until = clock.now() + SERIES_MS;
  let found: FoundOffers | null = null;
  for (let searches = 0; searches < MOST_SEARCHES && clock.now() < until; searches += 1) {
    const search = await searchOffers(parts, needs, next, found, stop);
    if (search.offers === null) return search.result;
    ({ found } = search);
    let tried = 0;
    for (const offer of search.offers) {
      // Nobody else reserves a machine meanwhile, so that the reservations need not outlive a flush of Redis.
      const isNext = await turns.untilCreateIsNext(stop);
      // Somebody else may have created one since the list was read, or in a pause: the next pass observes again.
      if (!isNext || stop.aborted || pauses.totalMs() > pausedMs || !mayDecide(seen, clock.now()))
        return interrupted(next);
      if (tried === MOST_OFFERS || clock.now() >= until) break;
      if (!(await market.reserve(offer, found))) continue;
      tried += 1;
      const attempt = await attemptOffer(parts, action, offer, template, next, signals);
      await market.settle(offer, fateAfter(attempt.outcome));
      next = attempt.state;
      if (attempt.outcome !== null) return { state: next, outcome: attempt.outcome };
    }
  }
  const message = "all offers that were tried had been taken by somebody else; searching again soon";
  return backingOff(parts, next, "offers_lost", message);
}

/** What a create searches for, by the template as it is now; or the result of an attempt that ends here. */
export async function prepareSearch(
  parts: CreateParts,
  action: CreateAction,
  seen: Observation,
  state: State,
  stop: AbortSignal,
): Promise<{ needs: Requirements; template: Template; state: State } | { needs: null; result: CreateResult }> {
  const { clock } = parts;
  let read: Awaited<ReturnType<typeof currentTemplate>>;
  try {
    read = await currentTemplate(parts, action.templateName, seen, stop);
  } catch (error) {
    return {
      needs: null,
      result: stop.aborted ? interrupted(state) : failed(parts, asVastError(error), state, TEMPLATE),
    };
  }
  const { value: template, readAt } = read;
  if (template === null) {
    const message = `the account no longer has the template "${action.templateName}": create it again, or correct VAST_TEMPLATE_NAME`;
    return { needs: null, result: backingOff(parts, state, "create_refused", message) };
  }
  const bans = [...(seen.bans.known ? seen.bans.value : []), ...state.unwrittenBans];
  const needs = requirements(template, action.maxDollarsPerHour ?? undefined, bans, action.bid);
  return { needs, template, state: { ...state, template: { ...template, seenAt: clock.now(), readAt } } };
}

/** What other pods may think of a machine after a create on it. */
function fateAfter(outcome: CreateOutcome | null): OfferFate {
  if (outcome === null || outcome === "created" || outcome === "create_failed") return "rented";
  return outcome === "create_unresolved" ? "unknown" : "left";
}

/**
 * The offers to try, at least one; or the result of an attempt without any. `before`: the offers of this search were just lost, and a
 * list may lag behind, so an empty one does not prove that the market is empty.
 */
export async function searchOffers(
  parts: CreateParts,
  needs: Requirements,
  state: State,
  before: FoundOffers | null,
  stop: AbortSignal,
): Promise<{ offers: readonly [Offer, ...Offer[]]; found: FoundOffers } | { offers: null; result: CreateResult }> {
  const { log } = parts;
  let choice: OfferChoice;
  log.info({ event: "progress", phase: "searching" }, "searching for an offer");
  try {
    choice = await findOffers(parts, needs, state, before, stop);
  } catch (error) {
    const result = stop.aborted ? interrupted(state) : failed(parts, asVastError(error), state, SEARCH);
    return { offers: null, result };
  }
  const { offers, exclusions, found } = choice;
  parts.onOffers?.(choice);
  const excluded = exclusionText(exclusions);
  log.debug(
    { event: "progress", phase: "searching", excluded },
    `${offers.length} of ${found.total} offers can be used`,
  );
  const [best, ...others] = offers;
  if (best !== undefined) return { offers: [best, ...others], found };
  const lostSome = before !== null || found.offers.length < found.total;
  const message = await whyNoOffer(parts, choice, needs, state, lostSome, stop);
  if (stop.aborted) return { offers: null, result: interrupted(state) };
  return { offers: null, result: backingOff(parts, state, lostSome ? "offers_lost" : "no_offer", message) };
}

/** Tries one offer, folds its outcome into the state and saves once. `outcome` null: the offer is gone, the next one may be tried. */
async function attemptOffer(
  parts: CreateParts,
  action: CreateAction,
  offer: Offer,
  template: Template,
  before: State,
  signals: Signals,
): Promise<{ state: State; outcome: CreateOutcome | null }> {
  const { clock, log, save } = parts;
  const { id: offerId, hostId, machineId, dollarsPerHour } = offer;
  const mayBeSent = openSendWindow(clock);
  const startedAt = clock.now();
  const { label, besides, fallback } = action;
  const created = { offerId, hostId, machineId, dollarsPerHour, label, startedAt, contract: null };
  const intent = { ...created, ...(besides && { besides }), ...(fallback && { fallback }) };
  const intended = intend(before, intent);
  await save(intended); // no intent on disk, no create
  const result = await tryOffer(parts, action, offer, template, mayBeSent, signals);
  if (result.kind === "left_contract") return destroyLeftContract(parts, result, intended, signals.abortMutations);
  const folded = foldOutcome(parts, result, before, intended, offerId);
  await save(folded.state);
  if (result.kind === "created") {
    const { contract } = result;
    const line = { event: "action", action: "create", instance: contract, offer: offerId, hostId, machineId } as const;
    log.info(line, `instance ${contract} is created`);
  }
  return folded;
}

function foldOutcome(
  parts: CreateParts,
  result: Exclude<OfferOutcome, { kind: "left_contract" }>,
  before: State,
  intended: State,
  offerId: number,
): { state: State; outcome: CreateOutcome | null } {
  switch (result.kind) {
    case "created":
      return { state: createdAs(intended, result.contract), outcome: "created" };
    case "unknown":
      return { state: intended, outcome: "create_unresolved" };
    case "gone":
      return { state: offerGone(createRefused(intended), offerId, parts.clock.now()), outcome: null };
    case "refused":
      return failed(parts, result.failure, createRefused(intended), CREATE);
    case "not_sent":
      return { state: before, outcome: "create_interrupted" };
  }
}

/** A create that failed but left a contract: it is ours and may be billed, so it is destroyed. */
async function destroyLeftContract(
  parts: CreateParts,
  { failure, contract }: Extract<OfferOutcome, { kind: "left_contract" }>,
  intended: State,
  signal?: AbortSignal,
): Promise<CreateResult> {
  const { hostId = null, machineId = null } = intended.intent ?? {};
  const destroy = { kind: "destroy", id: contract, hostId, machineId, reason: "create_failed" } as const;
  const message = `the create failed but left instance ${contract}; it is destroyed (${failure.message})`;
  // Marked even if somebody else holds the lease by now: nobody else knows of this contract.
  const marked = markForDeletion({ ...intended, intent: null }, destroy, parts.clock.now());
  const next = await destroyInstance(parts, destroy, message, marked, signal);
  const trouble = accountTrouble(failure);
  if (trouble === null) return { state: next, outcome: "create_failed" };
  const accountText = accountMessage(trouble, failure.message);
  return { state: accountBlocked(next, trouble, accountText, parts.clock.now()), outcome: "create_failed" };
}

/** A failure that certainly created nothing: the account pauses, or the next attempt waits. */
function failed(parts: CreateParts, failure: VastError, state: State, call: typeof CREATE): CreateResult {
  const { clock, log, nextCreateSlot } = parts;
  const now = clock.now();
  const line =
    call === CREATE
      ? ({ event: "action", action: "create", err: failure } as const)
      : ({ event: "progress", phase: "searching", err: failure } as const);
  log.warn(line, `${call.name} failed: ${failure.message}`);
  const trouble = accountTrouble(failure);
  if (trouble !== null) {
    const message = accountMessage(trouble, failure.message);
    return { state: accountBlocked(state, trouble, message, now), outcome: `account_${trouble}` };
  }
  if (!failure.retryable) return backingOff(parts, state, "create_refused", `${call.refusal} (${failure.message})`);
  const message = `the API accepts no calls at the moment; trying again soon (${failure.message})`;
  const waiting = backingOff(parts, state, "create_rate_limited", message);
  const { backoff } = waiting.state;
  if (backoff === null || failure.kind !== "rate_limited") return waiting;
  const least = Math.max(backoff.until, now + (failure.retryAfterMs ?? 0), now + RATE_LIMITED_CREATE_MS);
  return { ...waiting, state: { ...waiting.state, backoff: { ...backoff, until: nextCreateSlot(least) } } };
}

function backingOff(
  { clock, desired }: CreateParts,
  state: State,
  reason: Backoff["reason"],
  message: string,
): CreateResult {
  return { state: backOff(state, reason, message, desired.revision, clock.now()), outcome: reason };
}

function interrupted(state: State): CreateResult {
  return { state, outcome: "create_interrupted" };
}
