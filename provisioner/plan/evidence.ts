// Shortens the grace of an instance that was ready where the API and the probe agree that it is dead: it then lasts as long as a wait is
// worth it (state/boots.ts), and never longer than without evidence. Pure.
import type { InstancePhase } from "../model/instance-phase.ts";
import { graceOf } from "../state/boots.ts";
import type { State, Track } from "../state/schema.ts";

// One list may show a change in progress.
const READS = 2;
// A host that is not heard of may be back soon, and its GPUs are not charged meanwhile: what is lost is service.
const HEARTBEAT_FACTOR = 2;
// A container that its host starts anew is loading for about this long before its app starts.
const RESTART_MS = 20_000;

type Known = Pick<State, "boots" | "unreachableHost">;
interface Kept {
  row: { image: string; hostId: number | null };
  track: Track;
}

/** Null where nothing is known, or where our own network may be what is broken. */
function learnedGrace({ row, track }: Kept, { boots, unreachableHost }: Known): number | null {
  const ownNetworkMayBeBroken = unreachableHost !== null && unreachableHost !== row.hostId;
  return !track.wasReady || ownNetworkMayBeBroken ? null : graceOf(boots, row.image);
}

/** Its container is gone and its host refuses connections; or its host is not heard of, and the probe hears nothing either. */
export function withEvidence(phase: InstancePhase, kept: Kept, known: Known): InstancePhase {
  const grace = learnedGrace(kept, known);
  if (phase.phase !== "lost" || grace === null) return phase;
  const { failedProbes, refusedSince } = kept.track;
  const shortened = (graceMs: number): InstancePhase => ({
    ...phase,
    graceMs: Math.min(phase.graceMs, graceMs),
    reads: Math.max(phase.reads, READS),
  });
  switch (phase.status) {
    case "exited":
    case "frozen":
      return refusedSince === null ? phase : shortened(grace);
    case "unknown":
    case "offline":
      return failedProbes === 0 ? phase : shortened(HEARTBEAT_FACTOR * grace);
    default:
      return phase;
  }
}

/**
 * For how long an instance that runs may be silent, at most `mostMs`: while its host refuses connections, the host is reached, and nothing
 * listens there. A probe that gets no answer says nothing about the instance.
 */
export function silenceLimit(kept: Kept, known: Known, mostMs: number): number {
  const { refusedSince, notServingSince } = kept.track;
  const grace = learnedGrace(kept, known);
  if (grace === null || refusedSince === null || notServingSince === null) return mostMs;
  return Math.min(mostMs, Math.max(0, refusedSince - notServingSince) + grace);
}

/** For how long an instance that was ready may be starting again, at most `mostMs`. */
export function restartLimit(kept: Kept, known: Known, mostMs: number): number {
  const { endpoint, refusedSince } = kept.track;
  const grace = learnedGrace(kept, known);
  if (grace === null || (endpoint !== null && refusedSince === null)) return mostMs;
  return Math.min(mostMs, RESTART_MS + grace);
}
