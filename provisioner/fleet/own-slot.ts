// When a pod may call while Redis is away: each pod of the fleet has its own slots in time, for as many pods as there were last. Pure.
import { createHash } from "node:crypto";

// A call that would leave later than this in its slot waits for the next one: clocks differ, and calls take different times to arrive.
const OPEN_MS = 1000;
// So many slots there are at least: after a start without Redis nobody knows how large the fleet is.
const LEAST_PLACES = 10;

/**
 * Ms until the pod's slot, 0 while it is open. `index` numbers the pods, `fleetSize` is how many there were last. With `everyNth` above 1
 * the pod uses only one of so many of its slots, and pods with neighbouring numbers do not use it in the same round.
 */
export function ownSlotWaitMs(index: number, fleetSize: number, slotMs: number, now: number, everyNth = 1): number {
  const places = Math.max(fleetSize, LEAST_PLACES);
  const roundMs = places * slotMs;
  const sinceFirst = now - (index % places) * slotMs;
  const round = Math.floor(sinceFirst / roundMs);
  const sinceStart = sinceFirst - round * roundMs;
  const since = (round + index) % everyNth;
  return since === 0 && sinceStart < OPEN_MS ? 0 : (everyNth - since) * roundMs - sinceStart;
}

/** A pod's place among all pods with its API key. */
export interface OwnSlot {
  index: number;
  /** How many pods there were last. */
  pods(): number;
  /** True while Redis does not answer, so that the pods cannot take turns there. */
  redisIsAway(): boolean;
}

/** Null while the pods are so few, or their number is so unknown, that the time slots of pods without Redis do. */
export function slotAmongMany(own: OwnSlot | null): OwnSlot | null {
  return own !== null && own.pods() > LEAST_PLACES ? own : null;
}

/** The first instant from `notBefore` on that is in the pod's slot. */
export function ownSlotAt({ index, pods }: OwnSlot, slotMs: number, notBefore: number): number {
  return notBefore + ownSlotWaitMs(index, pods(), slotMs, notBefore);
}

/**
 * A pod's number among the others: that of a StatefulSet, counted from a number of the set's name, since the first pods of many sets must
 * not have one slot; or a number of the pod's name.
 */
export function podNumber(podName: string): number {
  const [, set = podName, ordinal = "0"] = /^(.*)-(\d{1,6})$/.exec(podName) ?? [];
  return createHash("sha256").update(set).digest().readUInt16BE(0) + Number(ordinal);
}
