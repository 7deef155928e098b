// `vast-provisioner destroy`: ends this pod's instances, asks first, and confirms by a read. Touches the API, the lease
// and the state file.
import type { Clock } from "../common/clock.ts";
import type { Logger } from "../common/logging.ts";
import { endInstance } from "./end-instance.ts";
import { type Lease, noLease } from "./lease/lease.ts";
import { LEASE_MS, type Ownership } from "./lease/ownership.ts";
import { emptyMemory, type Memory } from "./memory.ts";
import type { Destroy } from "./outcomes.ts";
import type { Desired } from "./plan/facts.ts";
import { describe } from "./plan/replacement.ts";
import type { VastClient } from "./vast/client.ts";
import type { Instance } from "./vast/rows.ts";

export interface DestroyParts {
  client: VastClient;
  clock: Clock;
  log: Logger;
  label: string;
  load(): Promise<Memory | null>;
  save(memory: Memory): Promise<void>;
  /** Of this command, not of the provisioner whose state file it reads. */
  lease: Lease;
  /** Whether a provisioner for this pod runs beside: it would create another instance at once. */
  provisionerRuns(): Promise<boolean>;
  /** Asks the person; not called when the answer was given beforehand. */
  confirm(question: string): Promise<boolean>;
  say(text: string): void;
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
  if (rows.length === 0) {
    say(`No instance has the label ${label}: nothing goes on billing.`);
    return { done: true, gone: [], left: [] };
  }
  const names = rows.map(describe).join(" and ");
  const nothing = (why: string): DestroyOutcome => {
    say(`${why}Nothing was destroyed: ${names} ${rows.length === 1 ? "goes" : "go"} on billing.`);
    return { done: false, gone: [], left: rows.map((row) => row.id) };
  };
  const beside = await parts.provisionerRuns();
  const remembered = (beside ? null : await parts.load()) ?? emptyMemory(label);
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
    const save = async (memory: Memory) => {
      // The file of a provisioner that runs is its own: written by two, it could lose the intent of a create.
      if (!beside) await parts.save(memory);
      await lease.mirror(memory);
    };
    return await endAll({ ...parts, lease, save }, rows, before.memory);
  } finally {
    await lease.release();
  }
}

/** Asks for the end of `rows` until a list lacks them, or the time for it is over. */
async function endAll(parts: DestroyParts, rows: readonly Instance[], before: Memory): Promise<DestroyOutcome> {
  const { client, clock, label, lease, say } = parts;
  const end = { ...parts, mayMutate: lease.mayMutate, desired: nothingWanted(label) };
  let memory = before;
  let seen: readonly Instance[] = rows;
  let left: readonly Instance[] = rows;
  const deadline = clock.now() + CONFIRM_MS;
  let askAt = 0;
  while (left.length > 0 && clock.now() < deadline) {
    const held = await lease.renew(memory); // it may have ended while a person thought about the answer
    memory = held.memory;
    if (held.ownership.kind === "other") {
      say(heldBy(held.ownership, label));
      break;
    }
    if (clock.now() >= askAt) {
      for (const row of left)
        memory = await endInstance(end, order(row), `${describe(row)} is destroyed by command`, memory);
      askAt = clock.now() + ASK_AGAIN_MS;
    }
    await clock.sleep(LOOK_EVERY_MS);
    seen = await client.listInstances(label).catch(() => seen); // no answer is no proof: look again until the deadline
    left = seen.filter((row) => rows.some((asked) => asked.id === row.id));
  }
  const gone = rows.map((row) => row.id).filter((id) => !left.some((row) => row.id === id));
  if (gone.length > 0) say(`Destroyed, and seen to be gone: ${gone.join(", ")}.`);
  if (left.length > 0) {
    const seconds = Math.round((clock.now() - deadline + CONFIRM_MS) / 1000);
    say(
      `Still listed after ${seconds} s: ${left.map(describe).join(" and ")}. Run this again, or end it in the console of Vast.ai.`,
    );
  } else {
    await parts.save({ ...memory, doomed: memory.doomed.filter((d) => !gone.includes(d.id)) });
  }
  // Nobody was asked about these: they are somebody's new instances, most likely the running provisioner's.
  const others = seen.filter((row) => !rows.some((asked) => asked.id === row.id));
  if (others.length > 0) say(`Meanwhile appeared, and was left alone: ${others.map(describe).join(" and ")}.`);
  return { done: left.length === 0, gone, left: left.map((row) => row.id) };
}

function heldBy({ owner }: Extract<Ownership, { kind: "other" }>, label: string): string {
  return `The label ${label} belongs to a provisioner, ${owner}: stop it or set VAST_POLICY=observe; if it was killed, its lease in Redis ends within ${LEASE_MS / 1000} s.`;
}

function order(row: Instance): Destroy {
  return { kind: "destroy", id: row.id, hostId: row.hostId, machineId: row.machineId, reason: "operator" };
}

/** An operator's destroy teaches nothing about images. */
function nothingWanted(label: string): Desired {
  return { label, image: "", templateName: "", upstreamPort: undefined, upstreamScheme: "http" };
}
