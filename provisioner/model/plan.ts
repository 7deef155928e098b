// The words of a plan: what one pass decides. Pure.
import type { PublishedInstance, Server, UpstreamState } from "../../common/upstream-file.ts";
import type { BanKind } from "./observation.ts";
import type { DestroyReason, Reason } from "./reasons.ts";

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
  /** What may be served if the destroys of `actions` are suppressed. */
  serving: Serving;
  /** Epoch ms. */
  checkedAt: number;
  nextCheckAt: number;
}

/** What may be served as things stand, when nothing is changed. */
export interface Serving {
  server: Server | null;
  instance: PublishedInstance | null;
}

export const NOT_SERVING: Serving = { server: null, instance: null };
