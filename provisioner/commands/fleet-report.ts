// Writes the pod's report for the command `status` into the fleet's Redis (fleet/reports.ts). Touches Redis.
import type { Clock } from "../../common/clock.ts";
import { type Logger, scrub } from "../../common/logging.ts";
import { spreadMs } from "../fleet/fleet-size.ts";
import { shortHash } from "../fleet/keys.ts";
import { putReport, removeReport } from "../fleet/reports.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import type { LoopState } from "../loop-state.ts";
import { podReport, reportedChange } from "../report/pod-report.ts";
import type { StatusSettings } from "../report/status.ts";

export interface FleetReport {
  /** Called after each pass; returns at once. */
  report(): void;
  /** The pod has ended on order: it is not missed. Resolves when that is written, or cannot be. */
  forget(): Promise<void>;
}

const EVERY_MS = 300_000;
// Pods that start together do not write together for ever.
const SPREAD = 0.2;
// A start, a rollout or an outage makes all pods wait at once.
const WAITS_SPREAD_MS = 300_000;
const RETRY_MS = 30_000;
// That there is no instance yet holds for ten seconds, and for all pods of a new fleet at once: what follows is told instead.
const FIRST_MS = 30_000;

interface FleetReportParts {
  settings: StatusSettings & { secrets: { all(): readonly string[] } };
  deps: { clock: Clock };
  log: Logger;
}

/** `pods`: how many the fleet has. */
export function createFleetReport(
  { settings, deps, log }: FleetReportParts,
  loop: LoopState,
  fleet: Fleet | null,
  pods: () => number,
): FleetReport {
  const { clock } = deps;
  const { label } = settings.desired;
  const share = Number.parseInt(shortHash(label).slice(0, 4), 16) / 0xffff;
  const everyMs = EVERY_MS * (1 - SPREAD / 2 + SPREAD * share);
  let written: string | null = null;
  let changed: { to: string; at: number } | null = null;
  let dueAt = Number.NEGATIVE_INFINITY;
  let retryAt = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> | null = null;

  function current() {
    try {
      return podReport(loop, settings, (text) => scrub(text, settings.secrets.all()), clock.now());
    } catch (error) {
      log.error(
        { event: "internal_error", err: error },
        "the report of this pod for `status` failed; retrying in 30 s",
      );
      return null;
    }
  }

  return {
    report() {
      // The label's report is by who holds its lease. An observer asks for none: Redis keeps the report of one that acts.
      if (fleet === null || writing !== null || loop.plan === null || loop.ownership.kind === "other") return;
      if (loop.plan.reason === "confirming_none" && clock.now() - loop.startedAt < FIRST_MS) return;
      const keys = fleet.keys();
      const now = clock.monotonic();
      const change = reportedChange(loop);
      if (changed?.to !== change) changed = { to: change, at: now };
      if (keys === null || now < retryAt || (change === written && now < dueAt)) return;
      const waits = loop.plan.reason === "waiting_for_turn" && change !== written;
      if (waits && now - changed.at < share * spreadMs(pods(), WAITS_SPREAD_MS)) return;
      retryAt = now + RETRY_MS;
      const report = current();
      if (report === null) return;
      writing = putReport(fleet.redis, keys, label, report)
        .then(
          () => {
            written = change;
            dueAt = now + everyMs;
            retryAt = now;
          },
          () => undefined, // the connection reports its outage, and it is tried again
        )
        .finally(() => {
          writing = null;
        });
    },
    async forget() {
      await writing;
      const keys = fleet?.keys() ?? null;
      // Where Redis does not answer the report becomes an old one: its pod is said to be silent for a day.
      if (fleet !== null && keys !== null) await removeReport(fleet.redis, keys, label).catch(() => undefined);
    },
  };
}
