// Rows 4 to 18 of the table: what becomes of the instance that we have. Pure.
import { banTarget } from "../bans.ts";
import { chooseEndpoint, type EndpointChoice } from "../endpoint.ts";
import { sameImage } from "../image-name.ts";
import { type Track, wantedKey } from "../memory.ts";
import { BANNING_REASONS, type DestroyReason, type Reason } from "../reasons.ts";
import { PASSES_TO_RETURN } from "../remember.ts";
import { failureIn, lifeOf } from "../status-words.ts";
import type { Instance } from "../vast/rows.ts";
import { type Action, BLOCKED_MS, type Facts, type Plan, quiet, SOON_MS, type Standing } from "./facts.ts";
import { banOn, tooManyRestarts } from "./rows.ts";
import { templateTrouble } from "./template.ts";

// While it serves, the probe is asked this often; the list far less (see observe.ts).
const SERVING_MS = 5000;
// A hash of null is a template that the API has not filled in yet, or an instance made without one: told apart by age.
const NULL_HASH_COUNTS_MS = 600_000;
// An instance that flaps between running and starting must come to an end as well: this many times the ban time in all.
const NEVER_READY_FACTOR = 2;

export function planOne(row: Instance, rows: readonly Instance[], facts: Facts, standing: Standing): Plan {
  const { desired, seen, memory, now, limits } = facts;
  const track = memory.tracks[row.id];
  const name = describe(row);
  const wait = (reason: Reason, message: string, waitMs = SOON_MS) =>
    quiet(facts, standing, reason, message, track?.wasReady ? "unavailable" : "provisioning", waitMs);
  const replace = (reason: DestroyReason, message: string, difference?: { wanted: string; reported: string }) =>
    replacement(row, facts, standing, reason, `${name}: ${message}; it is replaced`, difference);

  if (track === undefined)
    return quiet(facts, standing, "undecided", `${name} is listed but not remembered: this is a defect`, "blocked");
  if (rows.length > 1)
    return duplicates(row, rows, facts, standing, `${name} is kept of ${rows.length} with the label ${desired.label}`);

  const trouble = templateTrouble(facts);
  if (trouble !== null) return quiet(facts, standing, trouble.reason, trouble.message, "blocked", BLOCKED_MS);

  const difference = differenceOf(row, facts);
  if (difference !== null) {
    const { wanted, reported, reason } = difference;
    const tried = memory.converging?.wanted === wanted && memory.converging.reported === reported;
    if (!tried) return replace(reason, `it has ${reported}, wanted is ${wanted}`, { wanted, reported });
    const say = `${name} was replaced, but reports ${reported} again where ${wanted} is wanted: write the setting as it is reported, or correct it`;
    return quiet(facts, standing, "not_converging", say, "blocked", BLOCKED_MS);
  }

  if (standing.server !== null) {
    const over = limits.maxDollarsPerHour !== undefined && (row.dollarsPerHour ?? 0) > limits.maxDollarsPerHour;
    const alarm = over ? `; ALARM: it costs more than VAST_MAX_DPH (${limits.maxDollarsPerHour})` : "";
    return quiet(facts, standing, "instance_ready", `${name} is serving${alarm}`, "ready", SERVING_MS);
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

  const life = lifeOf(row, row.createdAt ?? track.firstSeenAt, now);
  const failure = life.phase === "running" ? null : failureIn(row.statusMessage);
  const said = row.statusMessage.slice(0, 200);
  if (failure === "host_failed") return replace("host_failed", `its host cannot start containers (${said})`);
  if (failure === "image_unavailable")
    return replace(failure, `the image cannot be used: check VAST_TEMPLATE_IMAGE and DOCKER_LOGIN (${said})`);
  if (failure === "disk_too_small")
    return replace(failure, `the disk is too small: raise the template's disk space (${said})`);

  if (life.phase === "lost") {
    const lost = track.lost ?? { since: now, reads: 1 };
    const over = now - lost.since >= life.graceMs && lost.reads >= life.reads;
    if (!over) return wait("instance_lost", `${name} is ${life.status}; it has ${life.graceMs / 1000} s to come back`);
    return replace(
      `instance_${life.status}` as DestroyReason,
      `it is ${life.status} for more than ${life.graceMs / 1000} s`,
    );
  }
  if (track.wasReady && life.phase === "starting") return startsAgain(row, track, facts, standing);
  return track.wasReady ? wasReady(row, track, facts, standing) : neverReady(row, track, facts, standing);
}

function neverReady(row: Instance, track: Track, facts: Facts, standing: Standing): Plan {
  const { desired, memory, now, limits } = facts;
  const name = describe(row);
  const waited = now - track.waitingSince;
  const limit = limits.banAfterMs / 1000;
  const choice = chooseEndpoint(row, desired.upstreamPort, track.noMapSince === null ? 0 : now - track.noMapSince);
  if (track.runningSince === null && waited > limits.banAfterMs) {
    const message = `${name} did not come up within BLACKLIST_BAN_AFTER_SECONDS (${limit} s): ${row.actualStatus ?? "scheduled"}; it is replaced`;
    return replacement(row, facts, standing, "start_timeout", message);
  }
  const silent = track.runningSince !== null && now - track.runningSince > limits.banAfterMs;
  // The ban store may know of a wait that is older than this program: what was just found may have served until now.
  const flaps = waited > NEVER_READY_FACTOR * limits.banAfterMs && now - track.firstSeenAt > limits.banAfterMs;
  if (track.runningSince !== null && (silent || flaps)) {
    const again = memory.deafApps?.wanted === wantedKey(desired.image, desired.templateName);
    const then = again ? "it is destroyed; no other is tried for a while" : "it is replaced once, on another machine";
    return replacement(
      row,
      facts,
      standing,
      "app_not_listening",
      `${name} runs for more than ${limit} s but ${silence(choice)}; ${then}`,
    );
  }
  const running = track.runningSince !== null;
  const state = running
    ? choice.found
      ? "runs, its app does not answer yet"
      : `runs, ${choice.why}`
    : `is ${row.actualStatus ?? "being scheduled"}`;
  return quiet(facts, standing, "instance_starting", `${name} ${state}`, "provisioning");
}

/** Why nothing can be served from an instance that runs, with the remedy. */
function silence(choice: EndpointChoice): string {
  if (choice.found) {
    const { host, port } = choice.endpoint;
    return `nothing answers on ${host}:${port}: check that the image listens on 0.0.0.0 at the published port`;
  }
  if (choice.ours) return choice.why;
  return `${choice.why}: publish the app's port in the template, and ask for direct_port_count in VAST_SEARCH_QUERY`;
}

/** A row that is starting explains its silence itself: that says nothing of our own network, as row 18 may. */
function startsAgain(row: Instance, track: Track, facts: Facts, standing: Standing): Plan {
  const name = describe(row);
  const status = row.actualStatus ?? "being scheduled";
  if (facts.now - (track.notServingSince ?? facts.now) <= facts.limits.unreachableMs)
    return quiet(facts, standing, "instance_unreachable", `${name} is ${status} again`, "unavailable");
  const limit = facts.limits.unreachableMs / 1000;
  const message = `${name} was ready and is ${status} for more than ${limit} s; it is replaced`;
  return replacement(row, facts, standing, "restart_timeout", message);
}

function wasReady(row: Instance, track: Track, facts: Facts, standing: Standing): Plan {
  const { memory, now, limits } = facts;
  const name = describe(row);
  const unhealthy = limits.httpProbe && track.tcpOpen && track.failedProbes > 0;
  const limitMs = unhealthy ? limits.unhealthyMs : limits.unreachableMs;
  const silentMs = now - (track.notServingSince ?? now);
  const what = unhealthy ? "accepts connections but fails its HTTP probe" : "does not answer any more";
  if (silentMs <= limitMs) {
    return quiet(
      facts,
      standing,
      unhealthy ? "instance_unhealthy" : "instance_unreachable",
      `${name} ${what}`,
      "unavailable",
    );
  }
  if (memory.unreachableHost !== null && memory.unreachableHost !== row.hostId) {
    const say = `${name} ${what}, like the one before it on another host: this looks like our own network, so it is kept; check egress rules, or end it with vast-provisioner destroy`;
    return quiet(facts, standing, "unreachable_from_here", say, "blocked", BLOCKED_MS);
  }
  return replacement(
    row,
    facts,
    standing,
    "unreachable",
    `${name} ${what} for more than ${limitMs / 1000} s; it is replaced`,
  );
}

function replacement(
  row: Instance,
  facts: Facts,
  standing: Standing,
  reason: DestroyReason,
  message: string,
  difference?: { wanted: string; reported: string },
): Plan {
  const { id, hostId, machineId } = row;
  const bans = BANNING_REASONS.has(reason) && facts.limits.bansEnabled;
  const target = banTarget(row, facts.limits.banScope);
  const ban: Action[] = bans ? [{ kind: "ban", target, instanceId: id, reason }] : [];
  const destroy: Action = { kind: "destroy", id, hostId, machineId, reason, ...(difference ? { difference } : {}) };
  return {
    reason: reason === "operator" ? "undecided" : reason,
    message,
    state: "provisioning",
    server: null,
    instance: standing.instance,
    actions: [...ban, destroy],
    standing,
    checkedAt: facts.now,
    nextCheckAt: facts.now,
  };
}

function duplicates(
  best: Instance,
  rows: readonly Instance[],
  facts: Facts,
  standing: Standing,
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
  const state = standing.server === null ? "provisioning" : "ready";
  const say = `${message}; destroyed: ${others.map((row) => row.id).join(", ")}`;
  return { ...quiet(facts, standing, "duplicate", say, state), actions, nextCheckAt: facts.now };
}

interface Difference {
  reason: "image_changed" | "template_changed";
  wanted: string;
  reported: string;
}

function differenceOf(row: Instance, { desired, memory, now }: Facts): Difference | null {
  if (row.image !== "" && !sameImage(desired.image, row.image)) {
    return { reason: "image_changed", wanted: `image ${desired.image}`, reported: `image ${row.image}` };
  }
  const hash = memory.template?.hash;
  if (hash === undefined || row.templateHash === hash) return null;
  const age = now - (row.createdAt ?? memory.tracks[row.id]?.firstSeenAt ?? now);
  if (row.templateHash === null && age < NULL_HASH_COUNTS_MS) return null;
  return {
    reason: "template_changed",
    wanted: `template hash ${hash}`,
    reported: `template hash ${row.templateHash ?? "none"}`,
  };
}

/** `instance 7835610 (RTX 4090, $0.316/h)` */
export function describe(row: Instance): string {
  const price = row.dollarsPerHour === null ? null : `$${row.dollarsPerHour.toFixed(3)}/h`;
  const facts = [row.gpuName, price].filter((fact) => fact);
  return `instance ${row.id}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`;
}
