// Which instances come back by themselves, and when: known from the faults, for the oracle. Pure but for its own state.
import type { Injection } from "./scenario.ts";

/** Events after which an instance does not serve any more, unless their fault ends. */
const DEADLY = ["exit", "offline", "unknown", "oci-failure", "pull-failure", "outbid", "mute", "stick"];

export interface Fates {
  /** An instance is hit at `now`. */
  hit(id: number, injection: Extract<Injection, { kind: "instance" }>, now: number): void;
  /** Its fault is over. */
  recovered(id: number): void;
  /** When it comes back, epoch ms; infinity: never; null: nothing has happened to it. */
  backAt(id: number): number | null;
}

export function createFates(faultsEnd: number): Fates {
  const fates = new Map<number, number>();
  return {
    hit(id, { event, undo }, now) {
      if (!DEADLY.includes(event)) return;
      fates.set(id, undo === null ? Number.POSITIVE_INFINITY : Math.min(now + undo.afterMs, faultsEnd));
    },
    recovered: (id) => void fates.delete(id),
    backAt: (id) => fates.get(id) ?? null,
  };
}
