// How what was done changes the memory. Pure.
import { sameBan } from "../model/bans.ts";
import type { Desired } from "../model/desired.ts";
import type { Action } from "../model/plan.ts";
import { AVOIDING_REASONS, UNLISTED_REASONS } from "../model/reasons.ts";
import type { AccountTrouble } from "../vast/errors.ts";
import { backOff } from "./backoff.ts";
import { type Intent, type PendingDelete, type State, type UnwrittenBan, wantedKey } from "./schema.ts";

export type Destroy = Extract<Action, { kind: "destroy" }>;

const MINUTE_MS = 60_000;
// A machine that failed here is avoided for an hour: longer would empty a narrow search, shorter would rent it again at once.
const AVOID_MS = 60 * MINUTE_MS;
// An offer that was found taken is not listed again for minutes, if ever.
const GONE_MS = 5 * MINUTE_MS;
// A hundred bans are a day without Redis at the default budget.
const MOST_UNWRITTEN_BANS = 100;
const ACCOUNT_FIRST_MS = 30_000;
// What is to be ended goes on billing until the account is tried again: no longer than a person would take.
const ACCOUNT_CEILING_MS = 4 * MINUTE_MS;

/** Before the DELETE: the id is doomed, whatever the DELETE answers. */
export function markForDeletion(state: State, action: Destroy, now: number): State {
  if (state.pendingDeletes.some((d) => d.id === action.id)) return state;
  return {
    ...state,
    pendingDeletes: [...state.pendingDeletes, { id: action.id, reason: action.reason, since: now, deleteSentAt: null }],
  };
}

/** The DELETE was sent; whether it took effect the lists will tell. */
export function deleteSent(state: State, id: number, now: number): State {
  return { ...state, pendingDeletes: state.pendingDeletes.map((d) => (d.id === id ? { ...d, deleteSentAt: now } : d)) };
}

/** The API said that there is no such contract any more. A list that shows it all the same still counts. */
export function deleteConfirmed(state: State, id: number): State {
  return {
    ...state,
    pendingDeletes: state.pendingDeletes.map((d) => (d.id === id ? { ...d, deleteConfirmed: true } : d)),
  };
}

/** A contract that no list may ever have shown is gone when the API says so, not when a list lacks it. */
export function needsConfirmation(pendingDelete: PendingDelete): boolean {
  return UNLISTED_REASONS.has(pendingDelete.reason) && pendingDelete.deleteConfirmed !== true;
}

/** What a destroy teaches: machines to avoid, differences not to be chased twice, images that do not work. */
export function destroyed(state: State, action: Destroy, desired: Desired, message: string, now: number): State {
  const wanted = wantedKey(desired.image, desired.templateName);
  const next = AVOIDING_REASONS.has(action.reason) ? avoid(state, action.machineId, now) : { ...state };
  switch (action.reason) {
    case "image_changed":
    case "template_changed":
      next.converging = action.difference ?? null;
      break;
    case "image_unavailable":
    case "disk_too_small": {
      next.brokenImages = oneMore(state.brokenImages, wanted);
      return backOff(next, action.reason, message, wanted, now, next.brokenImages.count);
    }
    case "app_not_listening": {
      next.notListening = oneMore(state.notListening, wanted);
      const { count } = next.notListening;
      // The first time may be the machine's fault: another one is tried at once.
      return count === 1 ? next : backOff(next, "app_not_listening", message, wanted, now, count - 1);
    }
    case "unreachable":
      next.unreachableHost = action.hostId;
      break;
    case "create_failed":
      return avoid(next, action.machineId, now); // the next offer, not the same machine under another id
    case "create_never_appeared":
      return { ...(state.intent ? avoid(next, state.intent.machineId, now) : next), intent: null };
    default:
      break;
  }
  return next;
}

function oneMore(before: { wanted: string; count: number } | null, wanted: string): { wanted: string; count: number } {
  return { wanted, count: (before?.wanted === wanted ? before.count : 0) + 1 };
}

/** Before the create: the intent, and the budget as if it succeeded. */
export function intend(state: State, intent: Intent): State {
  return { ...state, intent, creates: [...state.creates, intent.startedAt] };
}

/** The API answered with a contract. What kept creates from happening is over; what was wrong with the image is not yet. */
export function created(state: State, intent: Intent, contract: number): State {
  const over = ["no_offer", "offers_lost", "create_refused", "create_rate_limited"].includes(
    state.backoff?.reason ?? "",
  );
  return { ...state, intent: { ...intent, contract }, account: null, backoff: over ? null : state.backoff };
}

/** The API certainly did not create: the budget is given back. */
export function refused(state: State): State {
  const { intent, creates } = state;
  const index = intent === null ? -1 : creates.indexOf(intent.startedAt);
  return { ...state, intent: null, creates: creates.filter((_, i) => i !== index) };
}

export function offerGone(state: State, offerId: number, now: number): State {
  return { ...state, goneOffers: [...state.goneOffers, { id: offerId, until: now + GONE_MS }] };
}

/** Redis did not take a ban. */
export function banUnwritten(state: State, ban: UnwrittenBan): State {
  const others = state.unwrittenBans.filter((other) => !sameBan(other, ban));
  return { ...state, unwrittenBans: [...others, ban].slice(-MOST_UNWRITTEN_BANS) };
}

/** Redis took it. */
export function banWritten(state: State, ban: Pick<UnwrittenBan, "kind" | "id">): State {
  if (!state.unwrittenBans.some((other) => sameBan(other, ban))) return state;
  return { ...state, unwrittenBans: state.unwrittenBans.filter((other) => !sameBan(other, ban)) };
}

/** Makes every mutation wait: the account has trouble, no host is blamed. */
export function accountBlocked(state: State, trouble: AccountTrouble, message: string, now: number): State {
  const failures = state.account?.trouble === trouble ? state.account.failures + 1 : 1;
  const until = now + Math.min(ACCOUNT_FIRST_MS * 2 ** (failures - 1), ACCOUNT_CEILING_MS);
  return { ...state, account: { trouble, message, failures, until } };
}

function avoid(state: State, machineId: number | null, now: number): State {
  if (machineId === null) return { ...state };
  return { ...state, avoided: [...state.avoided, { machineId, until: now + AVOID_MS }] };
}
