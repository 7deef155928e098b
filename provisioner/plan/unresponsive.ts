// The rules for an instance that is not lost and does not answer. Pure.
import type { EndpointChoice } from "../model/endpoint.ts";
import type { ProbeResult } from "../model/observation.ts";
import type { Decision } from "../model/plan.ts";
import type { Track } from "../state/schema.ts";
import { restartLimit, silenceLimit } from "./evidence.ts";
import { replacement } from "./replacement.ts";
import { BLOCKED_MS, noChange, type Rule, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";

// An instance that alternates between running and starting must be given up as well: after this many times the ban time in all.
const NEVER_READY_FACTOR = 2;

const NEVER_READY_RULES: readonly Rule[] = [
  {
    name: "start_timeout",
    observed: "never ready, starting for longer than `BLACKLIST_BAN_AFTER_SECONDS`",
    plan: "ban the host if bans are enabled, and replace it",
    decide: withInstance(({ row, track, name }, situation) => {
      const { now, limits } = situation;
      if (track.wasReady || track.runningSince !== null || now - track.waitingSince <= limits.banAfterMs) return null;
      const message = `${name} did not start within BLACKLIST_BAN_AFTER_SECONDS (${limits.banAfterMs / 1000} s), its status is ${row.actualStatus ?? "scheduled"}; it is replaced`;
      return replacement(row, situation, "start_timeout", message);
    }),
  },
  {
    name: "app_not_listening",
    observed: "never ready, running for longer than `BLACKLIST_BAN_AFTER_SECONDS`, and nothing answers",
    plan: "destroy it without a ban and create one on another machine; after the second in a row the next create waits with exponential backoff, `blocked: app_not_listening`",
    decide: withInstance((kept, situation) => {
      const { track, endpoint, probe } = kept;
      const { now, limits } = situation;
      if (track.wasReady || track.runningSince === null) return null;
      const silent = now - track.runningSince > limits.banAfterMs;
      // The ban store may know of a wait from before this program started: an instance that was just found may have served until now.
      const alternates =
        now - track.waitingSince > NEVER_READY_FACTOR * limits.banAfterMs &&
        now - track.firstSeenAt > limits.banAfterMs;
      if (!silent && !alternates) return null;
      const what = `has been running for more than ${limits.banAfterMs / 1000} s, but ${whyUnreachable(endpoint, probe)}`;
      return replaceSilentApp(kept, situation, what);
    }),
  },
  {
    name: "instance_starting",
    observed: "never ready, for less time",
    plan: "wait; the message says how far it is",
    decide: withInstance(({ row, track, endpoint, name }, situation) => {
      if (track.wasReady) return null;
      const starting = `is ${row.actualStatus ?? "being scheduled"}`;
      const running = endpoint.found ? "is running, its app does not answer yet" : `is running, ${endpoint.why}`;
      const progress = track.runningSince === null ? starting : running;
      return noChange(situation, "instance_starting", `${name} ${progress}`, "provisioning");
    }),
  },
];

// Here the instance itself explains why it does not answer: that says nothing about our own network.
const STARTING_AGAIN_RULES: readonly Rule[] = [
  {
    name: "starting_again",
    observed:
      "was ready and is starting again, for at most `VAST_UNREACHABLE_TIMEOUT_SECONDS`; without a listening port, for 20 s and its learned grace",
    plan: "wait; `unavailable: instance_unreachable`",
    decide: withInstance((kept, situation) => {
      const { row, track, phase, name } = kept;
      const limitMs = restartLimit(kept, situation.state, situation.limits.unreachableMs);
      if (phase.phase !== "starting" || silentMs(track, situation.now) > limitMs) return null;
      const message = `${name} is ${row.actualStatus ?? "being scheduled"} again; it has ${seconds(limitMs)} s to come back`;
      return noChange(situation, "instance_unreachable", message, "unavailable");
    }),
  },
  {
    name: "restart_timeout",
    observed: "was ready and is starting again, for longer",
    plan: "replace it",
    decide: withInstance((kept, situation) => {
      const { row, phase, name } = kept;
      if (phase.phase !== "starting") return null;
      const limitMs = restartLimit(kept, situation.state, situation.limits.unreachableMs);
      const message = `${name} was ready and has been ${row.actualStatus ?? "being scheduled"} for more than ${seconds(limitMs)} s; it is replaced`;
      return replacement(row, situation, "restart_timeout", message);
    }),
  },
];

const WAS_READY_RULES: readonly Rule[] = [
  {
    name: "instance_unhealthy",
    observed:
      "was ready; it accepts connections but fails its HTTP probe, for at most `VAST_UNHEALTHY_TIMEOUT_SECONDS`",
    plan: "wait; `unavailable`",
    decide: withInstance((kept, situation) => {
      const { unhealthy, limitMs, what } = silence(kept, situation);
      if (!unhealthy || silentMs(kept.track, situation.now) > limitMs) return null;
      const message = `${kept.name} ${what}; it has ${limitMs / 1000} s to come back: check the app and VAST_HEALTH_PATH`;
      return noChange(situation, "instance_unhealthy", message, "unavailable");
    }),
  },
  {
    name: "instance_unreachable",
    observed:
      "was ready and does not answer, for at most `VAST_UNREACHABLE_TIMEOUT_SECONDS`; where its host refuses connections, for its learned grace",
    plan: "wait; `unavailable`",
    decide: withInstance((kept, situation) => {
      const { limitMs, what } = silence(kept, situation);
      if (silentMs(kept.track, situation.now) > limitMs) return null;
      const message = `${kept.name} ${what}; it has ${seconds(limitMs)} s to come back`;
      return noChange(situation, "instance_unreachable", message, "unavailable");
    }),
  },
  {
    name: "unreachable_from_here",
    observed: "was ready and does not answer for longer, like the one before it on another host",
    plan: "keep it, because our own network or app is the likely cause; `blocked: unreachable_from_here`",
    decide: withInstance((kept, situation) => {
      const { unreachableHost } = situation.state;
      if (unreachableHost === null || unreachableHost === kept.row.hostId) return null;
      const { unhealthy, what } = silence(kept, situation);
      const guess = unhealthy
        ? "a third would probably fail too, so it is kept. Check the app and VAST_HEALTH_PATH"
        : "this is probably our own network, so it is kept. Check egress rules";
      const message = `${kept.name} ${what}, like the one before it on another host: ${guess}, or destroy it with vast-provisioner destroy`;
      return noChange(situation, "unreachable_from_here", message, "blocked", BLOCKED_MS);
    }),
  },
  {
    name: "unreachable",
    observed: "was ready and does not answer for longer",
    plan: "replace it",
    decide: withInstance((kept, situation) => {
      const { limitMs, what } = silence(kept, situation);
      const message = `${kept.name} ${what} for more than ${seconds(limitMs)} s; it is replaced`;
      return replacement(kept.row, situation, "unreachable", message);
    }),
  },
];

export const UNRESPONSIVE_RULES: readonly Rule[] = [...NEVER_READY_RULES, ...STARTING_AGAIN_RULES, ...WAS_READY_RULES];

/** Our own image or settings are to blame, unless it was the machine: the second instance in a row shows which. */
export function replaceSilentApp({ row, name }: KeptInstance, situation: Situation, what: string): Decision {
  const { desired, state } = situation;
  const again = state.notListening?.wanted === desired.revision;
  const then = again ? "it is destroyed, and the next create waits" : "it is replaced once, on another machine";
  return replacement(row, situation, "app_not_listening", `${name} ${what}; ${then}`);
}

/** Why nothing can be served from a running instance, with the remedy. */
function whyUnreachable(choice: EndpointChoice, probe: ProbeResult | null): string {
  if (choice.found) {
    const { host, port } = choice.endpoint;
    const where = probe?.why || `${host}:${port}`;
    return probe?.tcp
      ? `its HTTP probe fails (${where}): check VAST_HEALTH_PATH and the app behind it`
      : `nothing answers (${where}): check that the image listens on 0.0.0.0 at the published port, and that no egress rule of the cluster blocks this pod`;
  }
  if (choice.ours) return choice.why;
  return `${choice.why}: publish the app's port in the template, and require direct_port_count in VAST_SEARCH_QUERY`;
}

function silentMs({ notServingSince }: Track, now: number): number {
  return now - (notServingSince ?? now);
}

/** How an instance that was ready fails, and how long that is tolerated. */
function silence(
  kept: KeptInstance,
  { limits, state }: Situation,
): { unhealthy: boolean; limitMs: number; what: string } {
  const { track, endpoint } = kept;
  if (limits.httpProbe && track.tcpOpen && track.failedProbes > 0)
    return { unhealthy: true, limitMs: limits.unhealthyMs, what: "accepts connections but fails its HTTP probe" };
  const what =
    track.endpoint === null && !endpoint.found ? `has no endpoint any more (${endpoint.why})` : "no longer answers";
  return { unhealthy: false, limitMs: silenceLimit(kept, state, limits.unreachableMs), what };
}

const seconds = (ms: number) => Math.round(ms / 1000);
