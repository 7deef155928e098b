// Logs what changed from one plan to the next. Touches the log.
import type { Logger } from "../../common/logging.ts";
import type { PublishedState } from "./publish.ts";

/** One line per change. */
export function logChange(log: Logger, before: PublishedState | null, now: PublishedState): void {
  const key = (p: PublishedState) => JSON.stringify([p.state, p.reason, p.message, p.server, p.instance?.id]);
  if (before !== null && key(before) === key(now)) return;
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
