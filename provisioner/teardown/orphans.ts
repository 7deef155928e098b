// Destroys instances whose pod no StatefulSet wants. Touches the API of Vast, the cluster's API and the clock.
// The pod is gone and so is its state file: only the lists decide, and an instance is kept in every unclear case.
import { type Clock, stopwatch } from "../../common/clock.ts";
import type { Fence } from "../../common/http.ts";
import type { Logger } from "../../common/logging.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { whyText } from "../model/account.ts";
import { describe } from "../model/describe.ts";
import type { VastClient } from "../vast/client.ts";
import { accountTrouble, asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";
import { awaitGone } from "./await-gone.ts";
import { readLabels } from "./read-labels.ts";
import type { ReapRequest } from "./reap-scope.ts";

export interface ReapParts extends ReapRequest {
  client: Pick<VastClient, "listInstances" | "destroyInstance">;
  cluster: Cluster;
  clock: Clock;
  log: Logger;
  /** Instances younger than this are kept: their pod may not exist yet. */
  youngerThanMs: number;
  /** The most instances that one run destroys. */
  atMost: number;
  /** Only prints the orphans. */
  dryRun: boolean;
  print(text: string): void;
  /** Called with the labels of which no instance is left. */
  forgetPods(labels: readonly string[]): Promise<void>;
}

/** `orphans` were found, `gone` are destroyed and verified, `left` are not. */
export interface ReapOutcome {
  done: boolean;
  /** Why no orphan could be determined, or null. */
  problem: string | null;
  orphans: number[];
  gone: number[];
  left: number[];
}

// Lists have shown instances for up to two minutes after their destroy.
const VERIFY_MS = 150_000;
const POLL_MS = 5000;
// A destroy is sent at most this long after the lists were requested: later a pod may be back. Enough for a hundred destroys.
const SEND_WITHIN_MS = 300_000;

export async function reap(parts: ReapParts): Promise<ReapOutcome> {
  const { client, cluster, clock, prefix, print } = parts;
  const nothing = (problem: string | null): ReapOutcome => {
    if (problem !== null) print(`Nothing is destroyed: ${problem}.`);
    return { done: problem === null, problem, orphans: [], gone: [], left: [] };
  };
  const elapsedMs = stopwatch(clock);
  const mayBeSent = () => elapsedMs() < SEND_WITHIN_MS;
  // Vast first: the cluster's lists, read later, have the pod of every instance in this list.
  let rows: readonly Instance[];
  try {
    rows = await client.listInstances(null);
  } catch (error) {
    const failure = asVastError(error);
    const why = whyText({ message: failure.message, account: accountTrouble(failure) });
    return nothing(`the instance list is unknown (${why})`);
  }
  const labels = await readLabels(cluster, parts);
  if ("problem" in labels) return nothing(labels.problem);
  const ours = rows.filter((row) => labels.isOfPods(row.label));
  if (ours.length === 0) {
    print(`No instance has a label that consists of ${prefix} and a number.`);
    return nothing(null);
  }
  const unwanted = ours.filter((row) => !labels.isWanted(row.label));
  for (const row of unwanted.filter((one) => one.createdAt === null))
    print(`Kept because its age is unknown: ${describe(row)} with the label ${row.label}.`);
  const orphans = createdBefore(unwanted, clock.now() - parts.youngerThanMs);
  const ids = orphans.map((row) => row.id);
  if (orphans.length === 0) {
    print(
      `No orphans: of ${ours.length} instances with ${prefix}, each has a pod that is wanted or is kept for its age.`,
    );
    return nothing(null);
  }
  for (const row of orphans) print(`Orphan: ${describe(row)} with the label ${row.label}.`);
  if (parts.dryRun) {
    print("Nothing was destroyed: add --yes to destroy them.");
    return { done: true, problem: null, orphans: ids, gone: [], left: ids };
  }
  const taken = orphans.slice(0, parts.atMost);
  if (taken.length < orphans.length)
    print(`This run destroys the ${taken.length} oldest of ${orphans.length} orphans.`);
  const left = (await destroyOrphans(parts, taken, mayBeSent)).map((row) => row.id);
  const gone = taken.map((row) => row.id).filter((id) => !left.includes(id));
  if (gone.length > 0) print(`Destroyed and verified: ${gone.join(", ")}.`);
  const labelsOf = (some: readonly Instance[]) => new Set(some.flatMap(({ label }) => label ?? []));
  const stillThere = labelsOf(ours.filter((row) => !gone.includes(row.id)));
  const ended = [...labelsOf(taken)].filter((label) => !stillThere.has(label));
  if (ended.length > 0) await parts.forgetPods(ended);
  if (left.length > 0) print(`Not verified as destroyed: ${left.join(", ")}. The next run tries again.`);
  return { done: left.length === 0, problem: null, orphans: ids, gone, left: ids.filter((id) => !gone.includes(id)) };
}

/** The rows created before `instant` (epoch ms), the oldest first. */
function createdBefore(rows: readonly Instance[], instant: number): Instance[] {
  return rows
    .filter((row) => row.createdAt !== null && row.createdAt < instant)
    .sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0) || a.id - b.id);
}

/** Destroys the instances and returns those that are not verified as gone. What the API did not accept is sent again. */
async function destroyOrphans(
  { client, clock, log }: ReapParts,
  rows: readonly Instance[],
  mayBeSent: Fence,
): Promise<readonly Instance[]> {
  const answered = new Set<number>(); // the API accepted the destroy, or knows no such instance
  let listed = rows;
  const destroy = async (row: Instance) => {
    const line = { event: "action", action: "destroy", instance: row.id } as const;
    try {
      await client.destroyInstance(row.id, mayBeSent);
      answered.add(row.id);
      log.info({ ...line, reason: "orphan" }, `${describe(row)} is destroyed`);
    } catch (error) {
      const failure = asVastError(error);
      if (failure.kind === "not_found") answered.add(row.id);
      // The lists decide what is gone, whatever the answer was.
      log.warn({ ...line, err: failure }, "the destroy failed; it is sent again while the instance is listed");
    }
  };
  return awaitGone({
    targets: rows,
    clock,
    deadlineMs: VERIFY_MS,
    pollMs: POLL_MS,
    async beforeList(left) {
      // An instance that somebody has given another label meanwhile is not ours any more.
      const isOurs = (row: Instance) => listed.some(({ id, label }) => id === row.id && label === row.label);
      for (const row of left) if (!answered.has(row.id) && isOurs(row)) await destroy(row);
      return true;
    },
    async list() {
      try {
        listed = await client.listInstances(null);
        return listed;
      } catch (error) {
        log.warn({ event: "reap", err: asVastError(error) }, "the instance list is unknown; listing again");
        return null;
      }
    },
  });
}
