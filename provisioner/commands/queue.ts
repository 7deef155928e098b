// Joins the queues of the pods that share an API key, where there is a Redis for it. Touches Redis, through its connection.

import { type OwnSlot, podNumber } from "../fleet/own-slot.ts";
import { createFleetPacing, type FleetStore } from "../fleet/pacing.ts";
import { createPodTurns, type PodTurns } from "../fleet/pod-turns.ts";
import { createTurnStore, type Place } from "../fleet/turns.ts";
import { createUnavailable, createUpdating } from "../fleet/unavailable.ts";
import type { LoopState } from "../loop-state.ts";
import type { ScriptRunner } from "../redis/commands.ts";
import type { Pacing } from "../vast/pacing.ts";
import type { RunContext } from "./dependencies.ts";

// Longer than the limit of the destroys that follow, and shorter than that of the creates: their queue sets the pace.
const APART_MS = 4000;

export interface Queue {
  own: OwnSlot;
  pacing: Pacing;
  turns: PodTurns;
  connect(redis: ScriptRunner): void;
}

/** The pod calls alone until `connect` is called, and while Redis is away. `local` paces the calls of this pod alone. */
export function joinQueue({ settings, deps, log }: RunContext, loop: LoopState, local: Pacing): Queue {
  const { podName, desired, drainMs, secrets, egress, maxUnavailable, maxUpdating } = settings;
  const { clock } = deps;
  let store: FleetStore | null = null;
  const createPlace: Place = { class: 1, since: 0 };
  const destroyPlace: Place = { class: 1, since: 0 };
  // In the state file, so that a pod which starts while Redis is away knows it, too.
  const fleet = {
    get size() {
      return loop.state.fleetSize;
    },
    set size(fleetSize) {
      if (fleetSize !== loop.state.fleetSize) loop.state = { ...loop.state, fleetSize };
    },
  };
  const index = podNumber(podName);
  const places = { createPlace, destroyPlace };
  const pacing = createFleetPacing({ clock, log, local, store: () => store, ...places, index, fleet });
  const limits = { maxUnavailable, maxUpdating, drainMs };
  return {
    own: { index, pods: () => fleet.size, redisIsAway: pacing.isAlone },
    pacing,
    turns: createPodTurns({ clock, pacing, place: createPlace, destroyPlace, index, fleet, ...limits }),
    connect(redis) {
      const parts = { redis, apiKey: secrets.apiKey, member: desired.label };
      store = {
        turns: createTurnStore({ ...parts, egress }),
        unavailable: createUnavailable({ ...parts, maxUnavailable, apartMs: APART_MS }),
        updating: maxUpdating === null ? null : createUpdating({ ...parts, most: maxUpdating }),
      };
    },
  };
}
