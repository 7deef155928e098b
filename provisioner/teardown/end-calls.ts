// How an ordered end reads its lists and waits for its destroys: by own calls, or together with the other pods of the account. Touches
// the API or Redis, through its parts.
import type { Clock } from "../../common/clock.ts";
import type { PodTurns } from "../fleet/pod-turns.ts";
import { mayDecide, type Why, wholeList } from "../model/observation.ts";
import type { Listed, ListReader } from "../observe/list-reader.ts";
import { unknownBecause } from "../observe/unknown.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";

/** The label's instances. `mayDecide`: the list is new enough to destroy by it. */
export interface EndList {
  rows: readonly Instance[];
  mayDecide(): boolean;
}

export interface EndCalls {
  /** Queues for the destroys before it is known what there is to destroy: the lists of some pods come later than those of others. */
  queue(): Promise<void>;
  /** A list that was asked for after this call, or why it is unknown, which proves nothing. */
  list(over: AbortSignal): Promise<EndList | Why>;
  /** 0 when a destroy may be prepared: its turn is near. Otherwise how many go before, after a part of the wait for them. */
  untilNear(over: AbortSignal): Promise<number>;
  /** Gives the place in the queue up: each destroy has been sent, one of them has failed, or nothing is left to destroy. */
  leave(): Promise<void>;
}

/** Of one that is alone, as a command is: each call is made when the limit of this process allows it. */
export function ownEndCalls(client: Pick<VastClient, "listInstances">, label: string): EndCalls {
  return {
    queue: async () => undefined,
    async list(over) {
      try {
        return { rows: await client.listInstances(label, over), mayDecide: () => true };
      } catch (error) {
        return unknownBecause(asVastError(error)).why;
      }
    },
    untilNear: async () => 0,
    leave: async () => undefined,
  };
}

export interface SharedEndCallsParts {
  /** The lists that one pod reads for all. */
  lists: ListReader;
  turns: Pick<PodTurns, "queueEnd" | "untilEndIsNear" | "leaveEnds">;
  clock: Clock;
}

/**
 * Of a pod among many: many may end at the same time, and a call of each for its own list would take longer than all have. Where no pod
 * reads the lists for all, and this one does not either, each reads its own in its turn.
 */
export function sharedEndCalls({ lists, turns, clock }: SharedEndCallsParts): EndCalls {
  let last: Listed | null = null;
  return {
    queue: turns.queueEnd,
    async list(over) {
      const askedAt = clock.now();
      const listed = await lists.next(last, "now", over);
      last = listed ?? last;
      if (listed === null || listed.listedAt < askedAt) return NO_NEW_LIST;
      if (!listed.list.known) return listed.list.why;
      const rows = wholeList(listed);
      return rows === null ? NO_NEW_LIST : { rows, mayDecide: () => mayDecide(listed, clock.now()) };
    },
    untilNear: turns.untilEndIsNear,
    leave: turns.leaveEnds,
  };
}

const NO_NEW_LIST: Why = { message: "it is being read", account: null };
