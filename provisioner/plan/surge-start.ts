// Begins the replacement of an instance that serves on until another one does. Pure.
import { wholeList } from "../model/observation.ts";
import type { Decision } from "../model/plan.ts";
import { mayHaveServed } from "../state/track.ts";
import type { Difference } from "./difference.ts";
import { createAction } from "./no-instance.ts";
import { noChange } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";

/** Null: it does not serve, and the rules below judge that. An instance that has never served is replaced at once. */
export function surgeStart(
  kept: KeptInstance,
  difference: Difference,
  situation: Situation,
): Decision | null | "replace" {
  if (situation.serving.server !== null) return beginSurge(kept, difference, situation);
  return mayHaveServed(kept.track, situation.now) ? null : "replace";
}

/** Of one that serves: for another image or template, or for the end of its contract. */
export function beginSurge(
  { row, name }: KeptInstance,
  { reason, wanted, reported }: Pick<Difference, "wanted" | "reported"> & Pick<Decision, "reason">,
  situation: Situation,
): Decision {
  const { serving, seen, state, now } = situation;
  const what = `${name} has ${reported}, but ${wanted} is wanted; it serves until another one does`;
  const rows = wholeList(seen) ?? [];
  const ending = state.pendingDeletes.find(
    ({ id, deleteSentAt }) => deleteSentAt === null || rows.some((one) => one.id === id),
  );
  if (ending !== undefined) return wait(`${what}, which is created when instance ${ending.id} is gone`, situation);
  // Its record is all that is known of what it has rented.
  if (state.intent !== null)
    return wait(`${what}, which is created when an earlier create is listed or given up`, situation);
  if (!seen.bans.known)
    return wait(`${what}, which is created when the bans are known (${seen.bans.why.message})`, situation);
  const ends = reason === "contract_ending" ? { ends: true } : {};
  const create = { ...createAction(situation), besides: { id: row.id, wanted, reported, ...ends } };
  return {
    reason,
    message: `${what}, which is created now`,
    state: "ready",
    serving,
    actions: [create],
    checkedAt: now,
    nextCheckAt: now,
  };
}

function wait(message: string, situation: Situation): Decision {
  return noChange(situation, "surging", message, "ready");
}
