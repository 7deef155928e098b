// Destroys all instances of one label: asks first, then carries the destroys through until lists show that nothing is left, or the
// time is over. Touches the API, the lease and the state file.
import { stopwatch, withDeadline } from "../../common/clock.ts";
import { isFileSystemError, messageOf } from "../../common/errors.ts";
import { type Lease, noLease } from "../lease/lease.ts";
import { LEASE_MS } from "../model/deadlines.ts";
import { describe } from "../model/describe.ts";
import { emptyState, type State } from "../state/schema.ts";
import { billingSentence, lastSeenIds, nothingBilled } from "./billing.ts";
import { type CarryOutParts, carryOut, heldByOther, repeatedList } from "./carry-out.ts";
import type { EndList } from "./end-calls.ts";
import { isCreateOpen, listedTarget, unlistedTargets, withoutListedIntent } from "./targets.ts";

/** `unknown`: something is there and does not answer in time. */
export type ProvisionerRuns = "yes" | "no" | "unknown";

export interface DestroyParts extends CarryOutParts {
  /** How long the work may still go on. An operator's answer may start that time again. */
  timeLeftMs(): number;
  load(): Promise<State | null>;
  /** Whether a provisioner for this pod is running: it would create another instance at once. */
  provisionerRuns(): Promise<ProvisionerRuns>;
  /** Asks the operator. */
  confirm(question: string): Promise<boolean>;
}

/** `gone` are missing in a complete list after the destroy; `left` are not verified. */
export interface DestroyOutcome {
  done: boolean;
  /** What may still be billed and what to do about it, or null when all is done. */
  problem: string | null;
  gone: number[];
  left: number[];
}

const POLL_MS = 2000;
// A busy Redis answers within that time; one that is away must not keep an operator waiting.
const OWNER_WITHIN_MS = 10_000;
const OWNER_POLL_MS = 1000;

/** Never gives up before the time is over: a list or destroy that fails is repeated. */
export async function destroyAll(parts: DestroyParts): Promise<DestroyOutcome> {
  const { calls } = parts;
  try {
    const [listed] = await Promise.all([firstList(parts), calls.queue()]);
    return await destroyListed(parts, listed);
  } finally {
    await calls.leave();
  }
}

/** `listed` null: the time is over. */
async function destroyListed(parts: DestroyParts, listed: EndList | null): Promise<DestroyOutcome> {
  const { clock, label, print } = parts;
  const runs = await parts.provisionerRuns();
  const loaded = (runs === "yes" ? null : await parts.load()) ?? emptyState(label);
  if (listed === null) {
    const problem = `Nothing was destroyed in time: ${billingSentence(null, loaded, label)}.`;
    return { done: false, problem, gone: [], left: lastSeenIds(loaded) };
  }
  const { rows } = listed;
  // Also for what only the copy in Redis knows: the contracts of a pod that was lost with its volume.
  const { ownership, state } = await ownerOf(parts, loaded);
  const targets = [...rows.map(listedTarget), ...unlistedTargets(state, rows)];
  const before = withoutListedIntent(state, rows);
  const createOpen = isCreateOpen(before, clock.now());
  const what = [...targets.map(({ name }) => name), ...(createOpen ? [OF_CREATE] : [])].join(" and ");
  const nothing = (why: string): DestroyOutcome => ({
    done: false,
    problem: `${why}Nothing was destroyed${what === "" ? "" : `; this may still be billed: ${what}`}.`,
    gone: [],
    left: targets.map(({ id }) => id),
  });
  if (ownership.kind === "other") return nothing(`${heldByOther(ownership, label)} `);
  // An operator must be able to destroy what is being billed although Redis is down.
  const lease = ownership.kind === "unknown" ? noLease : parts.lease;
  try {
    if (targets.length === 0 && !createOpen) {
      print(`${capitalised(nothingBilled(label))}.`);
      return { done: true, problem: null, gone: [], left: [] };
    }
    if (ownership.kind === "unknown") {
      print(
        `It is unknown whether a provisioner holds the label ${label} (${ownership.why}): make sure that none is running.`,
      );
    }
    if (runs !== "no") {
      const another = "will create another instance: stop it first, or set VAST_POLICY=observe";
      if (runs === "yes") print(`A provisioner for this pod is running and ${another}.`);
      else
        print(`What listens on the provisioner's status port does not answer. If it is a provisioner, it ${another}.`);
    }
    if (!(await parts.confirm(`Destroy ${what} with the label ${label}? All data on it will be lost.`)))
      return nothing("");
    const save = savedWherePossible({ ...parts, lease }, runs);
    const startedAt = clock.monotonic();
    const {
      left,
      gone,
      others,
      createOpen: stillOpen,
    } = await withDeadline(clock, parts.timeLeftMs(), undefined, (over) =>
      carryOut({ ...parts, lease, save }, { targets, listed }, before, over),
    );
    if (gone.length > 0) print(`Destroyed and verified: ${gone.join(", ")}.`);
    const notDone = [...left.map(({ name }) => name), ...(stillOpen ? [OF_CREATE] : [])].join(" and ");
    const seconds = Math.round((clock.monotonic() - startedAt) / 1000);
    const problem =
      notDone === ""
        ? null
        : `Not verified as destroyed after ${seconds} s, and may still be billed: ${notDone}. Destroy it with: vast-provisioner destroy, or in the console of Vast.ai (label ${label}).`;
    // The operator was not asked about these: they are new, most likely instances of the running provisioner.
    if (others.length > 0)
      print(`New instances appeared in the meantime and were left alone: ${others.map(describe).join(" and ")}.`);
    return { done: problem === null, problem, gone, left: left.map(({ id }) => id) };
  } finally {
    await lease.release();
  }
}

const OF_CREATE = "the instance of a create with an unknown outcome, if there is one";

/**
 * Who holds the lease. A busy Redis is asked again: an operator who overlooks a running provisioner destroys what it would create again
 * at once. The end of a pod waits for the lease of a predecessor that was killed; one that still runs renews it, and is respected.
 */
async function ownerOf(parts: DestroyParts, state: State): ReturnType<Lease["renew"]> {
  const { adoptsAll, clock, label, lease, print, timeLeftMs } = parts;
  const waitedMs = stopwatch(clock);
  for (let first = true; ; first = false) {
    const answer = await lease.renew(state);
    const { kind } = answer.ownership;
    const waits = adoptsAll
      ? kind === "other" && waitedMs() <= LEASE_MS
      : kind === "unknown" && waitedMs() <= OWNER_WITHIN_MS;
    if (!waits || timeLeftMs() <= OWNER_POLL_MS) return answer;
    if (first && answer.ownership.kind === "other") print(`${heldByOther(answer.ownership, label)} Waiting for that.`);
    await clock.sleep(OWNER_POLL_MS);
  }
}

/** The list that shows what there is to destroy; null when the time is over before the API returned one. */
async function firstList(parts: DestroyParts): Promise<EndList | null> {
  return withDeadline(parts.clock, parts.timeLeftMs(), undefined, async (over) => {
    const list = repeatedList(parts, over);
    let listed = await list();
    while (listed === null && !over.aborted) {
      await parts.clock.sleep(POLL_MS, over);
      listed = await list();
    }
    return listed;
  });
}

/**
 * Saves as far as it is possible. The note before a destroy exists so that no create follows too early; a volume that takes no
 * note must not keep an instance billed. Memory, the copy in Redis and the label are enough to end it.
 */
function savedWherePossible(
  { log, lease, save }: DestroyParts,
  runs: ProvisionerRuns,
): (state: State) => Promise<void> {
  let warned = false;
  return async (state) => {
    let saved = false;
    try {
      // A running provisioner owns its state file: if two programs wrote it, the intent of a create could be lost.
      if (runs === "no") await save(state);
      saved = runs === "no";
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      if (!warned)
        log.warn(
          { event: "disk", err: error },
          `the state file cannot be written (${messageOf(error)}); the instances are destroyed all the same`,
        );
      warned = true;
    }
    await lease.mirror(state, saved);
  };
}

const capitalised = (sentence: string) => sentence.charAt(0).toUpperCase() + sentence.slice(1);
