// Lists by own calls of the API, in the pod's time slots. Touches the API.
import type { Clock } from "../../common/clock.ts";
import { type OwnSlot, slotAmongMany } from "../fleet/own-slot.ts";
import type { Desired } from "../model/desired.ts";
import { known } from "../model/observation.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Listed, ListReader } from "./list-reader.ts";
import {
  afterListRequest,
  type ListOutcome,
  listDueAt,
  startListSchedule,
  templateIsNeeded,
  type Urgency,
  wakesForList,
} from "./list-schedule.ts";
import { firstObservation, type PollSlot } from "./poll-schedule.ts";
import { unknownBecause } from "./unknown.ts";

// A rate-limited list is no news: the last answered list still counts for this long. After that the list is unknown.
const LIST_VALID_MS = 120_000;

export interface OwnListParts {
  client: Pick<VastClient, "listInstances">;
  clock: Clock;
  random: () => number;
  desired: Pick<Desired, "label">;
  slot: PollSlot;
  /** The pod's place in its fleet, which it lists without while Redis is away. */
  own: OwnSlot | null;
  /** The pod has never run here: it keeps to its time slots, since neighbours may be starting as well. */
  fresh: boolean;
  firstCreateWaitMs: number;
  /** Epoch ms before which a list would have to wait for its rate limit. */
  listAvailableAt: () => number;
  /** Prevents creates from starting before `until` (epoch ms). */
  blockCreateUntil: (until: number) => void;
}

export function createOwnLists(parts: OwnListParts): ListReader {
  const { client, clock, random, desired, slot, listAvailableAt } = parts;
  let schedule = startListSchedule(slot, parts.fresh, parts.firstCreateWaitMs);

  const amongMany = () => slotAmongMany(parts.own);
  const dueAt = ({ list }: Listed, urgency: Urgency) =>
    listDueAt(schedule, urgency, list.known, listAvailableAt, clock.now(), amongMany());

  /** All pods of a fleet come here with a list of its leader at the same time, when Redis is lost: each waits for its slot. */
  function waitForSlot(last: Listed | null): void {
    const isOfLeader = last !== null && last.listedAt > schedule.requestedAt;
    if (isOfLeader && amongMany() !== null) schedule = { ...schedule, requestedAt: clock.now() };
  }

  async function request(last: Listed | null, retryRateLimited: boolean, signal?: AbortSignal): Promise<Listed> {
    schedule = { ...schedule, requestedAt: clock.now() };
    const { listed, outcome } = await read(last, retryRateLimited, signal);
    const after = afterListRequest(schedule, outcome, random);
    schedule = after.schedule;
    if (after.blockCreateUntil !== null) parts.blockCreateUntil(after.blockCreateUntil);
    return listed;
  }

  async function read(last: Listed | null, retryRateLimited: boolean, signal?: AbortSignal): Promise<ListResult> {
    const listedAt = schedule.requestedAt;
    try {
      const rows = await client.listInstances(desired.label, signal, { retryRateLimited });
      return { listed: { listedAt, list: known(rows) }, outcome: { kind: "answered", rows: rows.length } };
    } catch (error) {
      const failure = asVastError(error);
      const listed = { listedAt, list: unknownBecause(failure) };
      if (failure.kind !== "rate_limited")
        return { listed: { ...listed, apiFailed: true }, outcome: { kind: "failed" } };
      const valid = last?.list.known && !isInFuture(last, clock) && listedAt - last.listedAt < LIST_VALID_MS;
      return { listed: valid && last ? last : listed, outcome: { kind: "rate_limited", keepsLast: valid === true } };
    }
  }

  return {
    async begin(signal) {
      if (!schedule.awaitsFirstList) return;
      await clock.sleep(firstObservation(slot, clock.now()) - clock.now(), signal);
    },
    async next(last, urgency, signal) {
      waitForSlot(last);
      if (last !== null && !isInFuture(last, clock) && clock.now() < dueAt(last, urgency)) return null;
      return request(last, urgency === "now" || schedule.createSlotAt !== null, signal);
    },
    again: (last, urgency, signal) => request(last, urgency === "now" || schedule.createSlotAt !== null, signal),
    wakeAt(last, urgency, wantedAt) {
      if (schedule.createSlotAt !== null) return Math.min(wantedAt, schedule.createSlotAt);
      const wakes = amongMany() !== null || wakesForList(schedule, urgency, wantedAt, clock.now());
      if (!wakes) return wantedAt;
      return Math.min(wantedAt, last === null ? 0 : dueAt(last, urgency));
    },
    templateIsNeeded: () => templateIsNeeded(schedule),
  };
}

type ListResult = { listed: Listed; outcome: ListOutcome };

/** After the clock was set back, a list from the future would count as fresh, and no other would be due until then. */
function isInFuture({ listedAt }: Listed, clock: Pick<Clock, "now">): boolean {
  return clock.now() < listedAt;
}
