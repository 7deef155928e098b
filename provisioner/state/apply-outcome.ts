// How the result of an action changes the state. Pure.
import { exponentialMs } from "../../common/backoff.ts";
import { sameBan } from "../model/bans.ts";
import type { DestroyAction } from "../model/plan.ts";
import type { AccountTrouble } from "../vast/errors.ts";
import { avoid, avoidedAfter } from "./avoided.ts";
import { backOff } from "./backoff.ts";
import { outbidDestroyed } from "./bids.ts";
import type { PendingDelete } from "./pending-delete.ts";
import { writeRefused, writeTaken } from "./refused-end.ts";
import { replacedFor, replacedForEnd } from "./replacements.ts";
import type { Intent, State, UnwrittenBan } from "./schema.ts";

const MINUTE_MS = 60_000;
// An offer that was taken is not listed again for minutes, if ever.
const GONE_MS = 5 * MINUTE_MS;
// A hundred bans are a day without Redis at the default create budget.
const MOST_UNWRITTEN_BANS = 100;
const ACCOUNT_FIRST_MS = 30_000;
// An instance that should be destroyed is still billed until the account is tried again: no longer than a person would need.
const ACCOUNT_CEILING_MS = 4 * MINUTE_MS;

/** Before the DELETE: the id is a pending delete, whatever the DELETE answers. */
export function markForDeletion(state: State, action: DestroyAction, now: number): State {
  if (state.pendingDeletes.some((d) => d.id === action.id)) return state;
  return {
    ...state,
    pendingDeletes: [...state.pendingDeletes, { id: action.id, reason: action.reason, since: now, deleteSentAt: null }],
  };
}

/** The API answered that the contract is destroyed or does not exist. A list that still shows it counts more. */
export function deleteConfirmed(state: State, id: number, now: number): State {
  const confirmed = ({ refused: _, ...d }: PendingDelete) => ({ ...d, deleteSentAt: now, deleteConfirmed: true });
  return writeTaken(withPendingDelete(state, id, confirmed));
}

/** The DELETE was sent and got no clear answer: the lists show whether it took effect. */
export function deleteUnanswered(state: State, id: number, now: number): State {
  return withPendingDelete(state, id, ({ refused: _, ...d }) => {
    return { ...d, deleteSentAt: now, unanswered: (d.unanswered ?? 0) + 1 };
  });
}

/** The API refused the DELETE of an instance that stays pending. */
export function deleteRefused(state: State, id: number, now: number): State {
  return withPendingDelete(state, id, (d) => ({ ...d, refused: { at: now, times: (d.refused?.times ?? 0) + 1 } }));
}

function withPendingDelete(state: State, id: number, change: (pending: PendingDelete) => PendingDelete): State {
  return { ...state, pendingDeletes: state.pendingDeletes.map((d) => (d.id === id ? change(d) : d)) };
}

/** What a destroy teaches: machines to avoid, a difference not to replace for twice, images that do not work. */
export function destroyed(state: State, action: DestroyAction, revision: string, message: string, now: number): State {
  const next = { ...state, avoided: [...state.avoided, ...avoidedAfter(state, action, now)] };
  const alsoAvoid = (machineId: number | null) => ({ ...next, avoided: [...next.avoided, ...avoid(machineId, now)] });
  switch (action.reason) {
    case "image_changed":
    case "template_changed":
      return replacedFor(next, action.difference, revision, now);
    case "contract_ending":
      return replacedForEnd(next, now);
    case "image_unavailable":
    case "disk_too_small": {
      next.brokenImages = oneMore(state.brokenImages, revision);
      return backOff(next, action.reason, message, revision, now, next.brokenImages.count);
    }
    case "app_not_listening": {
      next.notListening = oneMore(state.notListening, revision);
      const { count } = next.notListening;
      // The first time may be the machine's fault: another one is tried at once.
      return count === 1 ? next : backOff(next, "app_not_listening", message, revision, now, count - 1);
    }
    case "instance_outbid":
      return outbidDestroyed(next, action.id, now);
    case "unreachable":
      next.unreachableHost = action.hostId;
      break;
    case "create_failed":
      return alsoAvoid(action.machineId); // the next offer must not be the same machine under another id
    case "create_never_appeared":
      return { ...alsoAvoid(state.intent?.machineId ?? null), intent: null };
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

/** The API answered with a contract. What prevented creates is over; a broken image has not proven itself yet. */
export function createdAs(state: State, contract: number): State {
  const over = ["no_offer", "offers_lost", "create_refused", "create_rate_limited"].includes(
    state.backoff?.reason ?? "",
  );
  const intent = state.intent === null ? null : { ...state.intent, contract };
  return { ...writeTaken(state), intent, account: null, backoff: over ? null : state.backoff };
}

/** The API certainly created nothing: the budget is given back. */
export function createRefused(state: State): State {
  const { intent, creates } = state;
  const index = intent === null ? -1 : creates.indexOf(intent.startedAt);
  return { ...state, intent: null, creates: creates.filter((_, i) => i !== index) };
}

export function offerGone(state: State, offerId: number, now: number): State {
  return { ...state, goneOffers: [...state.goneOffers, { id: offerId, until: now + GONE_MS }] };
}

/** A ban could not be written to Redis. */
export function banUnwritten(state: State, ban: UnwrittenBan): State {
  const others = state.unwrittenBans.filter((other) => !sameBan(other, ban));
  return { ...state, unwrittenBans: [...others, ban].slice(-MOST_UNWRITTEN_BANS) };
}

/** A ban was written to Redis. */
export function banWritten(state: State, ban: Pick<UnwrittenBan, "kind" | "id">): State {
  if (!state.unwrittenBans.some((other) => sameBan(other, ban))) return state;
  return { ...state, unwrittenBans: state.unwrittenBans.filter((other) => !sameBan(other, ban)) };
}

/** All mutations wait: the account has trouble, so no host is to blame. */
export function accountBlocked(state: State, trouble: AccountTrouble, message: string, now: number): State {
  const failures = state.account?.trouble === trouble ? state.account.failures + 1 : 1;
  const until = now + exponentialMs(ACCOUNT_FIRST_MS, ACCOUNT_CEILING_MS, failures);
  // Without money nothing is created, but what there is can be ended.
  const next = trouble === "auth" || trouble === "two_factor" ? writeRefused(state) : state;
  return { ...next, account: { trouble, message, failures, until } };
}

/**
 * Something shows that the account works again: what it refused is tried at once. The failures are still counted, so that the next pause is
 * longer if it does not.
 */
export function endAccountPause(state: State, now: number): State {
  const { account } = state;
  return account === null || account.until <= now ? state : { ...state, account: { ...account, until: now } };
}

/** Whether a DELETE of this instance was sent, whatever came of it. */
export function wasDeleteSent({ pendingDeletes }: State, id: number): boolean {
  return pendingDeletes.some((pending) => pending.id === id && pending.deleteSentAt !== null);
}
