// This pod's view of the list that the leader publishes: looks at its own label's entry, and converts Redis' times to the pod's clock.
// Touches Redis, through the snapshot.
import type { Clock } from "../../common/clock.ts";
import { WakeSignal } from "../../common/loop.ts";
import type { Why } from "../model/observation.ts";
import type { Instance } from "../vast/rows.ts";
import {
  awaitedLookMs,
  confirmingLookMs,
  leaderCountsMs,
  settledLookMs,
  startingLookMs,
  unknownLookMs,
  waitingLookMs,
} from "./fleet-size.ts";
import type { Look, Snapshot } from "./snapshot.ts";

/**
 * - `list`: what the leader read; `listedAt` is when it asked the API, by this pod's clock, rounded to the past
 * - `failed`: the leader could not read it since then, or not all of it
 * - `none`: nothing was read yet, or too long ago
 */
export type SharedList =
  | { kind: "list"; listedAt: number; rows: readonly Instance[] }
  | { kind: "failed"; listedAt: number; why: Why }
  | { kind: "none" };

export interface ListSource {
  /** Looks once and wants the next reading `periodMs` after the last one. Rejects when Redis does not answer. */
  look(periodMs: number): Promise<SharedList>;
  /** A reading that was asked for after this call, or what there is after `waitMs`. Wants the next one `periodMs` after it. */
  fresh(waitMs: number, signal?: AbortSignal, periodMs?: number): Promise<SharedList>;
  /** For how many ms the last look still counts, if it saw a leader; otherwise 0. */
  leaderKnownForMs(): number;
  /**
   * How often a pod looks for which all is well, one that waits for its turn and has no instance, one that expects something, one that only
   * confirms that there is no instance, and one whose list is unknown.
   */
  lookEveryMs(urgency: "ready" | "waiting" | "starting" | "confirming" | "unknown"): number;
  /** How many pods the account has, by the last look; 0 before it. */
  pods(): number;
  /** Notified by each look that sees no leader. */
  readonly noLeader: WakeSignal;
}

export interface ListSourceParts {
  /** Null as long as the account is not known. */
  snapshot: () => Snapshot | null;
  clock: Clock;
  label: string;
}

// An entry still counts for this long after its next reading was due, as a list that was refused by the rate limit does.
const OVERDUE_MS = 120_000;
// A leader that has not read a label this long after it was due, and has failed since, does not know it.
const FAILED_MS = 5000;
// When a fresh list has come no other one is wanted, until a later look wants one.
const AFTER_FRESH_MS = 300_000;

interface Seen {
  look: Look;
  /** Add it to a time of Redis for the same instant, or an earlier one, by this pod's clock. */
  offsetMs: number;
}

export function createListSource({ snapshot, clock, label }: ListSourceParts): ListSource {
  const noLeader = new WakeSignal();
  let latest: { look: Look; at: number } | null = null;
  let converted: { askedAt: number; listedAt: number } | null = null;

  async function once(shared: Snapshot, periodMs: number, after: number | "now"): Promise<Seen> {
    const began = clock.now();
    const look = await shared.look(label, periodMs, after);
    latest = { look, at: clock.monotonic() };
    if (!look.hasLeader) noLeader.notify();
    return { look, offsetMs: began - look.now };
  }

  /** One reading keeps its time, however late it is looked at: with another time it would count as a second list. */
  function listedAt(askedAt: number, offsetMs: number): number {
    const before = converted?.askedAt === askedAt ? converted.listedAt : Number.POSITIVE_INFINITY;
    converted = { askedAt, listedAt: Math.min(before, askedAt + offsetMs) }; // the later one after the pod's clock was set back
    return converted.listedAt;
  }

  /** `failedAfter`: a failure that was asked for later means that the list is not known. */
  function read({ look, offsetMs }: Seen, dueAt: number, failedAfter: number): SharedList {
    const { entry, now, trouble } = look;
    if (trouble !== null && trouble.at > Math.max(failedAfter, entry?.askedAt ?? 0))
      return { kind: "failed", listedAt: trouble.at + offsetMs, why: trouble.why };
    // Asked for in the future: Redis' clock was set back, or another server with another clock took over.
    if (entry === null || entry.askedAt > now || now - dueAt > OVERDUE_MS) return { kind: "none" };
    const at = listedAt(entry.askedAt, offsetMs);
    return "why" in entry
      ? { kind: "failed", listedAt: at, why: entry.why }
      : { kind: "list", listedAt: at, rows: entry.rows };
  }

  return {
    noLeader,
    pods: () => latest?.look.pods ?? 0,
    async look(periodMs) {
      const shared = snapshot();
      if (shared === null) return { kind: "none" };
      const seen = await once(shared, periodMs, 0);
      const dueAt = (seen.look.entry?.askedAt ?? 0) + periodMs;
      return read(seen, dueAt, dueAt + FAILED_MS);
    },
    async fresh(waitMs, signal, periodMs = AFTER_FRESH_MS) {
      const shared = snapshot();
      if (shared === null) return { kind: "none" };
      const until = clock.monotonic() + waitMs;
      // It cannot find the reading that it wants, but brings it about, and tells the time.
      let seen = await once(shared, periodMs, "now");
      const after = seen.look.now;
      const isOver = ({ look: { entry, trouble } }: Seen) =>
        (entry?.askedAt ?? 0) > after || (trouble?.at ?? 0) > after || clock.monotonic() >= until || signal?.aborted;
      for (let looks = 0; ; looks += 1) {
        await clock.sleep(awaitedLookMs(seen.look.pods, looks), signal);
        const { look, offsetMs } = await once(shared, periodMs, after);
        seen = { look, offsetMs: Math.max(offsetMs, seen.offsetMs) };
        if (isOver(seen)) return read(seen, seen.look.entry?.askedAt ?? 0, after);
      }
    },
    leaderKnownForMs: () =>
      latest?.look.hasLeader === true
        ? Math.max(0, latest.at + leaderCountsMs(latest.look.pods) - clock.monotonic())
        : 0,
    lookEveryMs(urgency) {
      const pods = latest?.look.pods ?? 0;
      if (urgency === "ready") return settledLookMs(pods);
      if (urgency === "waiting") return waitingLookMs(pods);
      if (urgency === "unknown") return unknownLookMs(pods);
      return urgency === "confirming" ? confirmingLookMs(pods) : startingLookMs(pods);
    },
  };
}
