// Connects the records of machines with the fleet's Redis: what this pod has counted is added there, and a choice among offers reads what
// all pods know. Touches Redis, through the store.
import { createMachineRecordStore, type RecordNumbers } from "../fleet/machine-records.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import type { LoopState } from "../loop-state.ts";
import { recordKeys } from "../search/expected-cost.ts";
import { addRecords, type MachineRecord, type Records } from "../state/records.ts";
import type { State } from "../state/schema.ts";
import type { Offer } from "../vast/rows.ts";

export interface FleetRecords {
  /** What is known of the machines and hosts of these offers; this pod's own records where Redis does not answer. */
  of(offers: readonly Offer[], state: State): Promise<Records>;
  /** Called after each pass: adds what was counted since. Redis is asked only where there is something; without a fleet it is dropped. */
  send(loop: LoopState): Promise<void>;
}

export function connectRecords(fleet: Fleet | null): FleetRecords {
  const store = createMachineRecordStore(fleet);
  return {
    async of(offers, { records: { own, unsent } }) {
      const held = await store.read(recordKeys(offers));
      if (held === null) return own;
      return addRecords(Object.fromEntries([...held].map(([key, numbers]) => [key, recordOf(numbers)])), unsent);
    },
    async send(loop) {
      const sent = Object.entries(loop.state.records.unsent);
      if (sent.length === 0) return;
      if (fleet !== null && !(await store.add(sent.map(([key, record]) => [key, numbersOf(record)] as const)))) return;
      // No pass runs meanwhile, and the serving loop counts nothing.
      loop.state = { ...loop.state, records: { ...loop.state.records, unsent: {} } };
    },
  };
}

function recordOf([boots, readyMs, failures, ends, servedMs]: RecordNumbers): MachineRecord {
  return { boots, readyMs, failures, ends, servedMs };
}

function numbersOf({ boots, readyMs, failures, ends, servedMs }: MachineRecord): RecordNumbers {
  return [boots, readyMs, failures, ends, servedMs];
}
