// When a pod looks at its list and begins its first create, so that pods with one key keep out of each other's way. Pure.
//
// The API allows one list a second and one create in 4.5 s for a key and an address, and pods do not talk to each other.
// But their clocks agree within some tenths of a second, and a StatefulSet numbers its pods. So time is cut into slots: each of
// ten places has one of ten in every round, and a place's turn to create comes once in three rounds. Three slots lie between
// the turns of neighbours, and as 3 and 10 have no common factor, the ten turns fall on ten different slots.
import { createHash } from "node:crypto";

// Above the 1 s of the list's limit, and three of them above the 4.5 s of the create's, by what clocks that are off by 0.3 s need.
const SLOT_MS = 1700;
const PLACES = 10;
const ROUND_MS = PLACES * SLOT_MS;
const CREATE_SLOT_STEP_MS = 3 * SLOT_MS;
const CREATE_ROUND_MS = 3 * ROUND_MS;
// A pod beyond the tenth comes a whole round of turns later, but never more than two: alone it would wait for nothing.
const MOST_EXTRA_ROUNDS = 2;
// Pod 0 does not wait for a turn, and its create must not meet the first of the others.
const HEAD_START_MS = 6000;
// At its turn a pod lists, reads the template and searches. Its create waits so long after the turn: slow answers shift none.
export const CREATE_AFTER_SLOT_MS = 2000;
// Who asks for the template out of line and has its turn within these is spared a second call.
const LEAST_TEMPLATE_GAP_MS = 10_000;

/** A pod's place among those that may share its key. */
export interface PollSlot {
  index: number;
  /** By its StatefulSet; else a hash of its name, which another pod may have as well. */
  numbered: boolean;
}

export function pollSlotOf(podName: string): PollSlot {
  const ordinal = /-(\d{1,6})$/.exec(podName)?.[1];
  if (ordinal !== undefined) return { index: Number(ordinal), numbered: true };
  return { index: createHash("sha256").update(podName).digest().readUInt16BE(0) % PLACES, numbered: false };
}

/** The first instant from `notBefore` on that is `phaseMs` after the beginning of a round. */
function onGrid(phaseMs: number, roundMs: number, notBefore: number): number {
  const late = (((notBefore - phaseMs) % roundMs) + roundMs) % roundMs;
  return late === 0 ? notBefore : notBefore + roundMs - late;
}

// In a slot that is not its own a pod comes so much late: an owner goes first, and the pod alone hears that it is too many.
const LATE_MS = 400;

/** The first instant from `notBefore` on at which a pod may call in whatever slot it is. */
function inAnySlot(phaseMs: number, notBefore: number): number {
  const slotAt = Math.ceil(notBefore / SLOT_MS) * SLOT_MS;
  return slotAt + lateAt(phaseMs, slotAt);
}

const lateAt = (phaseMs: number, slotAt: number) => (onGrid(phaseMs, ROUND_MS, slotAt) === slotAt ? 0 : LATE_MS);

const offsetOf = (index: number) => (index % PLACES) * CREATE_SLOT_STEP_MS;

/** When a create may begin that was refused as too frequent: at a turn of this pod's own, or anywhere where it has none. */
export function nextCreateSlot(place: PollSlot, notBefore: number, random: () => number): number {
  if (!place.numbered) return notBefore + Math.floor(random() * CREATE_ROUND_MS);
  return onGrid(offsetOf(place.index), CREATE_ROUND_MS, notBefore);
}

/** When the template is looked at again: about once a round of turns, as a changed one is to be noticed within a minute. */
export function nextTemplate(place: PollSlot, askedAt: number): number {
  if (!place.numbered) return askedAt + CREATE_ROUND_MS;
  return onGrid(offsetOf(place.index), CREATE_ROUND_MS, askedAt + LEAST_TEMPLATE_GAP_MS);
}

/** The first of a StatefulSet may be the only one. */
export const mayBeAlone = ({ index, numbered }: PollSlot) => numbered && index === 0;

/** When a pod that has never run here looks for the first time. */
export function firstObservation(place: PollSlot, now: number): number {
  const phaseMs = offsetOf(place.index);
  return mayBeAlone(place) ? inAnySlot(phaseMs, now) : onGrid(phaseMs, ROUND_MS, now);
}

/** When a pod that has never run here, has seen no instance and is not `alone` looks again, in order to create one. */
export function firstCreateSlot(place: PollSlot, notBefore: number, alone: boolean): number {
  if (alone) return inAnySlot(offsetOf(place.index), notBefore);
  const extra = Math.min(Math.floor(place.index / PLACES), MOST_EXTRA_ROUNDS) * CREATE_ROUND_MS;
  const headStart = mayBeAlone(place) ? 0 : HEAD_START_MS;
  return onGrid(offsetOf(place.index), CREATE_ROUND_MS, notBefore + headStart) + extra;
}

/** How often the list is asked for while something is awaited. */
export interface Polling {
  /** Index of `PERIODS_MS`. */
  level: number;
  /** Answered calls in a row, and how many it takes to go one level down. */
  clean: number;
  needed: number;
  refusals: number;
  /** Where in a round its slot lies. */
  phaseMs: number;
}

// From every slot up to one in a round, in which ten pods have one each.
const PERIODS_MS = [SLOT_MS, 2 * SLOT_MS, ROUND_MS / 2, ROUND_MS] as const;
const SLOWEST = PERIODS_MS.length - 1;
// Going faster is tried soon by who may be alone and late by who has neighbours: each try that fails costs them a refused call.
const NEEDED_ALONE = 4;
const NEEDED_AMONG_OTHERS = 8;
const MOST_NEEDED = 64;
// An own slot that comes sooner than this after a call out of line is left out.
const LEAST_GAP_MS = 4000;
// While all is well: two rounds, or a little less where the last call was out of line.
const READY_MS = 24_000;

/** `crowded`: neighbours are known that may all be starting as well. */
export function startPolling(place: PollSlot, crowded: boolean): Polling {
  return {
    level: crowded ? SLOWEST : 0,
    clean: 0,
    needed: crowded ? NEEDED_AMONG_OTHERS : NEEDED_ALONE,
    refusals: 0,
    phaseMs: offsetOf(place.index),
  };
}

/** After a call that was answered. */
export function afterAnswer(polling: Polling): Polling {
  const clean = polling.clean + 1;
  if (polling.level === 0 || clean < polling.needed) return { ...polling, clean, refusals: 0 };
  return { ...polling, level: polling.level - 1, clean: 0, refusals: 0 };
}

/** After a 429: half as often. Who has no number, or is refused in its own slot again, has it in common with another and moves. */
export function afterRefusal(polling: Polling, place: PollSlot, random: () => number): Polling {
  const refusals = polling.level === SLOWEST ? polling.refusals + 1 : 0;
  const moves = refusals > (place.numbered ? 1 : 0);
  return {
    level: Math.min(polling.level + 1, SLOWEST),
    clean: 0,
    needed: Math.min(polling.needed * 2, MOST_NEEDED),
    refusals: moves ? 0 : refusals,
    phaseMs: moves ? Math.floor(random() * PLACES) * SLOT_MS : polling.phaseMs,
  };
}

/** True when the pod keeps to its slot also while something is awaited: in every round, and perhaps half a round later. */
export function hasSlot({ level }: Polling): boolean {
  return level >= SLOWEST - 1;
}

/** When the list is due again while something is awaited, after a call at `askedAt`. */
export function nextWhileStarting(polling: Polling, askedAt: number): number {
  const periodMs = PERIODS_MS[polling.level] ?? ROUND_MS;
  const { phaseMs } = polling;
  if (!hasSlot(polling)) return inAnySlot(phaseMs, askedAt + periodMs - SLOT_MS / 2);
  const slotAt = onGrid(phaseMs, periodMs, askedAt + LEAST_GAP_MS);
  return slotAt + lateAt(phaseMs, slotAt);
}

/** When the list is due again while all is well: every half a minute, in the pod's own slot. */
export function nextWhileReady({ phaseMs }: Polling, askedAt: number): number {
  return onGrid(phaseMs, ROUND_MS, askedAt + READY_MS);
}
