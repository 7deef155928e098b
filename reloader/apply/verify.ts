// Proves in two steps that nginx runs a config: accepted (a worker with the new config answers) and settled (no worker with
// the old config can answer any more). A delivered signal proves neither. Touches nothing but what it is given.
import type { Clock } from "../../common/clock.ts";
import type { HashProbe } from "../nginx/hash-probe.ts";
import type { Worker } from "../nginx/workers.ts";

export interface AcceptanceCheck {
  hash: string;
  /** When the signal was sent, by the monotonic clock. */
  since: number;
  /** How long to probe, counted from the signal. */
  timeoutMs: number;
  clock: Clock;
  fetchHash(): Promise<HashProbe>;
  /** Whether one of these is from a worker that nginx did not have before the signal: an old one may answer the same hash. */
  isProof(probes: readonly HashProbe[]): boolean;
  /** A withdrawal has come meanwhile, which must not wait for this config. */
  isWithdrawn(): Promise<boolean>;
  /** Why nginx refused the config, null while there is no sign that it did. */
  refusal(): Promise<string | null>;
  /** False when the master that was signalled has exited. */
  isMasterAlive(): boolean;
  signal: AbortSignal;
}

export type Accepted =
  | { accepted: true }
  /** `timeout`: no proof in time. `gone`: nginx exited meanwhile. `stopped`: this program is stopping, or the server was withdrawn. */
  | { accepted: false; because: "refused" | "timeout" | "gone" | "stopped"; why: string };

// Old workers take the first connections: on Linux nginx moves its listening socket to the end of the kernel's queue
// only at every 16th connection (ngx_reorder_accept_events). Several probes at a time reach the new workers sooner.
const PROBES_AT_ONCE = { quick: 8, later: 4 };
// nginx forks its new workers within 2-10 ms. Twelve rounds reach them past six old workers, each of which takes up to 16 probes; the
// growing pause after them keeps hundreds of probes away from an nginx that is slow.
const QUICK_ROUNDS = 12;
const QUICK_PAUSE_MS = 1;
const MAX_PAUSE_MS = 25;
// A withdrawal that comes during a reload waits this long for it, many times what a reload takes.
const WITHDRAWAL_CHECK_MS = 500;

/** Probes until nginx answers the hash, has refused the config, or time is up. */
export async function awaitAccepted(check: AcceptanceCheck): Promise<Accepted> {
  const { clock, since, timeoutMs, hash, signal } = check;
  let checkedAt = since;
  for (let round = 1; ; round += 1) {
    const length = round <= QUICK_ROUNDS ? PROBES_AT_ONCE.quick : PROBES_AT_ONCE.later;
    const probes = await Promise.all(Array.from({ length }, check.fetchHash));
    const hasHash = probes.some((probe) => probe.kind === "hash" && probe.hash === hash);
    if (check.isProof(probes)) return { accepted: true };
    if (signal.aborted) return { accepted: false, because: "stopped", why: "the reloader is stopping" };
    const refused = await check.refusal();
    if (refused !== null) return { accepted: false, because: "refused", why: refused };
    if (!check.isMasterAlive()) return { accepted: false, because: "gone", why: "nginx exited during the reload" };
    const now = clock.monotonic();
    if (now - checkedAt >= WITHDRAWAL_CHECK_MS) {
      if (await check.isWithdrawn()) return { accepted: false, because: "stopped", why: "the server was withdrawn" };
      checkedAt = now;
    }
    if (now - since >= timeoutMs) {
      const [probe] = probes;
      const unproven = hasHash ? "it has no new workers" : "it still runs another config";
      const why = probe === undefined || probe.kind === "hash" ? unproven : probe.why;
      return { accepted: false, because: "timeout", why };
    }
    await clock.sleep(Math.min(Math.max(round - QUICK_ROUNDS, QUICK_PAUSE_MS), MAX_PAUSE_MS), signal);
  }
}

export interface SettlementCheck {
  timeoutMs: number;
  clock: Clock;
  /** Old workers that may still answer. */
  remaining(): Promise<readonly Worker[]>;
  signal: AbortSignal;
}

// nginx tells its old workers to exit 100 ms after it has started the new ones (ngx_master_process_cycle). A check costs a
// tenth of a millisecond; with a longer pause "settled" is reported later.
const CHECK_EVERY_MS = 5;

/** Waits until no old worker can answer. Answers those that still can when time is up. */
export async function awaitSettled({
  clock,
  timeoutMs,
  remaining,
  signal,
}: SettlementCheck): Promise<readonly Worker[]> {
  const since = clock.monotonic();
  for (;;) {
    const left = await remaining();
    if (left.length === 0 || clock.monotonic() - since >= timeoutMs || signal.aborted) return left;
    await clock.sleep(CHECK_EVERY_MS, signal);
  }
}
