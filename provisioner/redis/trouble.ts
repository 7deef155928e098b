// What is wrong with Redis, from what its client says: the word for it, and what to do. Pure.

/** The word in logs and metrics. `value` is one key's trouble, and no outage. */
export type RedisTrouble =
  | "unreachable"
  | "timeout"
  | "auth"
  | "database"
  | "busy"
  | "read_only"
  | "full"
  | "not_saving"
  | "value"
  | "other";

const BY_WORD: readonly (readonly [RegExp, RedisTrouble])[] = [
  [/^Command timed out$/, "timeout"],
  [/max retries per request limit|Connection is closed|Stream isn't writeable/, "unreachable"],
  [/^(NOAUTH|WRONGPASS|NOPERM)\b|^ERR (AUTH|invalid password|Client sent AUTH)/, "auth"],
  [/^ERR (DB index is out of range|invalid DB index)/, "database"],
  [/^(LOADING|BUSY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN)\b/, "busy"],
  [/^(READONLY|NOREPLICAS)\b/, "read_only"],
  [/^OOM\b/, "full"],
  [/^MISCONF\b/, "not_saving"],
  [/^WRONGTYPE\b|^ERR (value is not an integer|increment or decrement would overflow)/, "value"],
];

export function troubleOf(error: unknown): RedisTrouble {
  if (!(error instanceof Error)) return "other";
  // A transaction that was discarded tells why only in the refusals of its commands.
  const [earlier] = "previousErrors" in error && Array.isArray(error.previousErrors) ? error.previousErrors : [];
  if (earlier !== undefined) return troubleOf(earlier);
  // Before version 7 a script's refusal stands at the end of a sentence about the script.
  const says = error.message.replace(/^ERR Error running script .*: -(?=[A-Z]+\b)/s, "");
  const found = BY_WORD.find(([pattern]) => pattern.test(says))?.[1];
  if (found !== undefined) return found;
  // The system's own codes are like ECONNREFUSED: there is no connection.
  return "code" in error && /^E[A-Z]+/.test(String(error.code)) ? "unreachable" : "other";
}

/** The connection itself is gone or too slow: what is asked next would wait as long. */
export const AWAY: ReadonlySet<RedisTrouble> = new Set(["unreachable", "timeout"]);

/** Reads go on while these last. */
export const WRITES_ONLY: ReadonlySet<RedisTrouble> = new Set(["read_only", "full", "not_saving"]);

/** A sentence that stays the same as long as the trouble does, and what to do. */
export const MESSAGES: Readonly<Record<RedisTrouble, { says: string; remedy: string }>> = {
  unreachable: {
    says: "Redis is away",
    remedy: "check that the server of BLACKLIST_REDIS_URL runs and can be reached from this pod",
  },
  timeout: {
    says: "Redis is away",
    remedy: "check that the server of BLACKLIST_REDIS_URL answers within a second",
  },
  auth: { says: "Redis refuses the login", remedy: "correct user and password in BLACKLIST_REDIS_URL" },
  database: {
    says: "Redis has no database of that number",
    remedy: "correct the number at the end of BLACKLIST_REDIS_URL, or raise the server's `databases`",
  },
  busy: { says: "Redis is busy", remedy: "it is loading its data, runs a script or waits for its primary" },
  read_only: { says: "Redis takes no writes", remedy: "name the primary in BLACKLIST_REDIS_URL, not a replica" },
  full: { says: "Redis is full", remedy: "raise its maxmemory, or give the bans a server of their own" },
  not_saving: { says: "Redis takes no writes", remedy: "it cannot save to its disk: see its log" },
  value: { says: "a key in Redis holds something else", remedy: "give the bans a database of their own" },
  other: { says: "Redis refuses a command", remedy: "see its answer" },
};

/** What a plan's message says of an error: the same words while the same trouble lasts. */
export function redisMessage(error: unknown): string {
  const trouble = troubleOf(error);
  if (trouble !== "other") return MESSAGES[trouble].says;
  return `Redis: ${error instanceof Error ? error.message : String(error)}`;
}
