// Creates one instance: template, search, and offers one after another until one is not gone. Touches the API and, before
// each create, the state file.
import { withDeadline } from "../../common/clock.ts";
import { accountMessage } from "../model/account.ts";
import { CREATE_WAIT_MS } from "../model/deadlines.ts";
import type { Observation } from "../model/observation.ts";
import { explainNoOffers } from "../search/explain-no-offers.ts";
import type { SearchQuery } from "../search/query.ts";
import { diskSpace, queryAlone, type Requirements, requirements, searchBody } from "../search/requirements.ts";
import { selectOffers } from "../search/select-offers.ts";
import {
  accountBlocked,
  created,
  type Destroy,
  intend,
  markForDeletion,
  offerGone,
  refused,
} from "../state/apply-outcome.ts";
import { backOff } from "../state/backoff.ts";
import { type State, wantedKey } from "../state/schema.ts";
import { accountTrouble, asVastError, isOfferGone, isOutcomeUnknown, type VastError } from "../vast/errors.ts";
import type { Offer, Template } from "../vast/rows.ts";
import { type DestroyInstanceParts, destroyInstance } from "./destroy.ts";

export interface CreateParts extends DestroyInstanceParts {
  query: SearchQuery;
  /** `-u USER -p TOKEN HOST`, or null when the template brings its own login. */
  imageLogin: () => string | null;
  maxDollarsPerHour: number | undefined;
  /** When a create that was refused as too frequent may come again. */
  nextCreateSlot: (notBefore: number) => number;
}

/** `stop`: the program is asked to end. `abortMutations`: it cannot wait for a mutation under way any longer. */
export interface Signals {
  stop: AbortSignal;
  abortMutations: AbortSignal;
}

// Offers that are tried from one search: after that the list is old, and a fresh one costs less than more misses.
const MOST_OFFERS = 5;
// A lost offer is nobody's fault and costs no waiting; that many lists of lost ones are a market that others empty.
const MOST_SEARCHES = 3;
// All of them take some 80 s by the limits of the API. Where it answers slowly the pass ends earlier, so that it is seen to live.
const SERIES_MS = 90_000;
// A create that comes too soon after another is punished with a lock-out of this length.
const REFUSED_CREATE_MS = 12_000;
// Nobody edits a template and expects an instance of this very moment to have it; asking again costs the endpoint's 3 s.
const TEMPLATE_FRESH_MS = 15_000;
// Said of a call that the API refuses as such, with the remedy.
const CREATE_REFUSED = "the API refuses the create: check image, template, label and disk space";
const SEARCH_REFUSED = "the API refuses the search: check VAST_SEARCH_QUERY and VAST_SEARCH_ORDER";
const TEMPLATE_REFUSED =
  "the API refuses to tell the template: check VAST_TEMPLATE_NAME and the rights of VAST_API_KEY";

/** The memory after one attempt; whether something was created the next lists tell. */
export async function createOne(parts: CreateParts, seen: Observation, state: State, signals: Signals): Promise<State> {
  const { stop } = signals;
  const { clock, desired } = parts;
  const wanted = wantedKey(desired.image, desired.templateName);
  let template: Template | null;
  try {
    template = await currentTemplate(parts, seen, stop);
  } catch (error) {
    return stop.aborted ? state : failed(parts, asVastError(error), state, TEMPLATE_REFUSED);
  }
  if (template === null) {
    const message = `the template "${desired.templateName}" is gone from the account: create it again, or correct VAST_TEMPLATE_NAME`;
    return backOff(state, "create_refused", message, wanted, clock.now());
  }
  const bans = [...(seen.bans.known ? seen.bans.value : []), ...state.unwrittenBans];
  const needs = requirements(template, parts.maxDollarsPerHour, bans);
  let next: State = { ...state, template: { ...template, seenAt: clock.now() } };
  const until = clock.now() + SERIES_MS;
  for (let searches = 0; searches < MOST_SEARCHES && clock.now() < until; searches += 1) {
    const found = await search(parts, needs, next, searches > 0, stop);
    if (found.offers === null) return found.state;
    for (const offer of found.offers.slice(0, MOST_OFFERS)) {
      if (stop.aborted) return next;
      if (clock.now() >= until) break;
      const attempt = await tryOffer(parts, offer, template, next, signals);
      next = attempt.state;
      if (!attempt.gone) return next;
    }
  }
  const message =
    "the offers that were tried were all taken by somebody else before they could be rented: searching again soon";
  return backOff(next, "offers_lost", message, wanted, clock.now());
}

/**
 * The offers to try, at least one; or the memory of an attempt that ends without any. `lostSome`: those of the search
 * before were just lost, and a list may lag behind, so that nothing left does not yet mean that there is nothing.
 */
async function search(
  parts: CreateParts,
  needs: Requirements,
  state: State,
  lostSome: boolean,
  stop: AbortSignal,
): Promise<{ offers: readonly Offer[] } | { offers: null; state: State }> {
  const { client, clock, log, desired, query } = parts;
  const passedOver = state.avoided.map((entry) => entry.machineId);
  let found: readonly Offer[];
  log.info({ event: "progress", phase: "searching" }, "searching an offer");
  try {
    found = await client.searchOffers(searchBody(query, needs, passedOver), stop);
  } catch (error) {
    return { offers: null, state: stop.aborted ? state : failed(parts, asVastError(error), state, SEARCH_REFUSED) };
  }
  const { offers, excluded } = selectOffers(found, query, needs, state);
  log.debug({ event: "progress", phase: "searching", excluded }, `${offers.length} of ${found.length} can be taken`);
  if (offers.length > 0) return { offers };
  const why =
    found.length > 0 || lostSome
      ? `none of ${found.length} offers can be taken${excluded === "" ? "" : `: ${excluded}`}`
      : explainNoOffers(await findQueryAlone(parts, needs, stop), query, needs, state);
  const reason = lostSome ? "offers_lost" : "no_offer";
  const wanted = wantedKey(desired.image, desired.templateName);
  return { offers: null, state: stop.aborted ? state : backOff(state, reason, why, wanted, clock.now()) };
}

/** One call more where a search found nothing, so that the message can say why. Null: that was not answered either. */
async function findQueryAlone(
  { client, query, log }: CreateParts,
  needs: Requirements,
  stop: AbortSignal,
): Promise<Offer[] | null> {
  try {
    return await client.searchOffers(queryAlone(query, needs), stop);
  } catch (error) {
    log.debug(
      { event: "progress", phase: "searching", err: asVastError(error) },
      "what the query alone finds is not known",
    );
    return null;
  }
}

/** Asked for again unless the pass itself has just done so: a create takes the hash as it is now. */
async function currentTemplate(
  { client, clock, desired }: CreateParts,
  seen: Observation,
  stop: AbortSignal,
): Promise<Template | null> {
  if (seen.template.known && clock.now() - seen.templateAt < TEMPLATE_FRESH_MS) return seen.template.value;
  return client.findTemplate(desired.templateName, stop);
}

async function tryOffer(
  parts: CreateParts,
  offer: Offer,
  template: Template,
  state: State,
  { stop, abortMutations }: Signals,
): Promise<{ state: State; gone: boolean }> {
  const { client, clock, log, desired, save } = parts;
  const { id: offerId, hostId, machineId, dollarsPerHour } = offer;
  const { label } = desired;
  const intent = { offerId, hostId, machineId, dollarsPerHour, label, startedAt: clock.now(), contract: null };
  const intended = intend(state, intent);
  await save(intended); // rule 2: no intent on disk, no create
  if (!(await parts.mayMutate())) {
    await save(state);
    return { state, gone: false };
  }
  const price = offer.dollarsPerHour === null ? "" : `, $${offer.dollarsPerHour.toFixed(4)}/h`;
  log.info(
    { event: "progress", phase: "creating", offer: offer.id, hostId, machineId },
    `creating from offer ${offer.id} (${offer.gpuName}${price})`,
  );
  try {
    const imageLogin = parts.imageLogin();
    const request = {
      offerId: offer.id,
      templateHash: template.hash,
      image: desired.image,
      label: desired.label,
      diskSpace: diskSpace(template),
      ...(imageLogin === null ? {} : { imageLogin }),
    };
    const contract = await withDeadline(clock, CREATE_WAIT_MS, stop, (turn) =>
      client.createInstance(request, abortMutations, turn),
    );
    const next = created(intended, intent, contract);
    await save(next);
    log.info(
      { event: "action", action: "create", instance: contract, offer: offer.id, hostId, machineId },
      `instance ${contract} is created`,
    );
    return { state: next, gone: false };
  } catch (error) {
    const failure = asVastError(error);
    if (failure.contract !== null)
      return {
        state: await destroyLeftContract(parts, failure, failure.contract, intended, abortMutations),
        gone: false,
      };
    if (isOutcomeUnknown(failure)) {
      log.warn(
        { event: "action", action: "create", offer: offer.id, err: failure },
        `the outcome of the create is unknown: the label is looked for before another (${failure.message})`,
      );
      await save(intended);
      return { state: intended, gone: false };
    }
    const clean = refused(intended);
    if (isOfferGone(failure)) {
      log.info({ event: "progress", phase: "creating", offer: offer.id }, `offer ${offer.id} is gone, trying the next`);
      const next = offerGone(clean, offer.id, clock.now());
      await save(next);
      return { state: next, gone: true };
    }
    const next = failed(parts, failure, clean, CREATE_REFUSED);
    await save(next);
    return { state: next, gone: false };
  }
}

/** A create that failed and left a contract all the same: it is ours, it may bill, and it is no good. */
async function destroyLeftContract(
  parts: CreateParts,
  failure: VastError,
  contract: number,
  state: State,
  signal?: AbortSignal,
): Promise<State> {
  const { hostId = null, machineId = null } = state.intent ?? {};
  const action: Destroy = { kind: "destroy", id: contract, hostId, machineId, reason: "create_failed" };
  const message = `the create failed but left instance ${contract}: it is destroyed (${failure.message})`;
  // Doomed whoever has the label by now: nobody else knows of it.
  const ended = markForDeletion({ ...state, intent: null }, action, parts.clock.now());
  const next = await destroyInstance(parts, action, message, ended, signal);
  const trouble = accountTrouble(failure);
  if (trouble === null) return next;
  return accountBlocked(next, trouble, accountMessage(trouble, failure.message), parts.clock.now());
}

/** A failure that certainly created nothing: the account pauses, or the next attempt waits. `refusal` says what was not done. */
function failed(
  { clock, log, desired, nextCreateSlot }: CreateParts,
  failure: VastError,
  state: State,
  refusal: string,
): State {
  const now = clock.now();
  const wanted = wantedKey(desired.image, desired.templateName);
  log.warn({ event: "action", action: "create", err: failure }, `nothing was created: ${failure.message}`);
  const trouble = accountTrouble(failure);
  if (trouble !== null) return accountBlocked(state, trouble, accountMessage(trouble, failure.message), now);
  if (failure.retryable) {
    const say = `the API does not take calls now, trying again soon (${failure.message})`;
    const next = backOff(state, "create_rate_limited", say, wanted, now);
    if (next.backoff === null || failure.kind !== "rate_limited") return next;
    const least = Math.max(next.backoff.until, now + (failure.retryAfterMs ?? 0), now + REFUSED_CREATE_MS);
    return { ...next, backoff: { ...next.backoff, until: nextCreateSlot(least) } };
  }
  return backOff(state, "create_refused", `${refusal} (${failure.message})`, wanted, now);
}
