// Proves in two steps that nginx took a config: accepted (a worker of the new config answers) and settled (no worker of
// the old one does). A delivered signal proves neither. Touches nothing but what it is given.
import { type Clock, elapsedMs } from "../../common/clock.ts";
import type { HashProbe } from "../nginx/hash-probe.ts";

export interface AcceptanceCheck {
  hash: string;
  /** Epoch ms of the signal, and for how long after it to ask. */
  since: number;
  timeoutMs: number;
  clock: Clock;
  fetchHash(): Promise<HashProbe>;
  /** Whether nginx has workers that it had not before the signal: old ones echo the same hash where the bytes are the same. */
  hasNewWorkers(): boolean;
  /** Why nginx refused the config, null while nothing says that it did. */
  refusal(): Promise<string | null>;
  /** False when the master that was signalled has ended. */
  isMasterAlive(): boolean;
  signal: AbortSignal;
}

export type Accepted =
  | { accepted: true }
  /** `gone`: nginx ended meanwhile. `stopped`: this program is to end. */
  | { accepted: false; because: "refused" | "late" | "gone" | "stopped"; why: string };

// Old workers take the first connections: on Linux nginx moves its listening socket to the end of the kernel's queue
// only at every 16th one it accepts (ngx_reorder_accept_events). Several questions at a time get past them sooner.
const PROBES_AT_ONCE = 4;
// nginx forks its new workers within 2-10 ms: asking every millisecond at first finds them at once, and a slow one is
// not made slower by hundreds of questions.
const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 25;

/** Asks until the hash comes back, the config was refused or time is up. */
export async function awaitAccepted(question: AcceptanceCheck): Promise<Accepted> {
  const { clock, since, timeoutMs, hash, signal } = question;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause + 1, MAX_PAUSE_MS)) {
    const echoes = await Promise.all(Array.from({ length: PROBES_AT_ONCE }, question.fetchHash));
    const isEchoed = echoes.some((echo) => echo.kind === "hash" && echo.hash === hash);
    if (isEchoed && question.hasNewWorkers()) return { accepted: true };
    if (signal.aborted) return { accepted: false, because: "stopped", why: "the reloader was told to end" };
    const refused = await question.refusal();
    if (refused !== null) return { accepted: false, because: "refused", why: refused };
    if (!question.isMasterAlive())
      return { accepted: false, because: "gone", why: "nginx ended while it was to reload" };
    if (elapsedMs(since, clock.now()) >= timeoutMs) {
      const [echo] = echoes;
      const old = isEchoed ? "it has no new workers" : "it still runs another config";
      const seen = echo === undefined || echo.kind === "hash" ? old : echo.why;
      return { accepted: false, because: "late", why: seen };
    }
    await clock.sleep(pause, signal);
  }
}

export interface SettlementCheck {
  timeoutMs: number;
  clock: Clock;
  /** Old workers that still take requests. */
  remaining(): readonly number[];
  signal: AbortSignal;
}

// nginx tells its old workers to leave 100 ms after it has started the new ones (ngx_master_process_cycle): a look
// costs microseconds, and how late it comes is how late "settled" is reported.
const CHECK_EVERY_MS = 5;

/** Waits until no old worker takes requests; answers those that still do when time is up. */
export async function awaitSettled({
  clock,
  timeoutMs,
  remaining,
  signal,
}: SettlementCheck): Promise<readonly number[]> {
  const since = clock.now();
  for (;;) {
    const left = remaining();
    if (left.length === 0 || elapsedMs(since, clock.now()) >= timeoutMs || signal.aborted) return left;
    await clock.sleep(CHECK_EVERY_MS, signal);
  }
}
