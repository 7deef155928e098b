// `vast-provisioner destroy`: ends this pod's instances, asks first, and confirms by a read. Touches the API and the state file.
import type { Clock } from "../common/clock.ts";
import type { Logger } from "../common/logging.ts";
import { endInstance } from "./end-instance.ts";
import { emptyMemory, type Memory } from "./memory.ts";
import type { Destroy } from "./outcomes.ts";
import type { Desired } from "./plan/facts.ts";
import { describe } from "./plan/one.ts";
import type { VastClient } from "./vast/client.ts";
import type { Instance } from "./vast/rows.ts";

export interface DestroyParts {
  client: VastClient;
  clock: Clock;
  log: Logger;
  label: string;
  load(): Promise<Memory | null>;
  save(memory: Memory): Promise<void>;
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
  const { client, clock, label, say } = parts;
  const rows = await client.listInstances(label);
  if (rows.length === 0) {
    say(`No instance has the label ${label}: nothing goes on billing.`);
    return { done: true, gone: [], left: [] };
  }
  if (await parts.provisionerRuns()) {
    say(
      "A provisioner for this pod is running and will create another instance: stop it first, or set VAST_POLICY=observe.",
    );
  }
  const names = rows.map(describe).join(" and ");
  if (!(await parts.confirm(`Destroy ${names} with the label ${label}? Its disk is lost.`))) {
    say(`Nothing was destroyed: ${names} ${rows.length === 1 ? "goes" : "go"} on billing.`);
    return { done: false, gone: [], left: rows.map((row) => row.id) };
  }
  let memory = (await parts.load()) ?? emptyMemory(label);
  let seen: readonly Instance[] = rows;
  let left: readonly Instance[] = rows;
  const deadline = clock.now() + CONFIRM_MS;
  let askAt = 0;
  while (left.length > 0 && clock.now() < deadline) {
    if (clock.now() >= askAt) {
      for (const row of left)
        memory = await endInstance(
          { ...parts, desired: nothingWanted(label) },
          order(row),
          `${describe(row)} is destroyed by command`,
          memory,
        );
      askAt = clock.now() + ASK_AGAIN_MS;
    }
    await clock.sleep(LOOK_EVERY_MS);
    seen = await client.listInstances(label).catch(() => seen); // no answer is no proof: look again until the deadline
    left = seen.filter((row) => rows.some((asked) => asked.id === row.id));
  }
  const gone = rows.map((row) => row.id).filter((id) => !left.some((row) => row.id === id));
  if (gone.length > 0) say(`Destroyed, and seen to be gone: ${gone.join(", ")}.`);
  if (left.length > 0) {
    say(
      `Still listed after ${CONFIRM_MS / 1000} s: ${left.map(describe).join(" and ")}. Run this again, or end it in the console of Vast.ai.`,
    );
  } else {
    await parts.save({ ...memory, doomed: memory.doomed.filter((d) => !gone.includes(d.id)) });
  }
  // Nobody was asked about these: they are somebody's new instances, most likely the running provisioner's.
  const others = seen.filter((row) => !rows.some((asked) => asked.id === row.id));
  if (others.length > 0) say(`Meanwhile appeared, and was left alone: ${others.map(describe).join(" and ")}.`);
  return { done: left.length === 0, gone, left: left.map((row) => row.id) };
}

function order(row: Instance): Destroy {
  return { kind: "destroy", id: row.id, hostId: row.hostId, machineId: row.machineId, reason: "operator" };
}

/** An operator's destroy teaches nothing about images. */
function nothingWanted(label: string): Desired {
  return { label, image: "", templateName: "", upstreamPort: undefined, upstreamScheme: "http" };
}
