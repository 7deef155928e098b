// Lists that one pod reads for all pods of the account. While Redis is away, or no pod reads, this pod reads its own. Touches Redis and the
// API, through its parts.
import type { Clock } from "../../common/clock.ts";
import type { ListSource, SharedList } from "../fleet/list-source.ts";
import { known } from "../model/observation.ts";
import { redisMessage } from "../redis/trouble.ts";
import type { Listed, ListReader } from "./list-reader.ts";
import { expectsNothing, type Urgency } from "./list-schedule.ts";
import { unknownBecause } from "./unknown.ts";

export interface FleetListParts {
  source: ListSource;
  own: ListReader;
  clock: Clock;
}

interface Away {
  kind: "away";
  why: string;
}

// While all is well nothing depends on the list: a change shows in the counts that the leader reads, and in the probe.
const READY_MS = 300_000;
// While something is expected to come up; a pod that is blocked for longer looks, and needs a reading, less often.
const STARTING_MS = 2000;
const BLOCKED_MS = 30_000;
// The leader reads 25 labels a second, those first whose pods wait.
const WAIT_MS = 8000;
// A passing failure of one probe needs no longer wait.
const WAIT_AGAIN_MS = 3000;
// The first list is confirmed by one that was asked for so much later where it shows no instance.
const CONFIRMED_MS = 10_000;
// Longer than the lead of a leader that was killed.
const ALONE_AFTER_MS = 11_000;

export function createFleetLists({ source, own, clock }: FleetListParts): ListReader {
  let lookedAt = clock.monotonic();
  // What was read before the program started may be older than what its state knows.
  let newestAt = clock.now();
  let withoutSince: number | null = null;
  let usesOwn = false;

  /** `away`: the shared list cannot be relied on at the moment. */
  async function share(
    waitMs: number,
    urgency: Urgency,
    isFirst: boolean,
    signal?: AbortSignal,
  ): Promise<SharedList | Away> {
    let why = "no pod reads it yet";
    try {
      const list =
        waitMs > 0
          ? await source.fresh(waitMs, signal, isFirst ? CONFIRMED_MS : undefined)
          : await source.look(periodMs(urgency));
      if (source.leaderKnownForMs() > 0) {
        withoutSince = null;
        return list;
      }
    } catch (error) {
      why = redisMessage(error);
    }
    withoutSince ??= clock.monotonic();
    return { kind: "away", why };
  }

  function periodMs(urgency: Urgency): number {
    const sinceMs = clock.monotonic() - lookedAt;
    return expectsNothing(urgency) ? READY_MS : Math.min(Math.max(sinceMs, STARTING_MS), BLOCKED_MS);
  }

  /** Another look is not due yet: together the pods look often enough. */
  function isTooSoon(last: Listed | null, urgency: Urgency): boolean {
    if (urgency === "now" || last === null || withoutSince !== null) return false;
    return clock.monotonic() - lookedAt < source.lookEveryMs(last.list.known ? urgency : "unknown");
  }

  /** Null where the shared list is no news. */
  function newer(last: Listed | null, seen: SharedList | Away): Listed | null {
    if (clock.now() < newestAt) newestAt = clock.now(); // the clock was set back
    const unknown = (why: string) => (last === null || last.list.known ? unlisted(why) : null);
    switch (seen.kind) {
      case "list":
        // After a time of own lists, an entry may be older than what this pod has seen.
        if (seen.listedAt > newestAt) {
          newestAt = seen.listedAt;
          return { listedAt: seen.listedAt, shared: true, list: known(seen.rows) };
        }
        return last === null ? unlisted("it is being read") : null;
      case "failed":
        if (last !== null && last.listedAt >= seen.listedAt) return null;
        return { listedAt: seen.listedAt, list: { known: false, why: seen.why }, apiFailed: true };
      case "none":
        return unknown("no pod has read it lately");
      case "away":
        return last === null ? unlisted(seen.why) : null;
    }
  }

  const unlisted = (why: string): Listed => ({
    listedAt: clock.now(),
    list: unknownBecause(why),
  });

  /** A list of the leader, or an own one while there has been no leader for a while. */
  async function read(
    last: Listed | null,
    urgency: Urgency,
    waitMs: number,
    readOwn: () => Promise<Listed | null>,
    signal?: AbortSignal,
  ): Promise<Listed | null> {
    if (waitMs === 0 && isTooSoon(last, urgency)) return null;
    const seen = await share(waitMs, urgency, last === null, signal);
    lookedAt = clock.monotonic();
    usesOwn = withoutSince !== null && clock.monotonic() - withoutSince >= ALONE_AFTER_MS;
    if (!usesOwn) return newer(last, seen);
    const listed = await readOwn();
    if (listed?.list.known) newestAt = listed.listedAt;
    return listed;
  }

  return {
    async begin() {
      // The leader's calls are spaced, so the pods need not be.
    },
    next: (last, urgency, signal) =>
      read(
        last,
        urgency,
        urgency === "now" || last === null ? WAIT_MS : 0,
        () => own.next(last, urgency, signal),
        signal,
      ),
    again: (last, urgency, signal) =>
      read(last, urgency, WAIT_AGAIN_MS, () => own.again(last, urgency, signal), signal),
    wakeAt: (last, urgency, wantedAt) => (usesOwn ? own.wakeAt(last, urgency, wantedAt) : wantedAt),
    templateIsNeeded: () => !usesOwn || own.templateIsNeeded(),
  };
}
