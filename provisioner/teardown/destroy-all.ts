// `vast-provisioner destroy`: ends this pod's instances, asks first, and confirms by a read. Touches the API, the lease
// and the state file.
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

export interface DestroyParts {
  client: VastClient;
  clock: Clock;
  log: Logger;
  label: string;
  load(): Promise<State | null>;
  save(state: State): Promise<void>;
  /** Of this command, not of the provisioner whose state file it reads. */
  lease: Lease;
  /** Whether a provisioner for this pod runs beside: it would create another instance at once. */
  provisionerRuns(): Promise<boolean>;
  /** Asks the person; not called when the answer was given beforehand. */
  confirm(question: string): Promise<boolean>;
  say(text: string): void;
}

/** What is to end. `createdAt` (epoch ms) tells of a contract that no list has shown yet, and is null for all others. */
interface Target {
  order: DestroyAction;
  name: string;
  createdAt: number | null;
}

/** What came of it: `gone` were seen to be gone by a complete list, `left` were not. */
export interface DestroyOutcome {
  done: boolean;
  gone: number[];
  left: number[];
}

// Rows were seen to linger for up to two minutes after a destroy; asked again once in between.
const CONFIRM_MS = 180_000;
const ASK_AGAIN_MS = 60_000;
const LOOK_EVERY_MS = 2000;

/** Throws `VastError` when the list is not to be had: then nothing was done. */
export async function destroyAll(parts: DestroyParts): Promise<DestroyOutcome> {
  const { client, label, say } = parts;
  const rows = await client.listInstances(label);
  const beside = await parts.provisionerRuns();
  const remembered = (beside ? null : await parts.load()) ?? emptyState(label);
  const targets = [...rows.map(listed), ...unlisted(remembered, rows)];
  const open = outcomeOpen(remembered, rows, parts.clock.now());
  if (targets.length === 0) {
    say(open ? mayAppear(label) : `No instance has the label ${label}: nothing goes on billing.`);
    return { done: !open, gone: [], left: [] };
  }
  const ids = targets.map(({ order }) => order.id);
  const names = targets.map(({ name }) => name).join(" and ");
  const nothing = (why: string): DestroyOutcome => {
    say(`${why}Nothing was destroyed: ${names} ${ids.length === 1 ? "goes" : "go"} on billing.`);
    return { done: false, gone: [], left: ids };
  };
  const before = await parts.lease.renew(remembered);
  if (before.ownership.kind === "other") return nothing(`${heldBy(before.ownership, label)} `);
  if (before.ownership.kind === "unknown") {
    say(
      `Redis does not tell whether a provisioner has the label ${label} (${before.ownership.why}): make sure that none runs.`,
    );
  }
  // An operator must be able to end what bills although Redis is away.
  const lease = before.ownership.kind === "unknown" ? noLease : parts.lease;
  try {
    if (beside) {
      say(
        "A provisioner for this pod is running and will create another instance: stop it first, or set VAST_POLICY=observe.",
      );
    }
    if (!(await parts.confirm(`Destroy ${names} with the label ${label}? Its disk is lost.`))) return nothing("");
    const save = async (state: State) => {
      // The file of a provisioner that runs is its own: written by two, it could lose the intent of a create.
      if (!beside) await parts.save(state);
      await lease.mirror(state);
    };
    const outcome = await destroyUntilGone({ ...parts, lease, save }, targets, before.state);
    if (open) say(mayAppear(label));
    return { ...outcome, done: outcome.done && !open };
  } finally {
    await lease.release();
  }
}

/** Asks for the end of `targets` until a list lacks them, or the time for it is over. */
async function destroyUntilGone(
  parts: DestroyParts,
  targets: readonly Target[],
  before: State,
): Promise<DestroyOutcome> {
  const { client, clock, label, lease, say } = parts;
  const end = { ...parts, mayMutate: lease.mayMutate, desired: nothingDesired(label) };
  let state = before;
  const isTarget = (row: Instance) => targets.some(({ order }) => order.id === row.id);
  let seen: readonly Instance[] = [];
  let left = targets;
  const deadline = clock.now() + CONFIRM_MS;
  let askAt = 0;
  while (left.length > 0 && clock.now() < deadline) {
    const held = await lease.renew(state); // it may have ended while a person thought about the answer
    state = held.state;
    if (held.ownership.kind === "other") {
      say(heldBy(held.ownership, label));
      break;
    }
    if (clock.now() >= askAt) {
      for (const { order, name } of left)
        state = await destroyInstance(end, order, `${name} is destroyed by command`, state);
      askAt = clock.now() + ASK_AGAIN_MS;
    }
    await clock.sleep(LOOK_EVERY_MS);
    const list = await client.listInstances(label).catch(() => null); // no answer is no proof: look again until the deadline
    if (list === null) continue;
    seen = list;
    left = left.filter((target) => seen.some((row) => row.id === target.order.id) || mayBeHidden(target, state, clock));
  }
  const gone = targets.map(({ order }) => order.id).filter((id) => !left.some(({ order }) => order.id === id));
  if (gone.length > 0) say(`Destroyed, and seen to be gone: ${gone.join(", ")}.`);
  if (left.length > 0) {
    const seconds = Math.round((clock.now() - deadline + CONFIRM_MS) / 1000);
    say(
      `Not seen to be gone after ${seconds} s: ${left.map(({ name }) => name).join(" and ")}. Run this again, or end it in the console of Vast.ai.`,
    );
  } else {
    await parts.save({ ...state, pendingDeletes: state.pendingDeletes.filter((d) => !gone.includes(d.id)) });
  }
  // Nobody was asked about these: they are somebody's new instances, most likely the running provisioner's.
  const others = seen.filter((row) => !isTarget(row));
  if (others.length > 0) say(`Meanwhile appeared, and was left alone: ${others.map(describe).join(" and ")}.`);
  return { done: left.length === 0, gone, left: left.map(({ order }) => order.id) };
}

function heldBy({ owner }: Extract<Ownership, { kind: "other" }>, label: string): string {
  return `The label ${label} belongs to a provisioner, ${owner}: stop it or set VAST_POLICY=observe; if it was killed, its lease in Redis ends within ${LEASE_MS / 1000} s.`;
}

function listed(row: Instance): Target {
  const { id, hostId, machineId } = row;
  return {
    order: { kind: "destroy", id, hostId, machineId, reason: "operator" },
    name: describe(row),
    createdAt: null,
  };
}

/** Contracts of ours that no list shows: that of a create of the last moments, and failed ones whose end was not confirmed. */
function unlisted({ intent, pendingDeletes }: State, rows: readonly Instance[]): Target[] {
  const target = (id: number, reason: DestroyAction["reason"], createdAt: number): Target => ({
    order: { kind: "destroy", id, hostId: null, machineId: null, reason },
    name: `instance ${id} (not listed)`,
    createdAt: createdAt,
  });
  const failed = pendingDeletes.filter(needsConfirmation).map(({ id, since }) => target(id, "still_listed", since));
  const contract = intent?.contract ?? null;
  const late =
    intent === null || contract === null ? [] : [target(contract, "create_never_appeared", intent.startedAt)];
  return [...late, ...failed].filter(({ order }) => !rows.some((row) => row.id === order.id));
}

/** A contract that was never listed is gone when the API has said so and its row had time enough to appear. */
function mayBeHidden({ order, createdAt }: Target, { pendingDeletes }: State, clock: Clock): boolean {
  if (createdAt === null) return false;
  const confirmed = pendingDeletes.find(({ id }) => id === order.id)?.deleteConfirmed === true;
  return !confirmed || clock.now() - createdAt < CREATE_DEADLINE_MS;
}

/** A create without an answer may yet show its instance. */
function outcomeOpen({ intent }: State, rows: readonly Instance[], now: number): boolean {
  const young = intent !== null && now - intent.startedAt < CREATE_DEADLINE_MS;
  return young && intent.contract === null && rows.length === 0;
}

function mayAppear(label: string): string {
  return `The outcome of a create is unknown, and its instance may yet appear with the label ${label}: run this again in two minutes.`;
}

/** An operator's destroy teaches nothing about images. */
function nothingDesired(label: string): Desired {
  return { label, image: "", templateName: "", revision: "", upstreamPort: undefined, upstreamScheme: "http" };
}
