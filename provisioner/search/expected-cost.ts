// What an hour of service from an offer is expected to cost: all that is billed from one start to the next, divided by the hours served,
// from the records of its machine and host. All of it is an estimate. Pure.
import { ALL, EMPTY_RECORD, hostKey, type MachineRecord, machineKey, type Records } from "../state/records.ts";
import type { Offer } from "../vast/rows.ts";
import { columnOf, numberOf } from "./columns.ts";
import type { Ranking } from "./ends.ts";

const HOUR_MS = 3_600_000;
// Before there are records: one of twenty starts fails, an instance serves for two days, and is ready after five minutes.
const USUAL_FAILURE = 0.05;
const USUAL_LIFE_HOURS = 48;
const USUAL_READY_HOURS = 5 / 60;
// What is usual is learned from all machines; this weighs as much as so many starts, and as one end.
const USUAL_STARTS = 20;
// What is expected before weighs as little as this against a record, because machines differ widely: some end every instance within the
// hour, others serve for months.
const PRIOR_STARTS = 2;
const PRIOR_ENDS = 0.25;
// The API's reliability of an average machine. One that misses twice as much fails and ends twice as often, within these limits:
// operators report that it says little.
const USUAL_UNRELIABILITY = 0.02;
const [LEAST_FACTOR, MOST_FACTOR] = [0.5, 2];
// While the image loads only the disk is billed. Most starts that fail hang there until the start timeout, BLACKLIST_BAN_AFTER_SECONDS:
// 20 minutes by default.
const FAILED_START_HOURS = 1 / 3;
// The GPU is billed while the app starts, and from an exit until the destroy; not while the machine is away. Where no start has been seen
// the first is assumed to take 90 seconds; the second, which no record tells, 30 on average.
const USUAL_APP_MS = 90_000;
const END_HOURS = 30 / 3600;
const MOST_FAILURE = 0.9;
// The API does not tell how large an image is: images that serve models have 2 to 12 GB.
const IMAGE_GB = 8;

interface Estimate {
  /** That a start fails. */
  failure: number;
  endsPerHour: number;
  readyHours: number;
}

/** The keys of the records that an offer is judged by. */
export function recordKeys(offers: readonly Offer[]): string[] {
  const keys = offers.flatMap(({ hostId, machineId }) => [
    ...(hostId === null ? [] : [hostKey(hostId)]),
    ...(machineId === null ? [] : [machineKey(machineId)]),
  ]);
  return [ALL, ...new Set(keys)];
}

/** Only what is billed counts: an hour in which the pod waits costs nothing. `appMs`: how long the app starts (usualAppStart). */
export function expectedCost(offer: Offer, records: Records, appMs: number | null = null): Ranking {
  const { dollarsPerHour: price, hostId, machineId, fields } = offer;
  const number = (field: string) => numberOf(columnOf(fields, field));
  const machine = (machineId === null ? undefined : records[machineKey(machineId)]) ?? EMPTY_RECORD;
  const host = (hostId === null ? undefined : records[hostKey(hostId)]) ?? EMPTY_RECORD;
  const usual = usualOf(records[ALL] ?? EMPTY_RECORD, number("reliability"));
  const { failure, endsPerHour, readyHours } = learn(learn(usual, without(host, machine)), machine);
  const duration = number("duration");
  const contractHours = duration === null ? Number.POSITIVE_INFINITY : Math.max(duration, 0) / 3600;
  const lifeHours = (1 - Math.exp(-endsPerHour * contractHours)) / endsPerHour;
  const known = recordText(machine, "here") ?? recordText(host, "on other machines of the host") ?? "no record";
  const about = `serves ${hoursText(lifeHours)} on average, ${Math.round(100 * failure)} % of starts fail; ${known}`;
  if (price === null || lifeHours <= 0) return { dollarsPerHour: null, why: `estimate without a price: ${about}` };
  const failedStarts = failure / (1 - failure); // for each that comes up
  const diskPrice = number("storage_total_cost") ?? price - (number("dph_base") ?? price); // a part of the price
  const appHours = Math.min((appMs ?? USUAL_APP_MS) / HOUR_MS, readyHours);
  const boot = (price * (appHours + END_HOURS) + diskPrice * (readyHours - appHours)) / lifeHours;
  const failed = (failedStarts * diskPrice * FAILED_START_HOURS) / lifeHours;
  const download = ((number("inet_down_cost") ?? 0) * IMAGE_GB * (1 + failedStarts)) / lifeHours;
  const parts = [
    `${price.toFixed(4)} price`,
    `${boot.toFixed(4)} boot and end`,
    `${failed.toFixed(4)} failed starts`,
    `${download.toFixed(4)} download of the image`,
  ];
  return { dollarsPerHour: price + boot + failed + download, why: `estimate: ${parts.join(" + ")}; ${about}` };
}

/** The cheapest by expected cost first; those without a price come last, and equal ones keep their order. */
export function byExpectedCost(offers: readonly Offer[], records: Records, appMs: number | null = null): Offer[] {
  const costs = new Map(offers.map((offer) => [offer, expectedCost(offer, records, appMs).dollarsPerHour]));
  const cost = (offer: Offer) => costs.get(offer) ?? Number.MAX_VALUE;
  return [...offers].sort((a, b) => cost(a) - cost(b));
}

function usualOf(all: MachineRecord, reliability: number | null): Estimate {
  const starts = all.boots + all.failures;
  const factor =
    reliability === null ? 1 : Math.min(Math.max((1 - reliability) / USUAL_UNRELIABILITY, LEAST_FACTOR), MOST_FACTOR);
  return {
    failure: Math.min((factor * (USUAL_STARTS * USUAL_FAILURE + all.failures)) / (USUAL_STARTS + starts), MOST_FAILURE),
    endsPerHour: (factor * (1 + all.ends)) / (USUAL_LIFE_HOURS + all.servedMs / HOUR_MS),
    readyHours: (USUAL_STARTS * USUAL_READY_HOURS + all.readyMs / HOUR_MS) / (USUAL_STARTS + all.boots),
  };
}

/** What is expected before, corrected by a record: the longer the record, the more it counts. */
function learn(before: Estimate, { boots, failures, readyMs, ends, servedMs }: MachineRecord): Estimate {
  return {
    failure: Math.min((PRIOR_STARTS * before.failure + failures) / (PRIOR_STARTS + boots + failures), MOST_FAILURE),
    endsPerHour: (PRIOR_ENDS + ends) / (PRIOR_ENDS / before.endsPerHour + servedMs / HOUR_MS),
    readyHours: (PRIOR_STARTS * before.readyHours + readyMs / HOUR_MS) / (PRIOR_STARTS + boots),
  };
}

/** What the host's other machines have done. A machine may have changed its host: then nothing is known of them. */
function without(host: MachineRecord, machine: MachineRecord): MachineRecord {
  const left = (name: keyof MachineRecord) => Math.max(0, host[name] - machine[name]);
  return {
    boots: left("boots"),
    readyMs: left("readyMs"),
    failures: left("failures"),
    ends: left("ends"),
    servedMs: left("servedMs"),
  };
}

function recordText({ boots, failures, ends, servedMs }: MachineRecord, where: string): string | null {
  if (boots + failures + ends + servedMs === 0) return null;
  return `${where}: ${boots} of ${boots + failures} starts came up, ${ends} ended early, ${hoursText(servedMs / HOUR_MS)} served`;
}

function hoursText(hours: number): string {
  return hours < 48 ? `${hours.toFixed(1)} h` : `${Math.round(hours / 24)} d`;
}
