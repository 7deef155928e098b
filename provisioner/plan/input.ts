// The words of a plan: what it is made from and what it says. Pure.
import type { PublishedInstance, Server, UpstreamState } from "../../common/upstream-file.ts";
import type { BanKind, Observation } from "../model/observation.ts";
import type { Ownership } from "../model/ownership.ts";
import type { DestroyReason, Reason } from "../model/reasons.ts";
import type { Memory } from "../state/schema.ts";

/** What the operator wants. */
export interface Desired {
  label: string;
  image: string;
  templateName: string;
  /** Container port to serve, if named. */
  upstreamPort: number | undefined;
  /** How the instance is spoken to. */
  upstreamScheme: Server["scheme"];
}

/** Numbers that bound a decision; all times in ms. */
export interface Limits {
  bansEnabled: boolean;
  /** What a ban that is written names; bans of both kinds hold. */
  banScope: BanKind;
  banAfterMs: number;
  restartThreshold: number;
  unknownMaxMs: number;
  /** With an HTTP probe a passing probe proves the app, so that an unknown list may last. */
  httpProbe: boolean;
  unreachableMs: number;
  unhealthyMs: number;
  maxDollarsPerHour: number | undefined;
  maxCreatesPerHour: number;
}

export type Action =
  | {
      kind: "destroy";
      id: number;
      hostId: number | null;
      machineId: number | null;
      reason: DestroyReason;
      difference?: { wanted: string; reported: string };
    }
  /** `target` is null where the API does not tell which host or machine it is: then no ban can be written. */
  | { kind: "ban"; target: { kind: BanKind; id: number } | null; instanceId: number; reason: string }
  /** `since` in epoch ms. */
  | { kind: "start_waiting"; instanceId: number; since: number }
  | { kind: "stop_waiting"; instanceId: number }
  | { kind: "count_restart"; instanceId: number; times: number }
  | { kind: "forget_intent" }
  | { kind: "create" };

export interface Plan {
  reason: Reason;
  /** A sentence for people: what is, and what to do where something is to be done. Changes only with the state. */
  message: string;
  state: UpstreamState;
  server: Server | null;
  instance: PublishedInstance | null;
  actions: readonly Action[];
  /** What may be served if the destroys of `actions` are held back. */
  standing: Standing;
  /** Epoch ms. */
  checkedAt: number;
  nextCheckAt: number;
}

/** Everything a row of the table may look at. */
export interface Facts {
  desired: Desired;
  seen: Observation;
  memory: Memory;
  /** Whose label it is, where Redis is there to tell. */
  ownership: Ownership;
  now: number;
  limits: Limits;
}

/** What may be served as things stand, when nothing is changed. */
export interface Standing {
  server: Server | null;
  instance: PublishedInstance | null;
}

export const NOTHING: Standing = { server: null, instance: null };

// How soon to look again, in ms: twice the API's list interval, so that two pods with one key still get their turns.
export const SOON_MS = 2000;
// While the API gives no answer or an operator has to act, more calls help nobody.
export const UNKNOWN_MS = 5000;
export const BLOCKED_MS = 15_000;

/** A plan without a mutation. What serves goes on serving under the given reason. */
export function quiet(
  facts: Facts,
  standing: Standing,
  reason: Reason,
  message: string,
  state: UpstreamState,
  waitMs = SOON_MS,
): Plan {
  return {
    reason,
    message,
    state,
    ...standing,
    actions: [],
    standing,
    checkedAt: facts.now,
    nextCheckAt: facts.now + waitMs,
  };
}
