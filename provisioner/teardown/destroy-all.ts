// Destroys all instances of one label: asks first, sends the destroys, and verifies with lists that they are gone. Touches the
// API, the lease and the state file.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { destroyInstance } from "../act/destroy.ts";
import { type Lease, noLease } from "../lease/lease.ts";
import { CREATE_DEADLINE_MS, LEASE_MS } from "../model/deadlines.ts";
import { describe } from "../model/describe.ts";
import type { Desired } from "../model/desired.ts";
import type { Ownership } from "../model/ownership.ts";
import type { DestroyAction } from "../model/plan.ts";
import { needsConfirmation } from "../state/apply-outcome.ts";
import { emptyState, type State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import type { Instance } from "../vast/rows.ts";
import { awaitGone } from "./await-gone.ts";
import { nothingBilled } from "./billing.ts";

export interface DestroyParts {
  client: VastClient;
  clock: Clock;
  log: Logger;
  label: string;
  load(): Promise<State | null>;
  save(state: State): Promise<void>;
  /** The command's own lease, not that of the provisioner whose state file it reads. */
  lease: Lease;
  /** Whether a provisioner for this pod is running: it would create another instance at once. */
  provisionerRuns(): Promise<boolean>;
  /** Asks the operator. */
  confirm(question: string): Promise<boolean>;
  print(text: string): void;
}

/** What is to be destroyed. `createdAt` (epoch ms) is set for a contract that no list has shown yet, and null otherwise. */
interface Target {
  id: number;
  action: DestroyAction;
  name: string;
  createdAt: number | null;
}

/** `gone` are missing in a complete list after the destroy; `left` are not verified. */
export interface DestroyOutcome {
  done: boolean;
  gone: number[];
  left: number[];
}

// Lists have shown instances for up to two minutes after their destroy. It is sent again once in this time.
const VERIFY_MS = 180_000;
const DESTROY_AGAIN_MS = 60_000;
const POLL_MS = 2000;

/** Throws `VastError` when the instances cannot be listed: then nothing was done. */
export async function destroyAll(parts: DestroyParts): Promise<DestroyOutcome> {
  const { client, label, print } = parts;
  const rows = await client.listInstances(label);
  const otherRuns = await parts.provisionerRuns();
  const loaded = (otherRuns ? null : await parts.load()) ?? emptyState(label);
  const targets = [...rows.map(listedTarget), ...unlistedTargets(loaded, rows)];
  const createOpen = isCreateOpen(loaded, rows, parts.clock.now());
  if (targets.length === 0) {
    print(createOpen ? mayAppear(label) : `${capitalised(nothingBilled(label))}.`);
    return { done: !createOpen, gone: [], left: [] };
  }
  const ids = targets.map(({ id }) => id);
  const names = targets.map(({ name }) => name).join(" and ");
  const nothing = (why: string): DestroyOutcome => {
    print(`${why}Nothing was destroyed: ${names} ${ids.length === 1 ? "is" : "are"} still being billed.`);
    return { done: false, gone: [], left: ids };
  };
  const { ownership, state } = await parts.lease.renew(loaded);
  if (ownership.kind === "other") return nothing(`${heldByOther(ownership, label)} `);
  if (ownership.kind === "unknown") {
    print(
      `Redis does not answer whether a provisioner holds the label ${label} (${ownership.why}): make sure that none is running.`,
    );
  }
  // An operator must be able to destroy what is being billed although Redis is down.
  const lease = ownership.kind === "unknown" ? noLease : parts.lease;
  try {
    if (otherRuns) {
      print(
        "A provisioner for this pod is running and will create another instance: stop it first, or set VAST_POLICY=observe.",
      );
    }
    if (!(await parts.confirm(`Destroy ${names} with the label ${label}? All data on it will be lost.`)))
      return nothing("");
    const save = async (next: State) => {
      // A running provisioner owns its state file: if two programs wrote it, the intent of a create could be lost.
      if (!otherRuns) await parts.save(next);
      await lease.mirror(next);
    };
    const outcome = await destroyTargets({ ...parts, lease, save }, targets, state);
    if (createOpen) print(mayAppear(label));
    return { ...outcome, done: outcome.done && !createOpen };
  } finally {
    await lease.release();
  }
}

/** Destroys `targets` and waits until a list lacks them. */
async function destroyTargets(parts: DestroyParts, targets: readonly Target[], before: State): Promise<DestroyOutcome> {
  const { client, clock, label, lease, print } = parts;
  const destroyParts = { ...parts, mayMutate: lease.mayMutate, desired: nothingDesired(label) };
  const startedAt = clock.now();
  let state = before;
  let listed: readonly Instance[] = [];
  let destroyAt = startedAt;
  const left = await awaitGone({
    targets,
    clock,
    deadlineMs: VERIFY_MS,
    pollMs: POLL_MS,
    async beforeList(remaining) {
      const renewed = await lease.renew(state); // it may have expired while the operator thought about the answer
      state = renewed.state;
      if (renewed.ownership.kind === "other") {
        print(heldByOther(renewed.ownership, label));
        return false;
      }
      if (clock.now() < destroyAt) return true;
      for (const { action, name } of remaining)
        state = await destroyInstance(destroyParts, action, `destroying ${name} at the operator's request`, state);
      destroyAt = clock.now() + DESTROY_AGAIN_MS;
      return true;
    },
    async list() {
      const rows = await client.listInstances(label).catch(() => null); // unknown proves nothing: list again
      listed = rows ?? listed;
      return rows;
    },
    mayBeHidden: (target) => mayBeHidden(target, state, clock),
  });
  const gone = targets.map(({ id }) => id).filter((id) => !left.some((target) => target.id === id));
  if (gone.length > 0) print(`Destroyed and verified: ${gone.join(", ")}.`);
  if (left.length > 0) {
    const seconds = Math.round((clock.now() - startedAt) / 1000);
    print(
      `Not verified as destroyed after ${seconds} s: ${left.map(({ name }) => name).join(" and ")}. Run this command again, or destroy it in the console of Vast.ai.`,
    );
  } else {
    await parts.save({ ...state, pendingDeletes: state.pendingDeletes.filter(({ id }) => !gone.includes(id)) });
  }
  // The operator was not asked about these: they are new, most likely instances of the running provisioner.
  const others = listed.filter((row) => !targets.some(({ id }) => id === row.id));
  if (others.length > 0)
    print(`New instances appeared in the meantime and were left alone: ${others.map(describe).join(" and ")}.`);
  return { done: left.length === 0, gone, left: left.map(({ id }) => id) };
}

function heldByOther({ owner }: Extract<Ownership, { kind: "other" }>, label: string): string {
  return `The label ${label} is held by the provisioner ${owner}: stop it or set VAST_POLICY=observe; if it was killed, its lease in Redis expires within ${LEASE_MS / 1000} s.`;
}

function listedTarget(row: Instance): Target {
  const { id, hostId, machineId } = row;
  return {
    id,
    action: { kind: "destroy", id, hostId, machineId, reason: "operator" },
    name: describe(row),
    createdAt: null,
  };
}

/** Our contracts that no list shows: that of a recent create, and those of failed creates whose destroy was not confirmed. */
function unlistedTargets({ intent, pendingDeletes }: State, rows: readonly Instance[]): Target[] {
  const target = (id: number, reason: DestroyAction["reason"], createdAt: number): Target => ({
    id,
    action: { kind: "destroy", id, hostId: null, machineId: null, reason },
    name: `instance ${id} (not listed)`,
    createdAt,
  });
  const failed = pendingDeletes.filter(needsConfirmation).map(({ id, since }) => target(id, "still_listed", since));
  const contract = intent?.contract ?? null;
  const recent =
    intent === null || contract === null ? [] : [target(contract, "create_never_appeared", intent.startedAt)];
  return [...recent, ...failed].filter(({ id }) => !rows.some((row) => row.id === id));
}

/** A contract that was never listed is gone once the API has confirmed its destroy and its row had enough time to appear. */
function mayBeHidden({ id, createdAt }: Target, { pendingDeletes }: State, clock: Clock): boolean {
  if (createdAt === null) return false;
  const confirmed = pendingDeletes.find((one) => one.id === id)?.deleteConfirmed === true;
  return !confirmed || clock.now() - createdAt < CREATE_DEADLINE_MS;
}

/** Whether the instance of a create without an answer may still appear. */
function isCreateOpen({ intent }: State, rows: readonly Instance[], now: number): boolean {
  const recent = intent !== null && now - intent.startedAt < CREATE_DEADLINE_MS;
  return recent && intent.contract === null && rows.length === 0;
}

function mayAppear(label: string): string {
  return `The outcome of a create is unknown, and its instance may still appear with the label ${label}: run this command again in two minutes.`;
}

const capitalised = (sentence: string) => sentence.charAt(0).toUpperCase() + sentence.slice(1);

/** A destroy by an operator says nothing about the desired image. */
function nothingDesired(label: string): Desired {
  return { label, image: "", templateName: "", revision: "", upstreamPort: undefined, upstreamScheme: "http" };
}
