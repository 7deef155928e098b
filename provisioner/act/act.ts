// Carries out a plan's actions, one at a time. Touches the API, the ban store and, before every mutation, the state file.
import type { Logger } from "../../common/logging.ts";
import type { BanStore } from "../blacklist/store.ts";
import type { PodTurns } from "../fleet/pod-turns.ts";
import { sameBan } from "../model/bans.ts";
import type { Observation } from "../model/observation.ts";
import type { Action, Plan } from "../model/plan.ts";
import { banUnwritten, banWritten, wasDeleteSent } from "../state/apply-outcome.ts";
import { afterCreate } from "../state/bids.ts";
import { afterReturnCreate } from "../state/fallback.ts";
import type { State } from "../state/schema.ts";
import { checkReplacement, unlessCreated } from "./check-replacement.ts";
import { type CreateOutcome, type CreateParts, createOne } from "./create.ts";
import { destroyInstance } from "./destroy.ts";
import { foreseeBid } from "./foresee-bid.ts";
import { lookForBid } from "./look-for-bid.ts";
import { raiseUnlessCheaper } from "./raise-unless-cheaper.ts";
import { rehearse } from "./rehearse.ts";
import type { Signals } from "./try-offer.ts";
import { updateInstance } from "./update.ts";

export interface ActorParts extends CreateParts {
  bans: BanStore;
  turns: Pick<PodTurns, "untilCreateIsNext" | "leaveCreates">;
}

/** The state after an action, and what came of it where it was a create. */
export interface ActResult {
  state: State;
  created?: CreateOutcome;
}

/** Carries out one action. Throws only what `save` throws, and internal errors. */
export type Act = (action: Action, plan: Plan, seen: Observation, state: State, signals: Signals) => Promise<ActResult>;

export function createActor(parts: ActorParts): Act {
  const { bans, log } = parts;
  // Instances whose host or machine the API does not report: a plan may want to ban them in every pass, the log says so once.
  const unbannable = new Set<number>();

  async function ban(action: Extract<Action, { kind: "ban" }>, state: State): Promise<State> {
    const { target, instanceId: instance, reason } = action;
    const line = { event: "action", action: "ban", instance, reason } as const;
    if (target === null) {
      if (!unbannable.has(instance))
        log.warn(line, `cannot ban (${reason}): the API reports no host or machine id for instance ${instance}`);
      unbannable.add(instance);
      return state;
    }
    const { kind, id } = target;
    const where = { ...line, [`${kind}Id`]: id };
    if (await stored(log, "ban", () => bans.ban(kind, id, reason))) {
      log.warn(where, `${kind} ${id} is banned (${reason})`);
      return banWritten(state, target);
    }
    if (state.unwrittenBans.some((other) => sameBan(other, target))) return state; // was logged when it failed first
    log.warn(where, `${kind} ${id} is banned locally (${reason}); it will be written to Redis when Redis is back`);
    return banUnwritten(state, { ...target, reason, instanceId: instance });
  }

  async function countRestarts(instanceId: number, times: number, state: State): Promise<State> {
    const done = await stored(log, "count_restart", () => bans.countRestarts(instanceId, times));
    const track = state.tracks[instanceId];
    if (!done || track === undefined) return state; // counted when the store is back
    const counted = { ...track, uncountedRestarts: Math.max(0, track.uncountedRestarts - times) };
    return { ...state, tracks: { ...state.tracks, [instanceId]: counted } };
  }

  return async (action, plan, seen, state, signals) => {
    switch (action.kind) {
      case "create": {
        const created = await createOne(parts, action, seen, state, signals);
        const { outcome } = created;
        // With its place of before it would come first again after its wait, each time without a create.
        if (outcome === "no_offer" || outcome === "create_refused") await parts.turns.leaveCreates();
        if (action.besides?.toBid)
          return { state: afterReturnCreate(state, created.state, outcome, parts.clock.now()), created: outcome };
        const result = { outcome, state: afterCreate(state, created.state, action.bid, outcome, parts.clock.now()) };
        return { state: unlessCreated(parts, action, result), created: outcome };
      }
      case "destroy": {
        const after = await destroyInstance(parts, action, plan.message, state, signals.abortMutations);
        if (wasDeleteSent(after, action.id)) await parts.market.freed(action.machineId);
        return { state: after };
      }
      case "update":
        return { state: await updateInstance(parts, action, plan.message, state, signals.abortMutations) };
      case "raise_bid":
        return { state: await raiseUnlessCheaper(parts, action, plan.message, seen, state, signals) };
      case "check_replacement":
        return { state: await checkReplacement(parts, action, seen, state, signals.stop) };
      case "rehearse":
        return { state: await rehearse(parts, action, state, signals.stop) };
      case "look_for_bid":
        return { state: await lookForBid(parts, action.create, seen, state, signals.stop) };
      case "foresee_bid": {
        const after = await foreseeBid(parts, action.create, seen, state, signals.stop);
        if (after !== state) await parts.turns.leaveCreates();
        return { state: after };
      }
      case "forget_intent":
        log.info({ event: "action", action: "forget_intent" }, plan.message);
        return { state: { ...state, intent: null } };
      case "ban":
        return { state: await ban(action, state) };
      case "start_waiting":
        await stored(log, "start_waiting", () => bans.startWaiting(action.instanceId, action.since));
        return { state };
      case "postpone_waiting":
        await stored(log, "postpone_waiting", () => bans.postponeWaiting(action.instanceId, action.since));
        return { state };
      case "stop_waiting":
        await stored(log, "stop_waiting", () => bans.stopWaiting(action.instanceId));
        return { state };
      case "count_restart":
        return { state: await countRestarts(action.instanceId, action.times, state) };
    }
  };
}

/** A ban store that does not answer never stops what protects money; its connection logs the outage once. */
async function stored(log: Logger, what: string, write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    log.debug({ event: "redis", err: error, what }, `Redis did not take ${what}: it is retried while it is needed`);
    return false;
  }
}
