// The last transitions of the pod: what happened and why, for a person who looks hours later. Pure.
import * as z from "zod";
import type { UpstreamState } from "../../common/upstream-file.ts";
import type { Reason } from "../model/reasons.ts";

const transitionSchema = z.object({
  /** Epoch ms. */
  at: z.number(),
  state: z.string(),
  reason: z.string(),
  message: z.string(),
  instanceId: z.int().nullable(),
});
/** From then on the pod had this state, reason and instance. */
export type Transition = z.infer<typeof transitionSchema>;

/** The newest last. */
export const historySchema = z.array(transitionSchema).default([]);

// Some days of a healthy pod, and a night of an unlucky one. The state file is written in every pass: 50 take some 15 KB.
const MOST_TRANSITIONS = 50;
// The remedy stands in the message's first sentences; a host's text at its end can be long.
const MOST_MESSAGE_CHARACTERS = 400;
// What happened last is what a person asks for first: none of it is dropped.
const KEPT_WHOLE = 10;

/** What is published now. */
interface Now {
  state: UpstreamState;
  reason: Reason;
  message: string;
  instance: { id: number } | null;
}

/** The history with what is published now, if state, reason or instance are other ones than the last; else the same history. */
export function withTransition(history: Transition[], now: Now, at: number): Transition[] {
  const { state, reason, message, instance } = now;
  const next = {
    at,
    state,
    reason,
    message: message.slice(0, MOST_MESSAGE_CHARACTERS),
    instanceId: instance?.id ?? null,
  };
  const last = history.at(-1);
  return last !== undefined && isSame(last, next) ? history : bounded([...history, next]);
}

/** Since when state and reason are what they are (epoch ms); null without a history. */
export function unchangedSince(history: readonly Transition[]): number | null {
  const last = history.at(-1);
  if (last === undefined) return null;
  const before = history.findLastIndex(({ state, reason }) => state !== last.state || reason !== last.reason);
  return history[before + 1]?.at ?? null;
}

/**
 * What interrupted a situation that went on afterwards is dropped first, then the oldest: an API that fails every minute must not push out
 * why the instance was replaced.
 */
function bounded(history: Transition[]): Transition[] {
  if (history.length <= MOST_TRANSITIONS) return history;
  const after = history.findIndex((one, i) => {
    const before = history[i - 2];
    return before !== undefined && i < history.length - KEPT_WHOLE && isSame(before, one);
  });
  return after < 0 ? history.slice(1) : history.toSpliced(after - 1, 2);
}

function isSame(a: Transition, b: Transition): boolean {
  return a.state === b.state && a.reason === b.reason && a.instanceId === b.instanceId;
}
