// What one pass decides, and what of it is published. Pure.
import type { PublishedInstance, Server, UpstreamState } from "../../common/upstream-file.ts";
import type { Bid } from "./bid.ts";
import type { BanKind } from "./observation.ts";
import type { DestroyReason, Reason } from "./reasons.ts";

/** What to create. The actor reads the template again just before: `templateHash` is the hash that the decision was made with. */
export interface CreateAction {
  kind: "create";
  label: string;
  image: string;
  templateName: string;
  templateHash: string | null;
  /** The price ceiling in $/h, or null without one. */
  maxDollarsPerHour: number | null;
  /** What is bid; absent: it is rented on demand. */
  bid?: Bid;
  /** The outdated instance that serves until the new one does. */
  besides?: Outdated;
  /** It is rented on demand because bids have failed. */
  fallback?: true;
}

/** An instance that differs from what is wanted, or whose contract ends, or that is on demand where a bid is wanted. */
export interface Outdated {
  id: number;
  /** In the words of a difference. */
  wanted: string;
  reported: string;
  /** It is replaced for the end of its contract, whatever its image and template are. */
  ends?: boolean | undefined;
  /** It is replaced by a cheaper one with a bid. A failure of that is no trouble of the pod. */
  toBid?: boolean | undefined;
}

export interface DestroyAction {
  kind: "destroy";
  id: number;
  hostId: number | null;
  machineId: number | null;
  reason: DestroyReason;
  /** The difference for which the instance is replaced. */
  difference?: { wanted: string; reported: string };
}

/** Image and template of a container. */
export interface ContainerSource {
  image: string;
  templateHash: string;
}

/** Replaces the container of an instance on its machine: nothing is created or destroyed. */
export interface UpdateAction extends ContainerSource {
  kind: "update";
  id: number;
  reason: Extract<Reason, "image_changed" | "template_changed" | "update_failed">;
  /** GB to which its disk has to grow, or null. */
  diskGb: number | null;
  /** What the update brings; of one that goes back, what the update before it was to bring. */
  difference: { wanted: string; reported: string };
  /** The container that serves now, to go back to; or null. */
  before: ContainerSource | null;
  /** What its row says about the container that serves or fails now. */
  statusBefore: string;
  /** It goes back to the container of before: why the one that was wanted is given up. Null for an update to what is wanted. */
  undoes: string | null;
}

/** Raises the bid of an interruptible instance that was outbid. */
export interface RaiseBidAction {
  kind: "raise_bid";
  id: number;
  /** The new bid, $/h for the GPUs. */
  dollarsPerHour: number;
  /** It is not raised where another instance is that much cheaper; absent: whatever others cost. */
  unless?: CheaperOther;
}

/** Another instance that is worth its start. */
export interface CheaperOther {
  create: CreateAction;
  /** Of the instance with the bid: what is offered there is no other machine. */
  machineId: number | null;
  /** $/h with its disk: from this price on it is not worth it. */
  belowDollarsPerHour: number;
}

export type Action =
  | CreateAction
  | DestroyAction
  | UpdateAction
  | RaiseBidAction
  /** Whether an instance could be created in place of the one that `replaces` destroys; the state then holds why not. */
  | { kind: "check_replacement"; replaces: DestroyAction; create: CreateAction }
  /** Whether the API would take this end of what serves, where it has refused one; `label`: that of the row. The state then holds it. */
  | { kind: "rehearse"; ends: DestroyAction | UpdateAction; label: string }
  /** Whether this create, with a bid, finds an offer; the state then holds its price, or when it is looked again. */
  | { kind: "look_for_bid"; create: CreateAction }
  /** Whether this create, which waits for its turn, would find no offer for its bid; the state then holds the failed bid. */
  | { kind: "foresee_bid"; create: CreateAction }
  /** `target` is null where the API does not report the host or machine: then no ban can be written. */
  | { kind: "ban"; target: { kind: BanKind; id: number } | null; instanceId: number; reason: string }
  /** `since` in epoch ms. */
  | { kind: "start_waiting"; instanceId: number; since: number }
  /** The same instance has been waited for since `since` only: nobody looked for a part of the time that is stored. */
  | { kind: "postpone_waiting"; instanceId: number; since: number }
  | { kind: "stop_waiting"; instanceId: number }
  | { kind: "count_restart"; instanceId: number; times: number }
  | { kind: "forget_intent" };

/** What may be served as long as nothing is changed. */
export interface Serving {
  server: Server | null;
  instance: PublishedInstance | null;
}

export const NOT_SERVING: Serving = { server: null, instance: null };

/** The answer of the first rule that applies. A policy may remove actions before it becomes a plan. */
export interface Decision {
  reason: Reason;
  /** A sentence for people: what the situation is and, where needed, what to do. Changes only when the situation changes. */
  message: string;
  /** The state to publish if all actions are carried out. */
  state: UpstreamState;
  serving: Serving;
  actions: readonly Action[];
  /** Epoch ms. */
  checkedAt: number;
  nextCheckAt: number;
}

/** What is published and carried out. */
export interface Plan extends Omit<Decision, "serving"> {
  server: Server | null;
  instance: PublishedInstance | null;
}

/** An instance that is to be destroyed or updated is no longer published as a server. */
export function toPlan({ reason, message, state, serving, actions, checkedAt, nextCheckAt }: Decision): Plan {
  const { instance } = serving;
  const server = interruptsInstance(actions, instance?.id) ? null : serving.server;
  return { reason, message, state, actions, checkedAt, nextCheckAt, server, instance };
}

/** True if the instance stops serving by one of the actions: it is destroyed, or its container is replaced. */
export function interruptsInstance(actions: readonly Action[], id: number | undefined): boolean {
  return actions.some((action) => isEnd(action) && action.id === id);
}

/** The action by which what may be served ends, or is interrupted; null where none does. */
export function endOfServer({ serving, actions }: Decision): DestroyAction | UpdateAction | null {
  if (serving.server === null) return null;
  return actions.filter(isEnd).find(({ id }) => id === serving.instance?.id) ?? null;
}

/** True if the decision interrupts what may be served. */
export function givesUpServer(decision: Decision): boolean {
  return endOfServer(decision) !== null;
}

function isEnd(action: Action): action is DestroyAction | UpdateAction {
  return action.kind === "destroy" || action.kind === "update";
}

/** The decision when it cannot be carried out now: nothing is changed, what is served stays served. */
export function withoutActions(decision: Decision, why: string, waitMs: number): Decision {
  return {
    ...decision,
    state: decision.serving.server === null ? decision.state : "ready",
    message: `${decision.message} (${why})`,
    actions: [],
    nextCheckAt: decision.checkedAt + waitMs,
  };
}
