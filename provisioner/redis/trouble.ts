// Classifies an error of the Redis client: the word for logs and metrics, the message and the remedy. Pure.
import { codeOf, messageOf } from "../../common/errors.ts";

/** The word in logs and metrics. `value` is a problem of one key, not an outage. */
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

const BY_MESSAGE: readonly (readonly [RegExp, RedisTrouble])[] = [
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
  // The error of a discarded transaction gives its cause only in the errors of its commands.
  const [earlier] = "previousErrors" in error && Array.isArray(error.previousErrors) ? error.previousErrors : [];
  if (earlier !== undefined) return troubleOf(earlier);
  // Before version 7 the error of a script comes at the end of a sentence about the script.
  const message = error.message.replace(/^ERR Error running script .*: -(?=[A-Z]+\b)/s, "");
  const found = BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1];
  if (found !== undefined) return found;
  // Codes of the operating system, like ECONNREFUSED: there is no connection.
  return /^E[A-Z]+/.test(codeOf(error) ?? "") ? "unreachable" : "other";
}

/** The connection is lost or too slow: the next command would wait as long. */
export const CONNECTION_TROUBLES: ReadonlySet<RedisTrouble> = new Set(["unreachable", "timeout"]);

/** Reads continue to work while these last. */
export const WRITE_TROUBLES: ReadonlySet<RedisTrouble> = new Set(["read_only", "full", "not_saving"]);

/** A message that stays the same while the trouble lasts, and what to do. */
export const MESSAGES: Readonly<Record<RedisTrouble, { message: string; remedy: string }>> = {
  unreachable: {
    message: "Redis is unreachable",
    remedy: "check that the server of BLACKLIST_REDIS_URL runs and that this pod can reach it",
  },
  timeout: {
    message: "Redis is unreachable",
    remedy: "check that the server of BLACKLIST_REDIS_URL answers within a second",
  },
  auth: {
    message: "Redis refuses the login",
    remedy: "correct the user in BLACKLIST_REDIS_URL and the password there or in BLACKLIST_REDIS_PASSWORD",
  },
  database: {
    message: "Redis has no database with this number",
    remedy: "correct the number at the end of BLACKLIST_REDIS_URL, or raise `databases` in the server's config",
  },
  busy: { message: "Redis is busy", remedy: "it is loading its data, running a script or waiting for its primary" },
  read_only: { message: "Redis refuses writes", remedy: "set BLACKLIST_REDIS_URL to the primary, not to a replica" },
  full: { message: "Redis is out of memory", remedy: "raise its maxmemory, or use a separate server for the bans" },
  not_saving: { message: "Redis refuses writes", remedy: "it cannot save to its disk: check its log" },
  value: { message: "a key in Redis has an unexpected value", remedy: "use a separate database for the bans" },
  other: { message: "Redis refuses a command", remedy: "see the error" },
};

/** The message of an error in a plan: it stays the same while the trouble lasts. */
export function redisMessage(error: unknown): string {
  const trouble = troubleOf(error);
  return trouble === "other" ? `Redis: ${messageOf(error)}` : MESSAGES[trouble].message;
}
