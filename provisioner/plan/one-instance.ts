// Rows 4 to 14 of the table: what becomes of the instance that we have. Pure.

import { describe } from "../model/describe.ts";
import { sameImage } from "../model/image-reference.ts";
import { type Failure, failureIn, phaseOf, stoppedByVast } from "../model/instance-phase.ts";
import type { Action, Plan, Serving } from "../model/plan.ts";
import type { DestroyReason, Reason } from "../model/reasons.ts";
import { PASSES_TO_RETURN } from "../state/track.ts";
import type { Instance } from "../vast/rows.ts";
import { banOn, tooManyRestarts } from "./housekeeping.ts";
import { BLOCKED_MS, NEXT_CHECK_MS, noChange, type PlanInput, UNKNOWN_MS } from "./input.ts";
import { replacement } from "./replacement.ts";
import { templateTrouble } from "./template.ts";
import { appNotListening, neverReady, startsAgain, wasReady } from "./unresponsive.ts";

// While it serves, the probe is asked this often; the list far less (see observe.ts).
const SERVING_MS = 5000;
// A hash of null is a template that the API has not filled in yet, or an instance made without one: told apart by age.
const NULL_HASH_COUNTS_MS = 600_000;

const FAILURES: Readonly<Record<Failure, { reason: DestroyReason; says: string }>> = {
  host_failed: { reason: "host_failed", says: "its host cannot start containers" },
  image_unavailable: {
    reason: "image_unavailable",
    says: "the image cannot be used: check VAST_TEMPLATE_IMAGE and DOCKER_LOGIN",
  },
  image_cannot_start: {
    reason: "image_unavailable",
    says: "the image cannot be started: check its entrypoint, that it is built for linux/amd64, and cuda_max_good in VAST_SEARCH_QUERY",
  },
  disk_too_small: {
    reason: "disk_too_small",
    says: "the disk is too small: raise the template's disk space",
  },
};

export function planOne(row: Instance, rows: readonly Instance[], facts: PlanInput, serving: Serving): Plan {
  const { desired, seen, state, now, limits } = facts;
  const track = state.tracks[row.id];
  const name = describe(row);
  const wait = (reason: Reason, message: string, waitMs = NEXT_CHECK_MS) =>
    noChange(facts, serving, reason, message, track?.wasReady ? "unavailable" : "provisioning", waitMs);
  const replace = (reason: DestroyReason, message: string, difference?: { wanted: string; reported: string }) =>
    replacement(row, facts, serving, reason, `${name}: ${message}; it is replaced`, difference);

  if (track === undefined)
    return noChange(
      facts,
      serving,
      "internal_error",
      `${name} is listed but not remembered: this is a defect`,
      "blocked",
    );
  if (rows.length > 1)
    return duplicates(row, rows, facts, serving, `${name} is kept of ${rows.length} with the label ${desired.label}`);

  const trouble = templateTrouble(facts);
  if (trouble !== null) return noChange(facts, serving, trouble.reason, trouble.message, "blocked", BLOCKED_MS);

  const difference = differenceOf(row, facts);
  if (difference !== null) {
    const { wanted, reported, reason } = difference;
    const tried = state.converging?.wanted === wanted && state.converging.reported === reported;
    if (!tried) return replace(reason, `it has ${reported}, wanted is ${wanted}`, { wanted, reported });
    // One that is broken besides is replaced for that: kept, it would bill and serve nobody until a person comes.
    if (serving.server !== null) {
      const say = `${name} is another one, but reports ${reported} again where ${wanted} is wanted: write the setting as it is reported, or correct it`;
      return noChange(facts, serving, "not_converging", say, "blocked", BLOCKED_MS);
    }
  }

  if (serving.server !== null) {
    const over = limits.maxDollarsPerHour !== undefined && (row.dollarsPerHour ?? 0) > limits.maxDollarsPerHour;
    const alarm = over ? `; ALARM: it costs more than VAST_MAX_DPH (${limits.maxDollarsPerHour})` : "";
    return noChange(facts, serving, "instance_ready", `${name} is serving${alarm}`, "ready", SERVING_MS);
  }
  // An answer speaks for it: nothing but the next probe decides whether it serves again or is ended.
  if (track.passesMissing > 0 && track.passesMissing < PASSES_TO_RETURN)
    return wait("instance_unreachable", `${name} answers again; it is served when its next probe passes as well`);
  const ban = banOn(row, facts);
  if (ban !== undefined) return replace("host_banned", `its ${ban.kind} ${ban.id} is banned (${ban.reason})`);
  if (tooManyRestarts(row, facts)) {
    return replace(
      "too_many_restarts",
      `it restarted ${seen.counters.get(row.id)?.restarts} times, BLACKLIST_RESTART_THRESHOLD is ${limits.restartThreshold}`,
    );
  }

  const life = phaseOf(row, row.createdAt ?? track.firstSeenAt, now);
  const failure = life.phase === "running" ? null : failureIn(row.statusMessage);
  if (failure !== null) {
    const { reason, says } = FAILURES[failure];
    return replace(reason, `${says} (${row.statusMessage.slice(0, 200)})`);
  }

  if (life.phase === "lost") {
    const lost = track.lost ?? { since: now, reads: 1 };
    const over = now - lost.since >= life.graceMs && lost.reads >= life.reads;
    if (!over) return wait("instance_lost", `${name} is ${life.status}; it has ${life.graceMs / 1000} s to come back`);
    if (stoppedByVast(life) && seen.credit?.known === false) {
      const why = seen.credit.why.message;
      return wait(
        "instance_lost",
        `${name} is ${life.status}; it is not replaced before it is known whether the account has credit (${why})`,
        UNKNOWN_MS,
      );
    }
    // An app that ends before it ever answered does so on every machine: without a bound each of them would be rented in turn.
    if (life.status === "exited" && !track.wasReady)
      return appNotListening(
        row,
        facts,
        serving,
        `ended before it ever answered: check the image's command, environment and logs`,
      );
    return replace(
      `instance_${life.status}` as DestroyReason,
      `it is ${life.status} for more than ${life.graceMs / 1000} s`,
    );
  }
  if (track.wasReady && life.phase === "starting") return startsAgain(row, track, facts, serving);
  return track.wasReady ? wasReady(row, track, facts, serving) : neverReady(row, track, facts, serving);
}

function duplicates(
  best: Instance,
  rows: readonly Instance[],
  facts: PlanInput,
  serving: Serving,
  message: string,
): Plan {
  const others = rows.filter((row) => row.id !== best.id);
  const actions = others.map(
    (row): Action => ({
      kind: "destroy",
      id: row.id,
      hostId: row.hostId,
      machineId: row.machineId,
      reason: "duplicate",
    }),
  );
  const state = serving.server === null ? "provisioning" : "ready";
  const say = `${message}; destroyed: ${others.map((row) => row.id).join(", ")}`;
  return { ...noChange(facts, serving, "duplicate", say, state), actions, nextCheckAt: facts.now };
}

interface Difference {
  reason: "image_changed" | "template_changed";
  wanted: string;
  reported: string;
}

function differenceOf(row: Instance, { desired, state, now }: PlanInput): Difference | null {
  if (row.image !== "" && !sameImage(desired.image, row.image)) {
    return { reason: "image_changed", wanted: `image ${desired.image}`, reported: `image ${row.image}` };
  }
  const hash = state.template?.hash;
  if (hash === undefined || row.templateHash === hash) return null;
  const age = now - (row.createdAt ?? state.tracks[row.id]?.firstSeenAt ?? now);
  if (row.templateHash === null && age < NULL_HASH_COUNTS_MS) return null;
  return {
    reason: "template_changed",
    wanted: `template hash ${hash}`,
    reported: `template hash ${row.templateHash ?? "none"}`,
  };
}
