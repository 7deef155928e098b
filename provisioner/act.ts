// Carries out a plan's actions, one at a time. Touches the API, the ban store and, before every mutation, the state file.
import type { Clock } from "../common/clock.ts";
import type { Logger } from "../common/logging.ts";
import type { BanStore } from "./blacklist/store.ts";
import { type CreateParts, createOne } from "./create.ts";
import type { Memory } from "./memory.ts";
import type { Observation } from "./observation.ts";
import { accountBlocked, asked, type Destroy, destroyed, doom } from "./outcomes.ts";
import { accountMessage } from "./plan/account.ts";
import type { Action, Desired, Plan } from "./plan/facts.ts";
import type { VastClient } from "./vast/client.ts";
import { accountTrouble, asVastError } from "./vast/errors.ts";

export interface ActorParts extends CreateParts {
  client: VastClient;
  bans: BanStore;
  clock: Clock;
  log: Logger;
  desired: Desired;
  /** Takes the memory over and puts it on disk; throws when it cannot, and then nothing is mutated. */
  save(memory: Memory): Promise<void>;
}

/** Answers the memory after the action. Throws only what `save` throws and defects. */
export type Act = (action: Action, plan: Plan, seen: Observation, memory: Memory, signals: Signals) => Promise<Memory>;

/** `stop`: the program is asked to end. `giveUp`: it cannot wait for a mutation under way any longer. */
export interface Signals {
  stop: AbortSignal;
  giveUp: AbortSignal;
}

export function createActor(parts: ActorParts): Act {
  const { bans, log } = parts;
  return async (action, plan, seen, memory, signals) => {
    switch (action.kind) {
      case "create":
        return createOne(parts, seen, memory, signals);
      case "destroy":
        return destroyOne(parts, action, plan.message, memory, signals.giveUp);
      case "forget_intent":
        log.info({ event: "action", action: "forget_intent" }, plan.message);
        return { ...memory, intent: null };
      case "ban": {
        const done = await stored(log, "ban", () => bans.ban(action.hostId, action.reason));
        if (done) {
          log.warn(
            {
              event: "action",
              action: "ban",
              hostId: action.hostId,
              instance: action.instanceId,
              reason: action.reason,
            },
            `host ${action.hostId} is banned: ${action.reason}`,
          );
        }
        return memory;
      }
      case "start_waiting":
        await stored(log, "start_waiting", () => bans.startWaiting(action.instanceId, action.since));
        return memory;
      case "stop_waiting":
        await stored(log, "stop_waiting", () => bans.stopWaiting(action.instanceId));
        return memory;
      case "count_restart": {
        const done = await stored(log, "count_restart", () => bans.countRestarts(action.instanceId, action.times));
        const track = memory.tracks[action.instanceId];
        if (!done || track === undefined) return memory; // counted when the store is back
        const counted = { ...track, uncountedRestarts: Math.max(0, track.uncountedRestarts - action.times) };
        return { ...memory, tracks: { ...memory.tracks, [action.instanceId]: counted } };
      }
    }
  };
}

/** The ban store may be away: that is said, and never stops what protects money. */
async function stored(log: Logger, what: string, write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    log.warn({ event: "redis", err: error, what }, `Redis did not take ${what}: it is tried again while it is wanted`);
    return false;
  }
}

/** Protocol rule 1: the id is doomed on disk before the DELETE, and stays so until a complete list lacks it. */
export async function destroyOne(
  parts: Pick<ActorParts, "client" | "clock" | "log" | "desired" | "save">,
  action: Destroy,
  message: string,
  memory: Memory,
  signal?: AbortSignal,
): Promise<Memory> {
  const { client, clock, log, desired, save } = parts;
  let next = doom(memory, action, clock.now());
  await save(next);
  log.info({ event: "action", action: "destroy", instance: action.id, reason: action.reason }, message);
  try {
    await client.destroyInstance(action.id, signal);
    next = asked(next, action.id, clock.now());
  } catch (error) {
    const failure = asVastError(error);
    const trouble = accountTrouble(failure);
    if (trouble !== null) next = accountBlocked(next, trouble, accountMessage(trouble, failure.message), clock.now());
    // Whatever the API answers leaves the id doomed: the lists decide, and tell after a while to ask again. Only what it
    // did not take up at all is asked again at once.
    const sent = failure.reached && failure.kind !== "rate_limited" && trouble === null;
    if (sent) next = asked(next, action.id, clock.now());
    log.warn(
      { event: "action", action: "destroy", instance: action.id, err: failure },
      `instance ${action.id} is asked to be destroyed again until a list lacks it: ${failure.message}`,
    );
  }
  next = destroyed(next, action, desired, message, clock.now());
  await save(next);
  return next;
}
