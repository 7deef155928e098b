// The serving loop: probes the served instance, withdraws it when it no longer answers, and publishes it again when it does. It runs
// beside the main loop, so that no call of the API can hold it up, and changes nothing else. Touches only what it is handed.
import { runPasses, WakeSignal } from "../common/loop.ts";
import { lastServed } from "./expected-server.ts";
import { type KeepParts, keep, publishPlan } from "./keep.ts";
import { isPublished, keepProbe, type LoopState } from "./loop-state.ts";
import type { Policy } from "./model/desired.ts";
import type { Observation } from "./model/observation.ts";
import { interruptsInstance } from "./model/plan.ts";
import type { Probe } from "./observe/probe.ts";
import { unknownBecause } from "./observe/unknown.ts";
import { servingChange } from "./plan/serving-change.ts";
import { logChange } from "./publish/log-change.ts";

export interface ServeParts extends KeepParts {
  probe: Probe;
  policy: Policy;
}

// From the start of one probe to the start of the next. With state/track.ts, a server that does not answer is withdrawn within 20 s,
// also when each probe takes its whole 5 s.
const PROBE_EVERY_MS = 2500;

/** Runs until `stop` is aborted. */
export async function runServing(parts: ServeParts, loop: LoopState, stop: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  const onePass = async () => {
    const began = clock.monotonic();
    await serve(parts, loop, stop);
    return Math.max(PROBE_EVERY_MS - (clock.monotonic() - began), 0);
  };
  const onError = (error: unknown) =>
    log.error(
      { event: "internal_error", err: error },
      "the serving loop failed with an internal error; retrying in 5 s",
    );
  await runPasses({ pass: onePass, onError, wake: new WakeSignal(), clock }, stop);
}

/** One probe, and what follows from it. */
export async function serve(parts: ServeParts, loop: LoopState, stop: AbortSignal): Promise<void> {
  const { clock, desired, limits, policy, log } = parts;
  const { served } = loop;
  if (served === null || isLeaving(loop, served.id)) return;
  const { server, id } = served;
  const track = loop.state.tracks[id];
  // An instance that has moved is the main loop's: its new address is in the list only.
  if (track?.endpoint?.host !== server.host || track.endpoint.port !== server.port) return;
  const probe = await parts.probe(track.endpoint, id, stop);
  // From here to the publication nothing waits: the main loop may have decided meanwhile, and the newest state counts.
  if (stop.aborted || loop.served?.id !== id || isLeaving(loop, id)) return;
  const now = clock.now();
  keepProbe(loop, id, probe, now);
  const { state, ownership } = loop;
  const input = { desired, limits, state, ownership, now, seen: loop.seen ?? NOTHING_SEEN };
  const last = lastServed(loop, limits.httpProbe, clock.monotonic(), input.seen.list.known);
  const change = servingChange(input, policy, last, loop.file?.server ?? null, probe);
  if (change === null) return;
  logChange(log, loop.plan, change);
  if (loop.plan !== null) loop.plan = { ...loop.plan, ...change };
  await keep(parts, loop, () => publishPlan(parts, loop, change));
}

/** It is being destroyed, or is withdrawn for that: it must not come back. */
function isLeaving(loop: LoopState, id: number): boolean {
  if (loop.state.pendingDeletes.some((d) => d.id === id)) return true;
  return !isPublished(loop) && loop.plan !== null && interruptsInstance(loop.plan.actions, id);
}

/** Before the first list: what an earlier run has published may have died since. */
const NOTHING_SEEN: Observation = {
  listedAt: 0,
  list: unknownBecause("it has not been read yet"),
  instances: [],
  publishedProbe: null,
  template: unknownBecause("it has not been read yet"),
  templateAt: 0,
  bans: unknownBecause("they have not been read yet"),
  counters: new Map(),
};
