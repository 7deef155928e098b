// Rows 15 to 18 of the table: an instance that is not said to be lost and does not answer. Pure.

import { describe } from "../model/describe.ts";
import type { EndpointChoice } from "../model/endpoint.ts";
import type { ObservedInstance, ProbeResult } from "../model/observation.ts";
import type { Plan, Serving } from "../model/plan.ts";
import { type Track, wantedKey } from "../state/schema.ts";
import type { Instance } from "../vast/rows.ts";
import { BLOCKED_MS, noChange, type PlanInput } from "./input.ts";
import { replacement } from "./replacement.ts";

// An instance that flaps between running and starting must come to an end as well: this many times the ban time in all.
const NEVER_READY_FACTOR = 2;

function observed(row: Instance, { seen }: PlanInput): Pick<ObservedInstance, "endpoint" | "probe"> {
  const found = seen.instances.find((one) => one.row.id === row.id);
  return found ?? { endpoint: { found: false, ours: false, why: "not observed" }, probe: null };
}

/** Rows 15 to 17. */
export function neverReady(row: Instance, track: Track, facts: PlanInput, serving: Serving): Plan {
  const { now, limits } = facts;
  const name = describe(row);
  const waited = now - track.waitingSince;
  const limit = limits.banAfterMs / 1000;
  const { endpoint: choice, probe } = observed(row, facts);
  if (track.runningSince === null && waited > limits.banAfterMs) {
    const message = `${name} did not come up within BLACKLIST_BAN_AFTER_SECONDS (${limit} s): ${row.actualStatus ?? "scheduled"}; it is replaced`;
    return replacement(row, facts, serving, "start_timeout", message);
  }
  const silent = track.runningSince !== null && now - track.runningSince > limits.banAfterMs;
  // The ban store may know of a wait that is older than this program: what was just found may have served until now.
  const flaps = waited > NEVER_READY_FACTOR * limits.banAfterMs && now - track.firstSeenAt > limits.banAfterMs;
  if (track.runningSince !== null && (silent || flaps)) {
    return appNotListening(row, facts, serving, `runs for more than ${limit} s but ${whyUnreachable(choice, probe)}`);
  }
  const running = track.runningSince !== null;
  const progress = running
    ? choice.found
      ? "runs, its app does not answer yet"
      : `runs, ${choice.why}`
    : `is ${row.actualStatus ?? "being scheduled"}`;
  return noChange(facts, serving, "instance_starting", `${name} ${progress}`, "provisioning");
}

/** Row 16: our own image or settings, unless it was the machine; the second one in a row tells. */
export function appNotListening(row: Instance, facts: PlanInput, serving: Serving, what: string): Plan {
  const { desired, state } = facts;
  const again = state.notListening?.wanted === wantedKey(desired.image, desired.templateName);
  const then = again ? "it is destroyed; no other is tried for a while" : "it is replaced once, on another machine";
  return replacement(row, facts, serving, "app_not_listening", `${describe(row)} ${what}; ${then}`);
}

/** Why nothing can be served from an instance that runs, with the remedy. */
function whyUnreachable(choice: EndpointChoice, probe: ProbeResult | null): string {
  if (choice.found) {
    const { host, port } = choice.endpoint;
    const where = probe?.why || `${host}:${port}`;
    return probe?.tcp
      ? `its HTTP probe fails (${where}): check VAST_HEALTH_PATH and the app behind it`
      : `nothing answers (${where}): check that the image listens on 0.0.0.0 at the published port, and that no egress rule of the cluster keeps this pod from it`;
  }
  if (choice.ours) return choice.why;
  return `${choice.why}: publish the app's port in the template, and ask for direct_port_count in VAST_SEARCH_QUERY`;
}

/** A row that is starting explains its silence itself: that says nothing of our own network, as row 18 may. */
export function startsAgain(row: Instance, track: Track, facts: PlanInput, serving: Serving): Plan {
  const name = describe(row);
  const status = row.actualStatus ?? "being scheduled";
  const limit = facts.limits.unreachableMs / 1000;
  const say = `${name} is ${status} again; it has ${limit} s to come back`;
  if (facts.now - (track.notServingSince ?? facts.now) <= facts.limits.unreachableMs)
    return noChange(facts, serving, "instance_unreachable", say, "unavailable");
  const message = `${name} was ready and is ${status} for more than ${limit} s; it is replaced`;
  return replacement(row, facts, serving, "restart_timeout", message);
}

/** Row 18. */
export function wasReady(row: Instance, track: Track, facts: PlanInput, serving: Serving): Plan {
  const { state, now, limits } = facts;
  const name = describe(row);
  const { endpoint: choice } = observed(row, facts);
  const unhealthy = limits.httpProbe && track.tcpOpen && track.failedProbes > 0;
  const limitMs = unhealthy ? limits.unhealthyMs : limits.unreachableMs;
  const silentMs = now - (track.notServingSince ?? now);
  const what = unhealthy
    ? "accepts connections but fails its HTTP probe"
    : track.endpoint === null && !choice.found
      ? `cannot be served any more (${choice.why})`
      : "does not answer any more";
  if (silentMs <= limitMs) {
    const reason = unhealthy ? "instance_unhealthy" : "instance_unreachable";
    const check = unhealthy ? ": check the app and VAST_HEALTH_PATH" : "";
    const say = `${name} ${what}; it has ${limitMs / 1000} s to come back${check}`;
    return noChange(facts, serving, reason, say, "unavailable");
  }
  if (state.unreachableHost !== null && state.unreachableHost !== row.hostId) {
    const guess = unhealthy
      ? "a third would do no better, so it is kept; check the app and VAST_HEALTH_PATH"
      : "this looks like our own network, so it is kept; check egress rules";
    const say = `${name} ${what}, like the one before it on another host: ${guess}, or end it with vast-provisioner destroy`;
    return noChange(facts, serving, "unreachable_from_here", say, "blocked", BLOCKED_MS);
  }
  return replacement(
    row,
    facts,
    serving,
    "unreachable",
    `${name} ${what} for more than ${limitMs / 1000} s; it is replaced`,
  );
}
