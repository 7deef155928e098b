// Waits until nginx no longer routes to a server that is about to be destroyed. Touches the ports of
// reloader and nginx.
import { connect } from "node:net";
import { type Clock, withDeadline } from "../../common/clock.ts";
import { codeOf } from "../../common/errors.ts";
import { getJson } from "../../common/http.ts";
import type { Logger } from "../../common/logging.ts";
import { type Applied, appliedSchema } from "../../common/reloader-status.ts";
import type { Server } from "../../common/upstream-file.ts";

/** Fetches what the reloader reports as applied, or null when it gives no such answer. Never rejects. */
export type AskReloader = (signal?: AbortSignal) => Promise<Applied>;

// A reload takes about 200 ms, and up to 8 s while silent connections from before may still reach the server. A reloader that has
// not applied after ten seconds is down, or an old worker of nginx is stuck, and the instance is still being billed.
const APPLIED_DEADLINE_MS = 10_000;
const POLL_MS = 100;
const STATUS_DEADLINE_MS = 1000;

export function createAskReloader(port: number, clock: Clock): AskReloader {
  return async (signal) => {
    try {
      const url = `http://127.0.0.1:${port}/status`;
      const { status, data } = await getJson(url, clock, STATUS_DEADLINE_MS, signal);
      const parsed = appliedSchema.safeParse(data);
      return status === 200 && parsed.success ? parsed.data.applied : null;
    } catch {
      return null; // down or starting: awaitWithdrawn has its own deadline and logs when that passes
    }
  };
}

/**
 * Whether nothing listens on any of these ports of this machine: in Kubernetes nginx and the reloader end before the provisioner is
 * told to. Only a refused connection says so; everything else may be a proxy that is busy.
 */
export async function isNobodyListening(ports: readonly number[], clock: Clock): Promise<boolean> {
  const refused = await Promise.all(ports.map((port) => isRefused(port, clock)));
  return refused.every(Boolean);
}

function isRefused(port: number, clock: Clock): Promise<boolean> {
  return withDeadline(
    clock,
    STATUS_DEADLINE_MS,
    undefined,
    (signal) =>
      new Promise((resolve) => {
        const socket = connect({ host: "127.0.0.1", port, signal });
        socket.once("connect", () => {
          socket.destroy();
          resolve(false);
        });
        socket.once("error", (error) => resolve(codeOf(error) === "ECONNREFUSED"));
      }),
  );
}

/**
 * Resolves when nginx has been verified to serve `generation` or later without `server`, or after 10 s; then after `drainMs` more,
 * for requests in progress. Answers whether it has been verified. Aborting `signal` stops the wait: check it afterwards.
 */
export async function awaitWithdrawn(
  askReloader: AskReloader,
  generation: number,
  server: Server,
  drainMs: number,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = clock.now() + APPLIED_DEADLINE_MS;
  let withdrawn = false;
  while (!withdrawn && clock.now() < deadline && !signal.aborted) {
    const applied = await askReloader(signal);
    withdrawn = applied !== null && applied.generation >= generation && !sameAddress(applied.server, server);
    if (!withdrawn) await clock.sleep(POLL_MS, signal);
  }
  if (signal.aborted) return withdrawn;
  if (!withdrawn) {
    log.warn(
      { event: "withdraw", generation },
      "the reloader did not confirm within 10 s that nginx stopped routing to the server; continuing",
    );
  }
  await clock.sleep(drainMs, signal);
  return withdrawn;
}

function sameAddress(a: { host: string; port: number } | null, b: Server): boolean {
  return a !== null && a.host === b.host && a.port === b.port;
}
