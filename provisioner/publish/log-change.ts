// Logs what changed from one plan to the next. Touches the log.
import type { Logger } from "../../common/logging.ts";
import { sameServer } from "../../common/upstream-file.ts";
import type { PublishedState } from "./publish.ts";

/** One line per change. */
export function logChange(log: Logger, before: PublishedState | null, now: PublishedState): void {
  if (before !== null && sameLine(before, now)) return;
  const line = {
    event: "state",
    state: now.state,
    reason: now.reason,
    server: now.server,
    instance: now.instance?.id ?? null,
  } as const;
  if (now.reason === "internal_error") log.error(line, now.message);
  else if (now.state === "blocked" || now.state === "unavailable") log.warn(line, now.message);
  else log.info(line, now.message);
}

function sameLine(a: PublishedState, b: PublishedState): boolean {
  if (a.state !== b.state || a.reason !== b.reason || a.message !== b.message) return false;
  return sameServer(a.server, b.server) && a.instance?.id === b.instance?.id;
}
