// Where `run` gets its instance lists from: with Redis one pod reads for all pods of the account, without it each pod reads its own.
// Touches nothing until a list is read.
import type { FleetKeys } from "../fleet/keys.ts";
import { runLeading } from "../fleet/leader.ts";
import { createListSource } from "../fleet/list-source.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import { createSnapshot, type Snapshot } from "../fleet/snapshot.ts";
import type { LoopState } from "../loop-state.ts";
import { createFleetLists } from "../observe/fleet-lists.ts";
import type { ListReader } from "../observe/list-reader.ts";
import { createOwnLists } from "../observe/own-lists.ts";
import { pollSlotOf } from "../observe/poll-schedule.ts";
import { withSecondSource } from "../observe/second-source.ts";
import { type EndCalls, ownEndCalls, sharedEndCalls } from "../teardown/end-calls.ts";
import type { RunContext } from "./dependencies.ts";
import type { RunAccount } from "./run-account.ts";

export interface ConnectedLists {
  lists: ListReader;
  /** How an ordered end lists and destroys. */
  endCalls: EndCalls;
  /** How many pods there are by all that is known: those that start together are counted by their key only later. */
  pods(): number;
  /** The loop that reads for all pods while this one is the leader. Runs until `stop` is aborted. */
  lead(stop: AbortSignal): Promise<void>;
}

/** `fresh`: the pod has never run here. */
export function connectLists(
  { settings, deps, log }: RunContext,
  { fresh, loop }: { fresh: boolean; loop: LoopState },
  { client, pacing, queue }: RunAccount,
  fleet: Fleet | null,
): ConnectedLists {
  const { clock, random } = deps;
  const { desired, firstCreateWaitMs, podName } = settings;
  const listAvailableAt = () => pacing.availableAt("list");
  const own = createOwnLists({
    client,
    clock,
    random,
    desired,
    slot: pollSlotOf(podName),
    own: queue?.own ?? null,
    // Pods of a fleet take turns: they need no time slots for their start.
    fresh: fresh && fleet === null,
    firstCreateWaitMs,
    listAvailableAt,
    blockCreateUntil: (until) => pacing.blockUntil("create", until),
  });
  const known = { client, clock, label: desired.label, state: () => loop.state, pods: () => podsOf(podName, queue) };
  if (fleet === null || queue === null)
    return {
      lists: withSecondSource({ ...known, lists: own }),
      endCalls: ownEndCalls(client, desired.label),
      pods: () => 0,
      lead: async () => undefined,
    };
  const snapshot = snapshotOf(fleet);
  const source = createListSource({ snapshot, clock, label: desired.label });
  const { leaderKnownForMs, noLeader } = source;
  const leader = { client, snapshot, clock, log, token: fleet.token, leaderKnownForMs, noLeader, listAvailableAt };
  const shared = createFleetLists({ source, own, clock });
  const lists = withSecondSource({ ...known, lists: shared });
  const endCalls = sharedEndCalls({ lists: shared, turns: queue.turns, clock });
  const pods = () => Math.max(queue.own.pods(), source.pods());
  return { lists, endCalls, pods, lead: (stop) => runLeading(leader, stop) };
}

/** Pods of a StatefulSet are numbered from 0, and together there may be more of them than Redis, which may be away, has told. */
function podsOf(podName: string, queue: RunAccount["queue"]): number {
  const { index, numbered } = pollSlotOf(podName);
  return Math.max(queue?.own.pods() ?? 0, numbered ? index + 1 : 0);
}

/** The snapshot of the account that the key belongs to; null as long as that is unknown. */
function snapshotOf({ redis, keys }: Fleet): () => Snapshot | null {
  let current: { keys: FleetKeys; snapshot: Snapshot } | null = null;
  return () => {
    const now = keys();
    if (now === null) return null;
    if (current?.keys.rows !== now.rows) current = { keys: now, snapshot: createSnapshot(redis, now) };
    return current.snapshot;
  };
}

/**
 * Reads for all pods, where it is this pod's turn, until `end` is over. Many pods may end at the same time: those that wait for their
 * destroys need the lists, and often there is no other pod. Where nothing is left to do after `stop`, another pod leads from then on.
 */
export async function leadMeanwhile<T>(
  end: () => Promise<T>,
  lead: ConnectedLists["lead"],
  stop: AbortSignal | null,
): Promise<T> {
  const over = new AbortController();
  const ending = end().finally(() => over.abort());
  const [outcome] = await Promise.all([ending, lead(stop ?? over.signal)]);
  return outcome;
}
