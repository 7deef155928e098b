// When a pod lists its instances and starts its first create, so that pods with the same API key do not collide. Pure.
//
// The API allows one list a second and one create in 4.5 s per key and address, and pods do not communicate with each other.
// But their clocks agree within a few tenths of a second, and a StatefulSet numbers its pods. So time is divided into slots of
// 1.7 s. Ten slots are a round, and each of ten pods lists in one of them. Three rounds are a create round, and each of the ten pods
// has one create slot in it. The create slots of neighbours are three slots apart; because 3 and 10 have no common factor, the ten
// pods have ten different list slots.
//
// Measured on 2026-11-28 in simulated time, pods that start at once, against retries with a random exponential backoff: five pods were
// ready after 46 s instead of 94 to 104 s, ten pods after 75 s instead of 280 s, and of the calls of idle pods 0 % instead of 16 to 35 %
// were refused. So the slots stay, for pods without Redis.
import { createHash } from "node:crypto";
import { type OwnSlot, ownSlotAt } from "../fleet/own-slot.ts";

// Longer than the list limit of 1 s; three slots are longer than the create limit of 4.5 s. Both leave room for clocks that are
// off by 0.3 s.
const SLOT_MS = 1700;
const SLOTS = 10;
const ROUND_MS = SLOTS * SLOT_MS;
const CREATE_SLOT_STEP_MS = 3 * SLOT_MS;
const CREATE_ROUND_MS = 3 * ROUND_MS;
// A pod after the tenth waits one more create round, but never more than two: if it is alone, it waits for nothing.
const MAX_EXTRA_ROUNDS = 2;
// Pod 0 does not wait for its create slot, and its create must not collide with the first of the others.
const HEAD_START_MS = 6000;
// In its create slot a pod lists, reads the template and searches. Its create starts this long after the slot begins, so that slow
// answers do not move it into the next pod's slot.
export const CREATE_AFTER_SLOT_MS = 2000;
// A template that was read outside the create slot is not read again in a slot that comes within this time.
const MIN_TEMPLATE_GAP_MS = 10_000;

/** Which slots a pod uses among the pods that may share its key. */
export interface PollSlot {
  index: number;
  /** True: the StatefulSet's number. False: a hash of the pod's name, which other pods may share. */
  numbered: boolean;
}

export function pollSlotOf(podName: string): PollSlot {
  const ordinal = /-(\d{1,6})$/.exec(podName)?.[1];
  if (ordinal !== undefined) return { index: Number(ordinal), numbered: true };
  return { index: createHash("sha256").update(podName).digest().readUInt16BE(0) % SLOTS, numbered: false };
}

/** The first instant from `notBefore` on that is `phaseMs` after the start of a round. */
function onGrid(phaseMs: number, roundMs: number, notBefore: number): number {
  const late = (((notBefore - phaseMs) % roundMs) + roundMs) % roundMs;
  return late === 0 ? notBefore : notBefore + roundMs - late;
}

// In another pod's slot a pod calls this much later: the owner goes first, and only the visitor is refused.
const LATE_MS = 400;

/** The first instant from `notBefore` on at which a pod may call, in any slot. */
function inAnySlot(phaseMs: number, notBefore: number): number {
  const slotAt = Math.ceil(notBefore / SLOT_MS) * SLOT_MS;
  return slotAt + lateAt(phaseMs, slotAt);
}

const lateAt = (phaseMs: number, slotAt: number) => (onGrid(phaseMs, ROUND_MS, slotAt) === slotAt ? 0 : LATE_MS);

const offsetOf = (index: number) => (index % SLOTS) * CREATE_SLOT_STEP_MS;

/** When a rate-limited create may be repeated: in a create slot of this pod, or at a random instant when it has no number. */
export function nextCreateSlot(slot: PollSlot, notBefore: number, random: () => number): number {
  if (!slot.numbered) return notBefore + Math.floor(random() * CREATE_ROUND_MS);
  return onGrid(offsetOf(slot.index), CREATE_ROUND_MS, notBefore);
}

/** When the template is read again: about once per create round, so that a change is noticed within a minute. */
export function nextTemplate(slot: PollSlot, readAt: number): number {
  if (!slot.numbered) return readAt + CREATE_ROUND_MS;
  return onGrid(offsetOf(slot.index), CREATE_ROUND_MS, readAt + MIN_TEMPLATE_GAP_MS);
}

/** The first pod of a StatefulSet may be the only one. */
export const mayBeAlone = ({ index, numbered }: PollSlot) => numbered && index === 0;

/** When a pod that has never run here observes for the first time. */
export function firstObservation(slot: PollSlot, now: number): number {
  const phaseMs = offsetOf(slot.index);
  return mayBeAlone(slot) ? inAnySlot(phaseMs, now) : onGrid(phaseMs, ROUND_MS, now);
}

/** When a pod that has never run here and has no instance lists again in order to create one. `alone`: no other pod is known. */
export function firstCreateSlot(slot: PollSlot, notBefore: number, alone: boolean): number {
  if (alone) return inAnySlot(offsetOf(slot.index), notBefore);
  const extra = Math.min(Math.floor(slot.index / SLOTS), MAX_EXTRA_ROUNDS) * CREATE_ROUND_MS;
  const headStart = mayBeAlone(slot) ? 0 : HEAD_START_MS;
  return onGrid(offsetOf(slot.index), CREATE_ROUND_MS, notBefore + headStart) + extra;
}

/** How often the list is requested while something is expected to come up. */
export interface Polling {
  /** Index of `PERIODS_MS`. */
  level: number;
  /** Answered calls in a row. */
  clean: number;
  /** How many answered calls in a row it takes to poll one level faster. */
  needed: number;
  refusals: number;
  /** Start of its slot within a round. */
  phaseMs: number;
}

// From every slot to one slot per round, in which each of ten pods has its own.
const PERIODS_MS = [SLOT_MS, 2 * SLOT_MS, ROUND_MS / 2, ROUND_MS] as const;
const SLOWEST = PERIODS_MS.length - 1;
// A pod that may be alone tries a faster level soon, a pod with neighbours late: each failed try costs them a refused call.
const NEEDED_ALONE = 4;
const NEEDED_AMONG_OTHERS = 8;
const MAX_NEEDED = 64;
// The pod's own slot is skipped when it comes sooner than this after a call outside the slot.
const MIN_LIST_GAP_MS = 4000;
// While all is well: two rounds, or a little less when the last call was outside the slot.
const READY_MS = 24_000;

/** `crowded`: other pods are known that may all be starting as well. */
export function startPolling(slot: PollSlot, crowded: boolean): Polling {
  return {
    level: crowded ? SLOWEST : 0,
    clean: 0,
    needed: crowded ? NEEDED_AMONG_OTHERS : NEEDED_ALONE,
    refusals: 0,
    phaseMs: offsetOf(slot.index),
  };
}

/** After a call that was answered. */
export function afterAnswer(polling: Polling): Polling {
  const clean = polling.clean + 1;
  if (polling.level === 0 || clean < polling.needed) return { ...polling, clean, refusals: 0 };
  return { ...polling, level: polling.level - 1, clean: 0, refusals: 0 };
}

/**
 * After a 429: one level slower. A pod without a number, or one that is refused twice in a row in its own slot, shares the slot with
 * another pod and moves to a random one.
 */
export function afterRefusal(polling: Polling, slot: PollSlot, random: () => number): Polling {
  const refusals = polling.level === SLOWEST ? polling.refusals + 1 : 0;
  const moves = refusals > (slot.numbered ? 1 : 0);
  return {
    level: Math.min(polling.level + 1, SLOWEST),
    clean: 0,
    needed: Math.min(polling.needed * 2, MAX_NEEDED),
    refusals: moves ? 0 : refusals,
    phaseMs: moves ? Math.floor(random() * SLOTS) * SLOT_MS : polling.phaseMs,
  };
}

/** True when the pod also uses its own slot while something comes up: once per round, and at the next level also half a round later. */
export function hasSlot({ level }: Polling): boolean {
  return level >= SLOWEST - 1;
}

/** When the list is due again while something is expected to come up, after a request at `requestedAt`. */
export function nextWhileStarting(polling: Polling, requestedAt: number): number {
  const periodMs = PERIODS_MS[polling.level] ?? ROUND_MS;
  const { phaseMs } = polling;
  if (!hasSlot(polling)) return inAnySlot(phaseMs, requestedAt + periodMs - SLOT_MS / 2);
  const slotAt = onGrid(phaseMs, periodMs, requestedAt + MIN_LIST_GAP_MS);
  return slotAt + lateAt(phaseMs, slotAt);
}

// Longer than the limits of 1 s and 3 s by what a pass is late when Redis lets it wait. A create reads the template itself, so that is in
// no hurry.
const LIST_OWN_SLOT_MS = 2200;
const TEMPLATE_OWN_SLOT_MS = 6000;

/** When the list is due again among more pods than slots: each has one slot in a round that is long enough for all. */
export function nextListAmongMany(own: OwnSlot, ready: boolean, requestedAt: number): number {
  return ownSlotAt(own, LIST_OWN_SLOT_MS, requestedAt + (ready ? READY_MS : MIN_LIST_GAP_MS));
}

/** The same for the template. */
export function nextTemplateAmongMany(own: OwnSlot, readAt: number): number {
  return ownSlotAt(own, TEMPLATE_OWN_SLOT_MS, readAt + MIN_TEMPLATE_GAP_MS);
}

/** When the list is due again while all is well: about every half minute, in the pod's own slot. */
export function nextWhileReady({ phaseMs }: Polling, requestedAt: number): number {
  return onGrid(phaseMs, ROUND_MS, requestedAt + READY_MS);
}
