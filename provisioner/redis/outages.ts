// Whether Redis works, told once per outage and not once per command. Touches the log.
import type { Logger } from "../../common/logging.ts";
import { AWAY, MESSAGES, type RedisTrouble, troubleOf, WRITES_ONLY } from "./trouble.ts";

export interface RedisHealth {
  /** False from the first failure until a command works again that failed before. */
  up(): boolean;
  /** The last failure of each kind, epoch ms. */
  failures(): ReadonlyMap<RedisTrouble, number>;
}

export interface Outages extends RedisHealth {
  /** Throws while the server is known to be away: the commands of one pass do not wait for it one after the other. */
  enter(): void;
  /** `connected`: there was an answer, and the next command will have one soon. */
  failed(error: unknown, connected: boolean): void;
  worked(proves: "reading" | "writing"): void;
  /** There is a connection again: worth asking at once. */
  connected(): void;
}

// A pass has a handful of commands, each of which may wait a second; the first failure speaks for those of the next moments.
const REST_MS = 3000;
export function createOutages(log: Logger, now: () => number): Outages {
  let outage: { writesOnly: boolean; said: Set<string> } | null = null;
  let rest: { until: number; error: unknown } | null = null;
  const failures = new Map<RedisTrouble, number>();
  return {
    up: () => outage === null,
    failures: () => failures,
    enter() {
      if (rest !== null && now() < rest.until) throw rest.error;
    },
    failed(error, connected) {
      const trouble = troubleOf(error);
      failures.set(trouble, now());
      if (trouble === "value") return;
      if (AWAY.has(trouble) || !connected) rest = { until: now() + REST_MS, error };
      const writesOnly = WRITES_ONLY.has(trouble);
      outage ??= { writesOnly, said: new Set() };
      outage.writesOnly &&= writesOnly;
      const { says, remedy } = MESSAGES[trouble];
      if (outage.said.has(says)) return log.debug({ event: "redis", trouble, err: error }, `${says} still`);
      outage.said.add(says);
      const effect = writesOnly ? "new bans and counters are not kept" : "bans are unknown until it is back";
      log.warn({ event: "redis", trouble, err: error }, `${says}: ${effect}; ${remedy}`);
    },
    worked(proves) {
      if (outage === null || (outage.writesOnly && proves === "reading")) return;
      outage = null;
      log.info({ event: "redis" }, "Redis is back");
    },
    connected() {
      rest = null;
    },
  };
}
