// When the instance list is due, and what an answer or a refusal changes about that. Pure.
import type { OwnSlot } from "../fleet/own-slot.ts";
import { READ_WAIT_MS } from "../vast/transport.ts";
import {
  afterAnswer,
  afterRefusal,
  CREATE_AFTER_SLOT_MS,
  firstCreateSlot,
  hasSlot,
  mayBeAlone,
  nextCreateSlot,
  nextListAmongMany,
  nextWhileReady,
  nextWhileStarting,
  type Polling,
  type PollSlot,
  startPolling,
} from "./poll-schedule.ts";

// When the plan wants the next pass within this, something is coming up: the list may be due even sooner.
const SOON_MS = 2500;

/**
 * How urgent the list is. `ready`: all is well; `waiting`: there is no instance, and the turn to create one is not near; `starting`:
 * something is expected to come up; `confirming`: a second list has to say that there is no instance; `now`: something is about to be
 * changed, and an older list is not enough.
 */
export type Urgency = "ready" | "waiting" | "starting" | "confirming" | "now";

export interface ListSchedule {
  slot: PollSlot;
  /** The pod has never run here: neighbours with the same API key may be starting as well. */
  firstRun: boolean;
  firstCreateWaitMs: number;
  polling: Polling;
  /** When the list was last requested, epoch ms; 0 before the first request. */
  requestedAt: number;
  /** First run, and no list was answered yet. */
  awaitsFirstList: boolean;
  /** Nothing has shown that other pods use the same key. */
  alone: boolean;
  /** First run without an instance: when this pod lists again in order to create. Epoch ms. */
  createSlotAt: number | null;
}

/** Nothing is expected that a list would show. */
export const expectsNothing = (urgency: Urgency) => urgency === "ready" || urgency === "waiting";

/** How a list request ended. `keepsLast`: the list before it is recent enough to still count. */
export type ListOutcome =
  | { kind: "answered"; rows: number }
  | { kind: "rate_limited"; keepsLast: boolean }
  | { kind: "failed" };

export function startListSchedule(slot: PollSlot, firstRun: boolean, firstCreateWaitMs: number): ListSchedule {
  return {
    slot,
    firstRun,
    firstCreateWaitMs,
    polling: startPolling(slot, firstRun && !mayBeAlone(slot)),
    requestedAt: 0,
    awaitsFirstList: firstRun,
    alone: mayBeAlone(slot),
    createSlotAt: null,
  };
}

/** Until the pod may create, nothing depends on the template. */
export function templateIsNeeded({ awaitsFirstList, createSlotAt }: ListSchedule): boolean {
  return !awaitsFirstList && createSlotAt === null;
}

/**
 * Epoch ms at which the list is due again after an earlier one. `lastKnown` says whether that one was answered; `availableAt` is when
 * the endpoint's rate limit next allows a list. `among`: the pod's place where there are more pods than slots.
 */
export function listDueAt(
  { polling, requestedAt, createSlotAt }: ListSchedule,
  urgency: Urgency,
  lastKnown: boolean,
  availableAt: () => number,
  now: number,
  among: OwnSlot | null = null,
): number {
  // A change waits for the list when the API has asked for a longer wait than a pass may take.
  if (urgency === "now") return availableAt() - now > READ_WAIT_MS ? availableAt() : 0;
  if (createSlotAt !== null) return createSlotAt;
  const ready = expectsNothing(urgency) && lastKnown;
  const next = ready ? nextWhileReady : nextWhileStarting;
  const at = among === null ? next(polling, requestedAt) : nextListAmongMany(among, ready, requestedAt);
  return Math.max(at, availableAt());
}

/** Whether the next pass should be early enough for the list; while the pod is blocked, the plan's own interval is enough. */
export function wakesForList({ polling }: ListSchedule, urgency: Urgency, wantedAt: number, now: number): boolean {
  return expectsNothing(urgency) || hasSlot(polling) || wantedAt - now < SOON_MS;
}

/** The schedule after a list request, and until when no create may start (epoch ms, or null). */
export function afterListRequest(
  before: ListSchedule,
  outcome: ListOutcome,
  random: () => number,
): { schedule: ListSchedule; blockCreateUntil: number | null } {
  const schedule = adaptPolling(before, outcome, random);
  const { slot, requestedAt, createSlotAt, alone } = schedule;
  const keepsLast = outcome.kind === "rate_limited" && outcome.keepsLast;
  const blockCreateUntil = createSlotAt === null || keepsLast || alone ? null : createSlotAt + CREATE_AFTER_SLOT_MS;
  // A create slot whose list was refused is replaced by the pod's next one.
  const nextSlotAt = createSlotAt !== null && keepsLast ? nextCreateSlot(slot, requestedAt + 1, random) : null;
  if (outcome.kind !== "answered" || !schedule.awaitsFirstList)
    return { schedule: { ...schedule, createSlotAt: nextSlotAt }, blockCreateUntil };
  const firstSlotAt =
    outcome.rows === 0 ? firstCreateSlot(slot, requestedAt + schedule.firstCreateWaitMs, alone) : nextSlotAt;
  return { schedule: { ...schedule, awaitsFirstList: false, createSlotAt: firstSlotAt }, blockCreateUntil };
}

function adaptPolling(schedule: ListSchedule, outcome: ListOutcome, random: () => number): ListSchedule {
  const { slot, polling, firstRun, alone } = schedule;
  if (outcome.kind === "answered") return { ...schedule, polling: afterAnswer(polling) };
  if (outcome.kind === "failed") return schedule;
  // The first refusal on a first run: other pods use the key, and most likely they are starting as well.
  const crowded = firstRun && alone;
  const next = crowded ? startPolling(slot, true) : afterRefusal(polling, slot, random);
  return { ...schedule, polling: next, alone: false };
}
