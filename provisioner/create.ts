import { acceptable, diskSpace, searchBody } from "./choose.ts";
import { type EndParts, endInstance } from "./end-instance.ts";
import { type Memory, wantedKey } from "./memory.ts";
import type { Ban, Observation } from "./observation.ts";
import { accountBlocked, backOff, created, type Destroy, intend, offerGone, refused } from "./outcomes.ts";
import { accountMessage } from "./plan/account.ts";
import { accountTrouble, asVastError, isOfferGone, isOutcomeUnknown, type VastError } from "./vast/errors.ts";
import type { Offer, Template } from "./vast/rows.ts";

export interface CreateParts extends EndParts {
  query: Readonly<Record<string, unknown>>;
  /** `-u USER -p TOKEN HOST`, or null when the template brings its own login. */
  imageLogin: () => string | null;
  maxDollarsPerHour: number | undefined;
}

/** `stop`: the program is asked to end. `giveUp`: it cannot wait for a mutation under way any longer. */
export interface Signals {
  stop: AbortSignal;
  giveUp: AbortSignal;
}

// Offers that are tried from one search: after that the list is old, and a fresh one costs less than more misses.
const MOST_OFFERS = 5;
// Nobody edits a template and expects an instance of this very moment to have it; asking again costs the endpoint's 3 s.
const TEMPLATE_FRESH_MS = 15_000;

/** The memory after one attempt; whether something was created the next lists tell. */
export async function createOne(
  parts: CreateParts,
  seen: Observation,
  memory: Memory,
  signals: Signals,
): Promise<Memory> {
  const { stop } = signals;
  const { client, clock, log, desired } = parts;
  const wanted = wantedKey(desired.image, desired.templateName);
  const bans: readonly Ban[] = seen.bans.known ? seen.bans.value : [];
  let template: Template | null;
  let offers: Offer[];
  try {
    template = await currentTemplate(parts, seen, stop);
    if (template === null) {
      const message = `the template "${desired.templateName}" is gone from the account: create it again, or correct VAST_TEMPLATE_NAME`;
      return backOff(memory, "create_refused", message, wanted, clock.now());
    }
    log.info({ event: "progress", phase: "searching" }, "searching an offer");
    offers = await client.searchOffers(
      searchBody(parts.query, diskSpace(template), bans, parts.maxDollarsPerHour),
      stop,
    );
  } catch (error) {
    if (stop.aborted) return memory;
    return failed(parts, asVastError(error), memory);
  }
  const known: Memory = { ...memory, template: { ...template, seenAt: clock.now() } };
  const choice = acceptable(offers, bans, known, parts.maxDollarsPerHour);
  log.debug({ event: "progress", phase: "searching" }, choice.summary);
  if (choice.offers.length === 0) return backOff(known, "no_offer", choice.summary, wanted, clock.now());

  let next = known;
  for (const offer of choice.offers.slice(0, MOST_OFFERS)) {
    if (stop.aborted) return next;
    const attempt = await tryOffer(parts, offer, template, next, signals);
    next = attempt.memory;
    if (!attempt.gone) return next;
  }
  return next;
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
  memory: Memory,
  { stop, giveUp }: Signals,
): Promise<{ memory: Memory; gone: boolean }> {
  const { client, clock, log, desired, save } = parts;
  const { id: offerId, hostId, machineId, dollarsPerHour } = offer;
  const { label } = desired;
  const intent = { offerId, hostId, machineId, dollarsPerHour, label, startedAt: clock.now(), contract: null };
  const intended = intend(memory, intent);
  await save(intended); // rule 2: no intent on disk, no create
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
    const contract = await client.createInstance(request, giveUp, stop);
    const next = created(intended, intent, contract);
    await save(next);
    log.info(
      { event: "action", action: "create", instance: contract, offer: offer.id, hostId, machineId },
      `instance ${contract} is created`,
    );
    return { memory: next, gone: false };
  } catch (error) {
    const failure = asVastError(error);
    if (failure.contract !== null)
      return { memory: await endContract(parts, failure, failure.contract, intended, giveUp), gone: false };
    if (isOutcomeUnknown(failure)) {
      log.warn(
        { event: "action", action: "create", offer: offer.id, err: failure },
        `the outcome of the create is unknown: the label is looked for before another (${failure.message})`,
      );
      await save(intended);
      return { memory: intended, gone: false };
    }
    const clean = refused(intended);
    if (isOfferGone(failure)) {
      log.info({ event: "progress", phase: "creating", offer: offer.id }, `offer ${offer.id} is gone, trying the next`);
      const next = offerGone(clean, offer.id, clock.now());
      await save(next);
      return { memory: next, gone: true };
    }
    const next = failed(parts, failure, clean);
    await save(next);
    return { memory: next, gone: false };
  }
}

/** A create that failed and left a contract all the same: it is ours, it may bill, and it is no good. */
async function endContract(
  parts: CreateParts,
  failure: VastError,
  contract: number,
  memory: Memory,
  signal?: AbortSignal,
): Promise<Memory> {
  const { hostId = null, machineId = null } = memory.intent ?? {};
  const action: Destroy = { kind: "destroy", id: contract, hostId, machineId, reason: "create_failed" };
  const message = `the create failed but left instance ${contract}: it is destroyed (${failure.message})`;
  const next = await endInstance(parts, action, message, { ...memory, intent: null }, signal);
  const trouble = accountTrouble(failure);
  if (trouble === null) return next;
  return accountBlocked(next, trouble, accountMessage(trouble, failure.message), parts.clock.now());
}

/** A failure that certainly created nothing: the account pauses, or the next attempt waits. */
function failed({ clock, log, desired }: CreateParts, failure: VastError, memory: Memory): Memory {
  const now = clock.now();
  const wanted = wantedKey(desired.image, desired.templateName);
  log.warn({ event: "action", action: "create", err: failure }, `nothing was created: ${failure.message}`);
  const trouble = accountTrouble(failure);
  if (trouble !== null) return accountBlocked(memory, trouble, accountMessage(trouble, failure.message), now);
  if (failure.kind === "rate_limited" || failure.kind === "unavailable") {
    return backOff(
      memory,
      "create_rate_limited",
      `the API does not take calls now, trying again soon (${failure.message})`,
      wanted,
      now,
    );
  }
  return backOff(
    memory,
    "create_refused",
    `the API refuses the create: check image, template, label and disk space (${failure.message})`,
    wanted,
    now,
  );
}
