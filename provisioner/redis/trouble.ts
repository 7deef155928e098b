// Classifies an error of the Redis client: the word for logs and metrics, the message and the remedy. Pure.
import { codeOf, messageOf } from "../../common/errors.ts";
import type { RedisAddress } from "./address.ts";

/** The word in logs and metrics. `value` is a problem of one key, not an outage. */
export type RedisTrouble =
  | "unreachable"
  | "timeout"
  | "certificate"
  | "sentinel"
  | "sentinel_auth"
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
  [/^All sentinels are unreachable.* Last error: (NOAUTH|WRONGPASS|NOPERM)\b/, "sentinel_auth"],
  [/^All sentinels are unreachable/, "sentinel"],
  [/max retries per request limit|Connection is closed|Stream isn't writeable|^Socket timeout/, "unreachable"],
  [/^Failed to refresh slots cache|^None of startup nodes|^Cluster isn't ready|^Too many Cluster redir/, "unreachable"],
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
  // That no node of a Cluster answers has its cause in the error of the last one.
  if ("lastNodeError" in error && error.lastNodeError instanceof Error) return troubleOf(error.lastNodeError);
  // Before version 7 the error of a script comes at the end of a sentence about the script.
  const message = error.message.replace(/^ERR Error running script .*: -(?=[A-Z]+\b)/s, "");
  const found = BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1];
  if (found !== undefined) return found;
  // Codes of a certificate that Node does not accept, like UNABLE_TO_VERIFY_LEAF_SIGNATURE or ERR_TLS_CERT_ALTNAME_INVALID.
  if (/CERT|^UNABLE_TO_/.test(codeOf(error) ?? "")) return "certificate";
  // Codes of the operating system, like ECONNREFUSED: there is no connection.
  return /^E[A-Z]+/.test(codeOf(error) ?? "") ? "unreachable" : "other";
}

/** The connection is lost or too slow: the next command would wait as long. */
export const CONNECTION_TROUBLES: ReadonlySet<RedisTrouble> = new Set([
  "unreachable",
  "timeout",
  "certificate",
  "sentinel",
]);

/** Reads continue to work while these last. */
export const WRITE_TROUBLES: ReadonlySet<RedisTrouble> = new Set(["read_only", "full", "not_saving"]);

/** Messages that stay the same while the trouble lasts, and what to do. In a remedy `URL` stands for the setting with the address. */
const MESSAGES: Readonly<Record<RedisTrouble, { message: string; remedy: string }>> = {
  unreachable: {
    message: "Redis is unreachable",
    remedy: "check that the server of URL runs and that this pod can reach it",
  },
  timeout: {
    message: "Redis is unreachable",
    remedy: "check that the server of URL answers within a second",
  },
  certificate: {
    message: "the certificate of Redis is not accepted",
    remedy:
      "set NODE_EXTRA_CA_CERTS to a file with its certificate authority, and use a host name in URL that is in the certificate",
  },
  sentinel: {
    message: "no Sentinel of Redis names the primary",
    remedy:
      "check that the Sentinels of URL run, that this pod can reach them, and that they know the primary by the name in URL",
  },
  sentinel_auth: {
    message: "the Sentinels of Redis refuse the login",
    remedy: "correct sentinelUsername and sentinelPassword in URL",
  },
  auth: {
    message: "Redis refuses the login",
    remedy: "correct the user in URL and the password there or in PASSWORD",
  },
  database: {
    message: "Redis has no database with this number",
    remedy: "correct the number at the end of URL, or raise `databases` in the server's config",
  },
  busy: { message: "Redis is busy", remedy: "it is loading its data, running a script or waiting for its primary" },
  read_only: { message: "Redis refuses writes", remedy: "set URL to the primary, not to a replica" },
  full: { message: "Redis is out of memory", remedy: "raise its maxmemory, or use a separate server" },
  not_saving: { message: "Redis refuses writes", remedy: "it cannot save to its disk: check its log" },
  value: { message: "a key in Redis has an unexpected value", remedy: "use a separate database" },
  other: { message: "Redis refuses a command", remedy: "see the error" },
};

/** What happened and what to do, with the names of the settings. */
export function explainTrouble(
  trouble: RedisTrouble,
  variable: RedisAddress["variable"],
): { message: string; remedy: string } {
  const { message, remedy } = MESSAGES[trouble];
  const password = variable.replace(/URL$/, "PASSWORD");
  return { message, remedy: remedy.replace(/\bURL\b/g, variable).replace(/\bPASSWORD\b/, password) };
}

/** The message of an error in a plan: it stays the same while the trouble lasts. */
export function redisMessage(error: unknown): string {
  const trouble = troubleOf(error);
  return trouble === "other" ? `Redis: ${messageOf(error)}` : MESSAGES[trouble].message;
}
