// `vast-provisioner reap`: ends instances whose pod no StatefulSet wants. Touches the API, the cluster's API and the clock.
// Whoever it is that ran the pod is gone, and so is its state file: the lists alone decide, and any doubt spares.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { type Namespace, readNamespace } from "../kubernetes/pod-desired.ts";
import { describe } from "../model/describe.ts";
import { labelOf } from "../model/label.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";

export interface ReapParts {
  client: Pick<VastClient, "listInstances" | "destroyInstance">;
  cluster: Cluster;
  clock: Clock;
  log: Logger;
  /** What the labels of our instances begin with; the pod's number follows: `k8s_pod=vast-pod-`. */
  prefix: string;
  /** The label that our pods are told to use, where it is known. */
  label: string | undefined;
  /** The StatefulSet itself was deleted: all of its instances are orphans. */
  setDeleted: boolean;
  /** Instances younger than this are spared: their pod may be on its way. */
  youngerThanMs: number;
  /** The most that one run ends. */
  atMost: number;
  /** False: only told. */
  really: boolean;
  say(text: string): void;
}

/** `orphans` were found, `gone` were ended and seen to be gone, `left` were not. */
export interface ReapOutcome {
  done: boolean;
  /** Why nothing was judged, or null. */
  problem: string | null;
  orphans: number[];
  gone: number[];
  left: number[];
}

// Rows were seen to linger for up to two minutes after a destroy.
const CONFIRM_MS = 150_000;
const LOOK_EVERY_MS = 5000;

export async function reap(parts: ReapParts): Promise<ReapOutcome> {
  const { client, cluster, clock, prefix, say } = parts;
  const nothing = (problem: string | null): ReapOutcome => {
    if (problem !== null) say(`Nothing is ended: ${problem}.`);
    return { done: problem === null, problem, orphans: [], gone: [], left: [] };
  };
  // Vast first: an instance that is created after its list is in no danger, and its pod is in the cluster's lists.
  let rows: readonly Instance[];
  try {
    rows = await client.listInstances(null);
  } catch (error) {
    return nothing(`the instances are unknown (${asVastError(error).message})`);
  }
  const base = `namespaces/${cluster.namespace}`;
  const wanted = readNamespace(
    await cluster.get(`/apis/apps/v1/${base}/statefulsets`),
    await cluster.get(`/api/v1/${base}/pods`),
  );
  if ("why" in wanted) return nothing(`the cluster gives no clear answer (${wanted.why})`);
  const foreign = prefixProblem(parts, wanted);
  if (foreign !== null) return nothing(foreign);
  const ours = rows.filter((row) => podOf(row, prefix) !== null);
  if (ours.length === 0) {
    say(`No instance has a label that begins with ${prefix} and goes on with a number.`);
    return nothing(null);
  }
  const unwanted = ours.filter((row) => !wanted.isDesired(podOf(row, prefix) ?? ""));
  for (const row of unwanted.filter((one) => one.createdAt === null))
    say(`Spared, since its age is unknown: ${describe(row)} with the label ${row.label}.`);
  const orphans = createdBefore(unwanted, clock.now() - parts.youngerThanMs);
  const ids = orphans.map((row) => row.id);
  if (orphans.length === 0) {
    say(
      `Every one of ${ours.length} instances with ${prefix} belongs to a pod that is wanted, or is spared for its age.`,
    );
    return nothing(null);
  }
  for (const row of orphans) say(`Orphan: ${describe(row)} with the label ${row.label}.`);
  if (!parts.really) {
    say("Nothing was ended: add --yes to end them.");
    return { done: true, problem: null, orphans: ids, gone: [], left: ids };
  }
  const taken = orphans.slice(0, parts.atMost);
  if (taken.length < orphans.length) say(`Of ${orphans.length} the ${taken.length} oldest are ended in this run.`);
  const left = await destroyOrphans(parts, taken);
  const gone = taken.map((row) => row.id).filter((id) => !left.includes(id));
  if (gone.length > 0) say(`Destroyed, and seen to be gone: ${gone.join(", ")}.`);
  if (left.length > 0) say(`Not seen to be gone: ${left.join(", ")}. The next run asks again.`);
  return { done: left.length === 0, problem: null, orphans: ids, gone, left: ids.filter((id) => !gone.includes(id)) };
}

/** Why the prefix may be that of somebody else's labels, for whose pods this namespace cannot speak; or null. */
function prefixProblem(
  { prefix, label, setDeleted, cluster }: ReapParts,
  { labelOf: given }: Namespace,
): string | null {
  const set = setOf(prefix);
  const own = given(set);
  if (own === undefined && !setDeleted)
    return `the namespace ${cluster.namespace} has no StatefulSet ${set}: correct --prefix, whose end behind the last = or / is its name, or add --set-deleted if it is gone for good`;
  const told = own ?? label;
  if (told === undefined) return null;
  const first = labelOf({ VAST_LABEL: told, POD_NAME: `${set}-0` });
  if (first.startsWith(prefix)) return null;
  return `the pods of ${set} label their instances ${first} (VAST_LABEL), which does not begin with --prefix ${prefix}`;
}

/** The StatefulSet that a prefix names: what follows its last `=` or `/`. */
function setOf(prefix: string): string {
  return prefix.slice(Math.max(prefix.lastIndexOf("="), prefix.lastIndexOf("/")) + 1, -1);
}

/** The pod that an instance's label names. Null where the label is not ours. */
export function podOf(row: Instance, prefix: string): string | null {
  if (row.label === null || !row.label.startsWith(prefix)) return null;
  const number = row.label.slice(prefix.length);
  if (!/^(0|[1-9]\d{0,9})$/.test(number)) return null;
  return `${setOf(prefix)}-${number}`;
}

/** Those that were created before `instant` (epoch ms); the oldest first. */
function createdBefore(rows: readonly Instance[], instant: number): Instance[] {
  return rows
    .filter((row) => row.createdAt !== null && row.createdAt < instant)
    .sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0) || a.id - b.id);
}

/** Asks for the end of each and answers the ids that no complete list was seen without. */
async function destroyOrphans({ client, clock, log }: ReapParts, rows: readonly Instance[]): Promise<number[]> {
  for (const row of rows) {
    try {
      await client.destroyInstance(row.id);
      log.info(
        { event: "action", action: "destroy", instance: row.id, reason: "orphan" },
        `${describe(row)} is destroyed`,
      );
    } catch (error) {
      // Whatever was answered: the lists decide what is gone.
      log.warn({ event: "action", action: "destroy", instance: row.id, err: asVastError(error) }, "the destroy failed");
    }
  }
  const deadline = clock.now() + CONFIRM_MS;
  let left = rows.map((row) => row.id);
  while (left.length > 0 && clock.now() < deadline) {
    await clock.sleep(LOOK_EVERY_MS);
    try {
      const listed = new Set((await client.listInstances(null)).map((row) => row.id));
      left = left.filter((id) => listed.has(id));
    } catch (error) {
      log.warn({ event: "reap", err: asVastError(error) }, "the instances are unknown, looking again");
    }
  }
  return left;
}
