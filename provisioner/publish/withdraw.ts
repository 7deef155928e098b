// Waits until nginx has let go of a server that is about to end. Touches the reloader's status port and the clock.
import axios from "axios";
import { type Clock, withDeadline } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { type Applied, appliedSchema } from "../../common/reloader-status.ts";
import type { Server } from "../../common/upstream-file.ts";

/** What the reloader says it has applied, or null when it cannot be asked. */
export type AskReloader = (signal?: AbortSignal) => Promise<Applied>;

// A reload takes some 200 ms; a reloader that has not applied after five seconds is down, and the instance goes on billing.
const APPLIED_DEADLINE_MS = 5000;
const ASK_EVERY_MS = 100;
const ANSWER_DEADLINE_MS = 1000;

export function createReloaderQuestion(port: number, clock: Clock): AskReloader {
  return (signal) =>
    withDeadline(clock, ANSWER_DEADLINE_MS, signal, async (deadline) => {
      try {
        const response = await axios.get<unknown>(`http://127.0.0.1:${port}/status`, {
          signal: deadline,
          proxy: false,
        });
        const parsed = appliedSchema.safeParse(response.data);
        return parsed.success ? parsed.data.applied : null;
      } catch {
        return null; // down or starting: the deadline of the withdrawal bounds the wait, and its log line tells
      }
    });
}

/**
 * Resolves when nginx was proven to serve `generation` or later and not `server` any more, or after 5 s, and then after
 * `drainMs` more for requests under way. Aborting `signal` ends the wait; look at it afterwards.
 */
export async function awaitWithdrawn(
  ask: AskReloader,
  generation: number,
  server: Server,
  drainMs: number,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.now() + APPLIED_DEADLINE_MS;
  let withdrawn = false;
  while (!withdrawn && clock.now() < deadline && !signal.aborted) {
    const applied = await ask(signal);
    withdrawn = applied !== null && applied.generation >= generation && !sameAddress(applied.server, server);
    if (!withdrawn) await clock.sleep(ASK_EVERY_MS, signal);
  }
  if (signal.aborted) return;
  if (!withdrawn) {
    log.warn(
      { event: "withdraw", generation },
      "the reloader did not confirm within 5 s that nginx has let go of the server; going on",
    );
  }
  await clock.sleep(drainMs, signal);
}

function sameAddress(a: { host: string; port: number } | null, b: Server): boolean {
  return a !== null && a.host === b.host && a.port === b.port;
}
