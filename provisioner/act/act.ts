// Carries out a plan's actions, one at a time. Touches the API, the ban store and, before every mutation, the state file.
import type { Logger } from "../../common/logging.ts";
import type { BanStore } from "../blacklist/store.ts";
import { sameBan } from "../model/bans.ts";
import type { Observation } from "../model/observation.ts";
import type { Action, Plan } from "../model/plan.ts";
import { banUnwritten, banWritten } from "../state/apply-outcome.ts";
import type { State } from "../state/schema.ts";
import { type CreateParts, createOne, type Signals } from "./create.ts";
import { destroyInstance } from "./destroy.ts";

export interface ActorParts extends CreateParts {
  bans: BanStore;
}

/** Answers the memory after the action. Throws only what `save` throws and defects. */
export type Act = (action: Action, plan: Plan, seen: Observation, state: State, signals: Signals) => Promise<State>;

export function createActor(parts: ActorParts): Act {
  const { bans, log } = parts;
  // Instances whose places the API does not tell, as the log has said: a plan may want their bans in every pass.
  const unbannable = new Set<number>();
  return async (action, plan, seen, state, signals) => {
    switch (action.kind) {
      case "create":
        return createOne(parts, seen, state, signals);
      case "destroy":
        return destroyInstance(parts, action, plan.message, state, signals.abortMutations);
      case "forget_intent":
        log.info({ event: "action", action: "forget_intent" }, plan.message);
        return { ...state, intent: null };
      case "ban": {
        const { target, instanceId: instance, reason } = action;
        const line = { event: "action", action: "ban", instance, reason } as const;
        if (target === null) {
          if (!unbannable.has(instance))
            log.warn(line, `nothing is banned (${reason}): the API tells no host id or machine id of ${instance}`);
          unbannable.add(instance);
          return state;
        }
        const { kind, id } = target;
        const where = { ...line, [`${kind}Id`]: id };
        if (await stored(log, "ban", () => bans.ban(kind, id, reason))) {
          log.warn(where, `${kind} ${id} is banned: ${reason}`);
          return banWritten(state, target);
        }
        if (state.unwrittenBans.some((ban) => sameBan(ban, target))) return state; // the log has told
        log.warn(where, `${kind} ${id} is banned for this pod alone (${reason}) until Redis takes it`);
        return banUnwritten(state, { ...target, reason, instanceId: instance });
      }
      case "start_waiting":
        await stored(log, "start_waiting", () => bans.startWaiting(action.instanceId, action.since));
        return state;
      case "stop_waiting":
        await stored(log, "stop_waiting", () => bans.stopWaiting(action.instanceId));
        return state;
      case "count_restart": {
        const done = await stored(log, "count_restart", () => bans.countRestarts(action.instanceId, action.times));
        const track = state.tracks[action.instanceId];
        if (!done || track === undefined) return state; // counted when the store is back
        const counted = { ...track, uncountedRestarts: Math.max(0, track.uncountedRestarts - action.times) };
        return { ...state, tracks: { ...state.tracks, [action.instanceId]: counted } };
      }
    }
  };
}

/** The ban store may be away: its connection says so, once, and it never stops what protects money. */
async function stored(log: Logger, what: string, write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    log.debug({ event: "redis", err: error, what }, `Redis did not take ${what}: it is tried again while it is wanted`);
    return false;
  }
}
