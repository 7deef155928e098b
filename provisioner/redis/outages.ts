// Whether Redis works; logs each outage once, not once per command. Touches the log.
import type { Logger } from "../../common/logging.ts";
import type { RedisAddress } from "./address.ts";
import { CONNECTION_TROUBLES, explainTrouble, type RedisTrouble, troubleOf, WRITE_TROUBLES } from "./trouble.ts";

export interface RedisHealth {
  /** False from the first failure until a command of the kind that failed succeeds again. */
  up(): boolean;
  /** When each kind of failure last occurred, epoch ms. */
  failures(): ReadonlyMap<RedisTrouble, number>;
}

export interface Outages extends RedisHealth {
  /** Throws while Redis is known to be unreachable, so that the commands of one pass do not each wait for a timeout. */
  throwIfUnreachable(): void;
  /** `connected`: the server answered with an error, so the next command gets an answer soon too. */
  failed(error: unknown, connected: boolean): void;
  succeeded(proves: "reading" | "writing"): void;
  /** There is a connection again: the next command is sent. */
  connected(): void;
}

// A pass sends a few commands, and each may wait a second: after the first failure the others fail immediately for this long.
const FAIL_FAST_MS = 3000;

const ALONE = "each pod lists and takes its turn alone, in a slot of its own";
// What the outage means for the pod, by what this Redis holds.
const EFFECTS = {
  bans: { all: "bans are unknown until it is back", writes: "new bans and counters are not saved" },
  fleet: {
    all: `until it is back the lease is not renewed, and ${ALONE}`,
    writes: `the lease is not renewed, and ${ALONE}`,
  },
  both: {
    all: `until it is back bans are unknown, the lease is not renewed, and ${ALONE}`,
    writes: `new bans and counters are not saved, the lease is not renewed, and ${ALONE}`,
  },
} as const;

export function createOutages(
  log: Logger,
  now: () => number,
  { variable, holds }: Pick<RedisAddress, "variable" | "holds">,
): Outages {
  let outage: { writesOnly: boolean; logged: Set<string> } | null = null;
  let failFast: { until: number; error: unknown } | null = null;
  const failures = new Map<RedisTrouble, number>();
  return {
    up: () => outage === null,
    failures: () => failures,
    throwIfUnreachable() {
      if (failFast !== null && now() < failFast.until) throw failFast.error;
    },
    failed(error, connected) {
      const trouble = troubleOf(error);
      failures.set(trouble, now());
      if (trouble === "value") return;
      if (CONNECTION_TROUBLES.has(trouble) || !connected) failFast = { until: now() + FAIL_FAST_MS, error };
      const writesOnly = WRITE_TROUBLES.has(trouble);
      outage ??= { writesOnly, logged: new Set() };
      outage.writesOnly &&= writesOnly;
      const { message, remedy } = explainTrouble(trouble, variable);
      if (outage.logged.has(message)) return log.debug({ event: "redis", trouble, err: error }, `still: ${message}`);
      outage.logged.add(message);
      const effect = EFFECTS[holds][writesOnly ? "writes" : "all"];
      log.warn({ event: "redis", trouble, err: error }, `${message}: ${effect}; ${remedy}`);
    },
    succeeded(proves) {
      if (outage === null || (outage.writesOnly && proves === "reading")) return;
      outage = null;
      log.info({ event: "redis" }, "Redis is back");
    },
    connected() {
      failFast = null;
    },
  };
}
