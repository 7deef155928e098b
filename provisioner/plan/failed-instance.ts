// The rules for an instance that does not serve and is known to be bad: banned, failed to start, or lost. Pure.
import { type Failure, failureIn, stoppedByVast } from "../model/instance-phase.ts";
import type { DestroyReason } from "../model/reasons.ts";
import { isOldStatus } from "../state/updating.ts";
import { banOn, tooManyRestarts } from "./housekeeping.ts";
import { waitFor } from "./one-instance.ts";
import { OUTBID_RULE } from "./outbid.ts";
import { replacement } from "./replacement.ts";
import { type Rule, UNKNOWN_MS, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";
import { replaceSilentApp } from "./unresponsive.ts";

type FailureReason = Extract<DestroyReason, "host_failed" | "image_unavailable" | "disk_too_small">;

const FAILURES: Readonly<Record<Failure, { reason: FailureReason; message: string }>> = {
  host_failed: { reason: "host_failed", message: "its host cannot start containers" },
  image_unavailable: {
    reason: "image_unavailable",
    message: "the image cannot be used: check VAST_TEMPLATE_IMAGE and DOCKER_LOGIN",
  },
  image_cannot_start: {
    reason: "image_unavailable",
    message:
      "the image cannot be started: check its entrypoint, that it is built for linux/amd64, and cuda_max_good in VAST_SEARCH_QUERY",
  },
  disk_too_small: {
    reason: "disk_too_small",
    message: "the disk is too small: raise the template's disk space",
  },
};
// A daemon's text can be long; its beginning names the failure.
const MOST_STATUS_CHARACTERS = 200;

export const FAILED_RULES: readonly Rule[] = [
  {
    name: "host_banned",
    observed: "never ready, and its host or machine is banned",
    plan: "replace it",
    // A ban is a verdict about starting there. One that was ready is judged by how long it does not answer.
    decide: withInstance(({ row, track, name }, situation) => {
      if (track.wasReady) return null;
      const ban = banOn(row, situation);
      if (ban === undefined) return null;
      const message = `${name}: its ${ban.kind} ${ban.id} is banned (${ban.reason}); it is replaced`;
      return replacement(row, situation, "host_banned", message);
    }),
  },
  {
    name: "too_many_restarts",
    observed: "it restarted more often than `BLACKLIST_RESTART_THRESHOLD`; one that was ready: and it does not run now",
    plan: "replace it (its host is banned at once, serving or not)",
    // Starts of this program are counted, too. While it runs, our own way to it may be what is broken, and its silence decides.
    decide: withInstance(({ row, track, phase, name }, situation) => {
      if (!tooManyRestarts(row, situation) || (track.wasReady && phase.phase === "running")) return null;
      const { seen, limits } = situation;
      const restarts = seen.counters.get(row.id)?.restarts;
      const message = `${name} restarted ${restarts} times, BLACKLIST_RESTART_THRESHOLD is ${limits.restartThreshold}; it is replaced`;
      return replacement(row, situation, "too_many_restarts", message);
    }),
  },
  failureRule("host_failed", "`status_msg` reports a failure of the host (OCI, CDI)", "ban the host and replace it"),
  failureRule(
    "image_unavailable",
    "`status_msg` reports a failure of the image, its registry or its entrypoint",
    "destroy it without a ban; the next create waits with exponential backoff",
  ),
  failureRule(
    "disk_too_small",
    "`status_msg` reports that the disk is full",
    "destroy it without a ban; the next create waits with exponential backoff",
  ),
  OUTBID_RULE,
  {
    name: "instance_lost",
    observed:
      "exited, frozen, unknown, offline, stopped or outbid, within its grace; or it answered until less than that (at most `VAST_UNREACHABLE_TIMEOUT_SECONDS`) ago",
    plan: "wait; `unavailable`. Not if it exited, is unknown or offline, and had been ready and silent for the longer of both times, as in an outage of the API",
    decide: withInstance((kept, situation) => {
      const { phase, track, name } = kept;
      if (phase.phase !== "lost") return null;
      const { lostMs, silentMs, silenceMs, reads } = loss(kept, phase.graceMs, situation);
      const graceIsOver = lostMs >= phase.graceMs;
      if (graceIsOver && silentMs >= silenceMs && reads >= phase.reads) return null;
      if (!stoppedByVast(phase) && wasSilentLongEnough(kept, phase.graceMs, situation)) return null;
      const seconds = Math.round((graceIsOver ? silenceMs : phase.graceMs) / 1000);
      const message = `the status of ${name} is ${phase.status}; it has ${seconds} s to come back`;
      return waitFor(track, situation, "instance_lost", message);
    }),
  },
  {
    name: "credit_unknown",
    observed: "stopped or outbid for longer, and it is unknown whether the account has credit",
    plan: "wait; `unavailable: instance_lost`",
    decide: withInstance(({ phase, track, name }, situation) => {
      const { credit } = situation.seen;
      if (phase.phase !== "lost" || !stoppedByVast(phase) || credit === undefined || credit.known) return null;
      const message = `the status of ${name} is ${phase.status}; it is replaced only after it is known whether the account has credit (${credit.why.message})`;
      return waitFor(track, situation, "instance_lost", message, UNKNOWN_MS);
    }),
  },
  {
    name: "exited_before_ready",
    observed: "exited before it ever answered, for longer than its grace",
    plan: "as for `app_not_listening`: such an app exits on every machine",
    decide: withInstance((kept, situation) => {
      const { phase, track } = kept;
      if (phase.phase !== "lost" || phase.status !== "exited" || track.wasReady) return null;
      return replaceSilentApp(
        kept,
        situation,
        "exited before it ever answered: check the image's command, environment and logs",
      );
    }),
  },
  {
    name: "lost_too_long",
    observed: "exited, frozen, unknown, offline, stopped or outbid, for longer than its grace",
    plan: "replace it: `instance_<status>`",
    decide: withInstance(({ row, phase, name }, situation) => {
      if (phase.phase !== "lost") return null;
      const message = `the status of ${name} is ${phase.status}, and it has had ${Math.round(phase.graceMs / 1000)} s to come back; it is replaced`;
      return replacement(row, situation, `instance_${phase.status}`, message);
    }),
  },
];

/** What a running container reports says nothing, nor what is reported since before it was replaced: the text may be old. */
function failureRule(reason: FailureReason, observed: string, plan: string): Rule {
  return {
    name: reason,
    observed,
    plan,
    decide: withInstance(({ row, phase, name }, situation) => {
      const saysNothing = phase.phase === "running" || isOldStatus(situation.state, row, situation.now);
      const failure = saysNothing ? null : failureIn(row.statusMessage);
      if (failure === null || FAILURES[failure].reason !== reason) return null;
      const detail = row.statusMessage.slice(0, MOST_STATUS_CHARACTERS);
      const message = `${name}: ${FAILURES[failure].message} (${detail}); it is replaced`;
      return replacement(row, situation, reason, message);
    }),
  };
}

/**
 * `lostMs`: for how long its status has been bad; `silentMs`: for how long it has not answered besides. That must last `silenceMs`, as for
 * an instance that the API calls running: while it answered, the status was wrong, and our own way to it may be cut now.
 */
function loss({ track }: KeptInstance, graceMs: number, { now, limits }: Situation) {
  const { since, reads } = track.lost ?? { since: now, reads: 1 };
  const silentSince = Math.max(track.notServingSince ?? since, since);
  const silenceMs = Math.min(graceMs, limits.unreachableMs);
  return { lostMs: now - since, silentMs: now - silentSince, silenceMs, reads };
}

// One list may show a change in progress.
const SILENT_READS = 2;
// Where both ways were cut, to the API and to the instance, a probe needs some seconds to show that it answers again.
const SILENT_AFTER_LIST_MS = 15_000;

/**
 * An instance that the API calls running is replaced after so long a silence, and one that it calls lost is not kept for longer: nobody saw
 * its status while the API could not be reached. Not if our own way to it may be what is broken.
 */
function wasSilentLongEnough(
  { track, row }: KeptInstance,
  graceMs: number,
  { now, limits, state }: Situation,
): boolean {
  const { wasReady, notServingSince, lost } = track;
  const ownWayMayBeBroken = state.unreachableHost !== null && state.unreachableHost !== row.hostId;
  if (!wasReady || ownWayMayBeBroken || lost === null || lost.reads < SILENT_READS) return false;
  if (now - lost.since < SILENT_AFTER_LIST_MS) return false;
  return now - (notServingSince ?? now) >= Math.max(graceMs, limits.unreachableMs);
}
