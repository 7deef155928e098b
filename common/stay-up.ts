// Keeps a container up whose program cannot start: it reports why, and tries again. Touches the status port.
import { exponentialMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { messageOf } from "./errors.ts";
import { createRegistry } from "./metrics.ts";
import { readSetting, type SettingsSource } from "./settings.ts";
import type { StatusServer, StatusSource } from "./status-server.ts";
import type { Values, VariableTable } from "./variables.ts";

export interface StayUpParts<T> {
  /** Runs the program until it is told to stop. Rejects when it cannot start. */
  start(): Promise<T>;
  /** Serves the status port while the program does not; `failure` is the document of `/status`. */
  serve(source: StatusSource, failure: StartFailure): Promise<StatusServer>;
  clock: Clock;
  /** Gets the reason why it cannot start when it is another one than before, or why that cannot be shown on `/status`. */
  onProblem(message: string): void;
}

/** The document of `/status` while the program cannot start. */
export interface StartFailure {
  state: "blocked";
  reason: "cannot_start";
  message: string;
  /** Starts that failed in a row. */
  failures: number;
}

const FIRST_MS = 1000;
// A corrected file or a port that is free again takes effect within this time.
const LONGEST_MS = 30_000;

/**
 * Starts the program until it ends by itself. Between two starts `/livez` answers 200, since a restart of the container would only
 * hide the reason and take the pod out of its Services; `/readyz` answers 503, and `/status` says why. Resolves to what `start` did, or
 * to null when `stop` was aborted while it could not start.
 */
export async function stayUp<T>(
  { start, serve, clock, onProblem }: StayUpParts<T>,
  stop: AbortSignal,
): Promise<T | null> {
  let [said, failures] = ["", 0];
  const say = (text: string) => {
    if (text !== said) onProblem(text);
    said = text;
  };
  while (!stop.aborted) {
    const startedAt = clock.monotonic();
    try {
      return await start();
    } catch (error) {
      if (clock.monotonic() - startedAt > LONGEST_MS) failures = 0; // it ran meanwhile
      failures += 1;
      const message = messageOf(error);
      say(`cannot start, and tries again at least every ${LONGEST_MS / 1000} s: ${message}`);
      const status: StartFailure = { state: "blocked", reason: "cannot_start", message, failures };
      const server = await serve(sourceOf(status), status).catch((why: unknown) => {
        // Then the kubelet restarts the container, which also frees a port of its own.
        onProblem(`the reason cannot be shown on /status: ${messageOf(why)}`);
        return null;
      });
      await clock.sleep(exponentialMs(FIRST_MS, LONGEST_MS, failures), stop);
      await server?.close();
    }
  }
  return null;
}

/** One setting, whatever the others are; its default when it cannot be used itself. */
export function readAlone<T extends VariableTable, N extends keyof T & string>(
  table: T,
  source: SettingsSource,
  name: N,
): Values<T>[N] {
  const read = (from: SettingsSource) => readSetting(table, from, name);
  try {
    return read(source);
  } catch {
    return read({ ...source, env: {}, flags: {} }); // the program's own start reports it
  }
}

function sourceOf(status: StartFailure): StatusSource {
  return {
    live: () => ({ ok: true, why: "cannot start: see /status" }),
    ready: () => ({ ok: false, why: status.message }),
    status: () => status,
    metrics: createRegistry(),
  };
}
