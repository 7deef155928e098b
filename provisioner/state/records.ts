// What machines and hosts have done with instances: how many came up, how fast, how long they served and how they ended. Counted for this
// pod from what it observes; `unsent` goes to the fleet's Redis. Pure.
import * as z from "zod";
import type { Observation } from "../model/observation.ts";
import { AVOIDING_REASONS } from "../model/reasons.ts";

const countSchema = z.object({
  /** Instances that came up, and ms until they served, added up. */
  boots: z.number(),
  readyMs: z.number(),
  /** Instances that never came up. */
  failures: z.number(),
  /** Instances that came up and ended for a reason that may be the machine's; time that instances served. */
  ends: z.number(),
  servedMs: z.number(),
});
export type MachineRecord = z.infer<typeof countSchema>;

const manySchema = z.record(z.string(), countSchema);
/** By `machineKey`, `hostKey` and `ALL`. */
export type Records = Readonly<Record<string, MachineRecord>>;

export const recordsSchema = z.object({
  /** What this pod has seen; the records that changed last come last. */
  own: manySchema,
  unsent: manySchema,
  /** The instances that are being counted, by id. */
  instances: z.record(
    z.string(),
    z.object({
      hostId: z.number().nullable(),
      machineId: z.number().nullable(),
      /** Its boot is counted, or cannot be because its start was not seen. */
      ready: z.boolean(),
      servedMs: z.number(),
      countedAt: z.number(),
    }),
  ),
});
export type RecordState = z.infer<typeof recordsSchema>;
type Counted = RecordState["instances"][string];

export const NO_RECORDS: RecordState = { own: {}, unsent: {}, instances: {} };
export const EMPTY_RECORD: MachineRecord = { boots: 0, readyMs: 0, failures: 0, ends: 0, servedMs: 0 };

export const ALL = "all";
export const machineKey = (id: number) => `m${id}`;
export const hostKey = (id: number) => `h${id}`;

// The state file is written in every pass: 100 records take some 8 KB.
const MOST_RECORDS = 100;
// A later instance was not made just before: how long it took to come up is not known.
const SEEN_FROM_START_MS = 5 * 60_000;
// Between two passes; after a longer time nobody knows whether it served meanwhile.
const LONGEST_STEP_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface RecordInput {
  seen: Observation;
  tracks: Readonly<Record<string, { firstSeenAt: number; wasReady: boolean; serving: boolean }>>;
  /** Before the observation was applied: a destroyed instance may be gone from it afterwards. */
  pendingDeletes: readonly { id: number; reason: string }[];
  now: number;
  /** There is a fleet that wants to know. */
  shared: boolean;
}

/** The records after an observation. */
export function countRecords(
  before: RecordState,
  { seen, tracks, pendingDeletes, now, shared }: RecordInput,
): RecordState {
  if (!seen.list.known) return before;
  const instances: Record<string, Counted> = {};
  const changes: { one: Counted; change: Partial<MachineRecord> }[] = [];
  const pending = new Map(pendingDeletes.map(({ id, reason }) => [String(id), reason]));
  for (const { row } of seen.instances) {
    const [id, track] = [String(row.id), tracks[row.id]];
    if (pending.has(id) || track === undefined) continue;
    const known = before.instances[id];
    const { hostId, machineId } = row;
    const seenFromStart = track.firstSeenAt - (row.createdAt ?? track.firstSeenAt) <= SEEN_FROM_START_MS;
    let one = known ?? { hostId, machineId, ready: !seenFromStart, servedMs: 0, countedAt: now };
    if (track.wasReady && !one.ready) {
      changes.push({ one, change: { boots: 1, readyMs: now - track.firstSeenAt } });
      one = { ...one, ready: true };
    }
    const stepMs = Math.max(0, Math.min(now - one.countedAt, LONGEST_STEP_MS));
    one = { ...one, countedAt: now, servedMs: one.servedMs + (track.serving ? stepMs : 0) };
    if (one.servedMs >= HOUR_MS) {
      changes.push({ one, change: { servedMs: one.servedMs } });
      one = { ...one, servedMs: 0 };
    }
    instances[id] = one;
  }
  for (const [id, one] of Object.entries(before.instances)) {
    if (instances[id] !== undefined) continue;
    if (seen.partial !== undefined && !pending.has(id)) {
      instances[id] = one; // it may still be there
      continue;
    }
    changes.push({ one, change: { servedMs: one.servedMs, ...endOf(one, pending.get(id)) } });
  }
  if (changes.length === 0) return { own: before.own, unsent: shared ? before.unsent : {}, instances };
  const own = { ...before.own };
  const unsent = { ...before.unsent };
  for (const { one, change } of changes) {
    for (const key of keysOf(one)) {
      own[key] = moved(own, key, change);
      if (shared) unsent[key] = moved(unsent, key, change);
    }
  }
  return { own: newest(own), unsent: shared ? newest(unsent) : {}, instances };
}

/** A broken image ends the same way everywhere, and what people order speaks against no machine. */
function endOf({ ready }: Counted, reason: string | undefined): Partial<MachineRecord> {
  if (reason === undefined || reason === "app_not_listening" || !isAvoiding(reason)) return {};
  return ready ? { ends: 1 } : { failures: 1 };
}

function isAvoiding(reason: string): boolean {
  return [...AVOIDING_REASONS].some((one) => one === reason);
}

function keysOf({ hostId, machineId }: Pick<Counted, "hostId" | "machineId">): string[] {
  return [ALL, ...(hostId === null ? [] : [hostKey(hostId)]), ...(machineId === null ? [] : [machineKey(machineId)])];
}

/** The record with the change, taken out of its place: put in again it is the newest. */
function moved(records: Record<string, MachineRecord>, key: string, change: Partial<MachineRecord>): MachineRecord {
  const record = sum(records[key] ?? EMPTY_RECORD, { ...EMPTY_RECORD, ...change });
  delete records[key];
  return record;
}

function newest(records: Records): Record<string, MachineRecord> {
  const { [ALL]: all, ...others } = records;
  const kept = Object.entries(others).slice(-MOST_RECORDS);
  return { ...(all === undefined ? {} : { [ALL]: all }), ...Object.fromEntries(kept) };
}

export function addRecords(a: Records, b: Records): Records {
  const sums = { ...a };
  for (const [key, record] of Object.entries(b)) sums[key] = sum(sums[key] ?? EMPTY_RECORD, record);
  return sums;
}

function sum(a: MachineRecord, b: MachineRecord): MachineRecord {
  return {
    boots: a.boots + b.boots,
    readyMs: a.readyMs + b.readyMs,
    failures: a.failures + b.failures,
    ends: a.ends + b.ends,
    servedMs: a.servedMs + b.servedMs,
  };
}
