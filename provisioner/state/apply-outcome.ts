// How what was done changes the memory. Pure.
import { sameBan } from "../model/bans.ts";
import { AVOIDING_REASONS, UNLISTED_REASONS } from "../model/reasons.ts";
import type { Action, Desired } from "../plan/input.ts";
import type { AccountTrouble } from "../vast/errors.ts";
import { type Backoff, type Doomed, type Intent, type Memory, type UnwrittenBan, wantedKey } from "./schema.ts";

export type Destroy = Extract<Action, { kind: "destroy" }>;

const MINUTE_MS = 60_000;
// A machine that failed here is avoided for an hour: longer would empty a narrow search, shorter would rent it again at once.
const AVOID_MS = 60 * MINUTE_MS;
// An offer that was found taken is not listed again for minutes, if ever.
const GONE_MS = 5 * MINUTE_MS;
// Backoff doubles from the first to the ceiling. Offers come back by the minute; a broken image waits for a person.
const BACKOFF_MS: Readonly<Record<Backoff["reason"], { first: number; ceiling: number }>> = {
  no_offer: { first: 30_000, ceiling: 10 * MINUTE_MS },
  offers_lost: { first: 5000, ceiling: MINUTE_MS },
  create_refused: { first: 30_000, ceiling: 10 * MINUTE_MS },
  create_rate_limited: { first: 5000, ceiling: 2 * MINUTE_MS },
  image_unavailable: { first: MINUTE_MS, ceiling: 30 * MINUTE_MS },
  disk_too_small: { first: MINUTE_MS, ceiling: 30 * MINUTE_MS },
  app_not_listening: { first: 10 * MINUTE_MS, ceiling: 120 * MINUTE_MS },
};
// A hundred bans are a day without Redis at the default budget.
const MOST_UNWRITTEN_BANS = 100;
export const LONGEST_WAIT_MS = Math.max(...Object.values(BACKOFF_MS).map(({ ceiling }) => ceiling));
const ACCOUNT_FIRST_MS = 30_000;
// What is to be ended goes on billing until the account is tried again: no longer than a person would take.
const ACCOUNT_CEILING_MS = 4 * MINUTE_MS;

/** Before the DELETE: the id is doomed, whatever the DELETE answers. */
export function doom(memory: Memory, action: Destroy, now: number): Memory {
  if (memory.doomed.some((d) => d.id === action.id)) return memory;
  return { ...memory, doomed: [...memory.doomed, { id: action.id, reason: action.reason, since: now, askedAt: null }] };
}

/** The DELETE was sent; whether it took effect the lists will tell. */
export function asked(memory: Memory, id: number, now: number): Memory {
  return { ...memory, doomed: memory.doomed.map((d) => (d.id === id ? { ...d, askedAt: now } : d)) };
}

/** The API said that there is no such contract any more. A list that shows it all the same still counts. */
export function answered(memory: Memory, id: number): Memory {
  return { ...memory, doomed: memory.doomed.map((d) => (d.id === id ? { ...d, answered: true } : d)) };
}

/** A contract that no list may ever have shown is gone when the API says so, not when a list lacks it. */
export function awaitsAnswer(doomed: Doomed): boolean {
  return UNLISTED_REASONS.has(doomed.reason) && doomed.answered !== true;
}

/** What a destroy teaches: machines to avoid, differences not to be chased twice, images that do not work. */
export function destroyed(memory: Memory, action: Destroy, desired: Desired, message: string, now: number): Memory {
  const wanted = wantedKey(desired.image, desired.templateName);
  const next = AVOIDING_REASONS.has(action.reason) ? avoid(memory, action.machineId, now) : { ...memory };
  switch (action.reason) {
    case "image_changed":
    case "template_changed":
      next.converging = action.difference ?? null;
      break;
    case "image_unavailable":
    case "disk_too_small": {
      next.brokenImages = oneMore(memory.brokenImages, wanted);
      return backOff(next, action.reason, message, wanted, now, next.brokenImages.count);
    }
    case "app_not_listening": {
      next.deafApps = oneMore(memory.deafApps, wanted);
      const { count } = next.deafApps;
      // The first time may be the machine's fault: another one is tried at once.
      return count === 1 ? next : backOff(next, "app_not_listening", message, wanted, now, count - 1);
    }
    case "unreachable":
      next.unreachableHost = action.hostId;
      break;
    case "create_failed":
      return avoid(next, action.machineId, now); // the next offer, not the same machine under another id
    case "create_never_appeared":
      return { ...(memory.intent ? avoid(next, memory.intent.machineId, now) : next), intent: null };
    default:
      break;
  }
  return next;
}

function oneMore(before: { wanted: string; count: number } | null, wanted: string): { wanted: string; count: number } {
  return { wanted, count: (before?.wanted === wanted ? before.count : 0) + 1 };
}

/** Before the create: the intent, and the budget as if it succeeded. */
export function intend(memory: Memory, intent: Intent): Memory {
  return { ...memory, intent, creates: [...memory.creates, intent.startedAt] };
}

/** The API answered with a contract. What kept creates from happening is over; what was wrong with the image is not yet. */
export function created(memory: Memory, intent: Intent, contract: number): Memory {
  const over = ["no_offer", "offers_lost", "create_refused", "create_rate_limited"].includes(
    memory.backoff?.reason ?? "",
  );
  return { ...memory, intent: { ...intent, contract }, account: null, backoff: over ? null : memory.backoff };
}

/** The API certainly did not create: the budget is given back. */
export function refused(memory: Memory): Memory {
  const { intent, creates } = memory;
  const index = intent === null ? -1 : creates.indexOf(intent.startedAt);
  return { ...memory, intent: null, creates: creates.filter((_, i) => i !== index) };
}

export function offerGone(memory: Memory, offerId: number, now: number): Memory {
  return { ...memory, goneOffers: [...memory.goneOffers, { id: offerId, until: now + GONE_MS }] };
}

/** Redis did not take a ban. */
export function banUnwritten(memory: Memory, ban: UnwrittenBan): Memory {
  const others = memory.unwrittenBans.filter((other) => !sameBan(other, ban));
  return { ...memory, unwrittenBans: [...others, ban].slice(-MOST_UNWRITTEN_BANS) };
}

/** Redis took it. */
export function banWritten(memory: Memory, ban: Pick<UnwrittenBan, "kind" | "id">): Memory {
  if (!memory.unwrittenBans.some((other) => sameBan(other, ban))) return memory;
  return { ...memory, unwrittenBans: memory.unwrittenBans.filter((other) => !sameBan(other, ban)) };
}

/**
 * Makes the next create wait, longer with each failure of the same kind for the same wanted image. `counted` is how many there
 * were where that is remembered elsewhere: a search without offers between two of them must not make the waits short again.
 */
export function backOff(
  memory: Memory,
  reason: Backoff["reason"],
  message: string,
  wanted: string,
  now: number,
  counted?: number,
): Memory {
  const { first, ceiling } = BACKOFF_MS[reason];
  const before = memory.backoff;
  const inARow = before?.reason === reason && before.wanted === wanted ? before.failures + 1 : 1;
  const failures = counted ?? inARow;
  const until = now + Math.min(first * 2 ** (failures - 1), ceiling);
  return { ...memory, backoff: { reason, message, failures, until, wanted } };
}

/** Makes every mutation wait: the account has trouble, no host is blamed. */
export function accountBlocked(memory: Memory, trouble: AccountTrouble, message: string, now: number): Memory {
  const failures = memory.account?.trouble === trouble ? memory.account.failures + 1 : 1;
  const until = now + Math.min(ACCOUNT_FIRST_MS * 2 ** (failures - 1), ACCOUNT_CEILING_MS);
  return { ...memory, account: { trouble, message, failures, until } };
}

function avoid(memory: Memory, machineId: number | null, now: number): Memory {
  if (machineId === null) return { ...memory };
  return { ...memory, avoided: [...memory.avoided, { machineId, until: now + AVOID_MS }] };
}
