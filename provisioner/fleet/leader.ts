// The leader loop: one pod reads the instance list for all pods of the account and publishes it. Every pod runs it; it does nothing while
// another one leads. Touches Redis and the API, through its parts.
import { type Clock, stopwatch } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { runPasses, type WakeSignal } from "../../common/loop.ts";
import type { Why } from "../model/observation.ts";
import type { VastClient } from "../vast/client.ts";
import { accountTrouble, asVastError, VastError } from "../vast/errors.ts";
import { type ListsByLabel, PAGE_ROWS, READ_FOR_ALL } from "../vast/instance-list.ts";
import type { Instance } from "../vast/rows.ts";
import type { Entry } from "./entry.ts";
import {
  afterAccount,
  afterBrokenPage,
  afterCounts,
  afterLabels,
  afterOne,
  type LeaderMemory,
  type Learned,
  type ListReading,
  NEW_MEMORY,
  nextReading,
} from "./next-reading.ts";
import { LEAD_MS, type Lead, type Snapshot, type Trouble } from "./snapshot.ts";

export interface LeaderParts {
  client: Pick<VastClient, "listInstances" | "listByLabels" | "listAccount" | "countInstances">;
  /** Null as long as the account is not known. */
  snapshot: () => Snapshot | null;
  clock: Clock;
  log: Logger;
  /** Names this process. */
  token: string;
  /** For how many ms this pod need not ask, because it has seen that another one leads. */
  leaderKnownForMs(): number;
  /** Notified when this pod sees that no pod leads. */
  noLeader: WakeSignal;
  /** Epoch ms before which a list would have to wait for its rate limit. */
  listAvailableAt: () => number;
}

// The list's rate limit is one call a second as the API sees it: the way to it takes now longer, now shorter.
const TICK_MS = 1150;
const NOT_LEADING_MS = 1000;
const ACCOUNT_UNKNOWN_MS = 200;
// Its lead may be over by then; a pod that looks at the list sees that sooner.
const OTHER_LEADS_MS = LEAD_MS / 2;
// A pod whose way to the API is broken lets another one try.
const GIVE_UP_AFTER_MS = 6000;
// The API answers within a second or two. A way that was cut swallows calls without an error, and the deadline of a call is 20 s. Counted
// in ticks, because a process that was paused has not waited.
const SILENT_TICKS = 5;
const HOLD_OFF_MS = 30_000;
const SILENCE = { message: "the API does not answer the pod that reads the instance list", account: null } as const;
// A Redis that does not answer must not be asked every second by every pod.
const REDIS_AWAY_MS = 5000;

/** Runs until `stop` is aborted, and then lets another pod lead at once. */
export async function runLeading(parts: LeaderParts, stop: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  const term = createTerm(parts, stop);
  const onError = (error: unknown) =>
    log.error(
      { event: "internal_error", err: error },
      "the leader loop failed with an internal error; retrying in 5 s",
    );
  await runPasses({ pass: term.tick, onError, wake: parts.noLeader, clock }, stop);
  await term.end();
}

interface Term {
  /** Renews the lead or tries to take it, and starts a reading. Answers when the next tick is due, in ms. */
  tick(): Promise<number>;
  end(): Promise<void>;
}

interface Leading {
  snapshot: Snapshot;
  memory: LeaderMemory;
  /** How long all readings have failed. */
  failing: (() => number) | null;
  /** The leader before had trouble as well: it may be the API that is slow, and not the way to it. */
  patient: boolean;
}

function createTerm(parts: LeaderParts, stop: AbortSignal): Term {
  const { clock, log } = parts;
  let leading: Leading | null = null;
  let reading: { done: Promise<void>; askedAt: number } | null = null;
  let silence = { nextAt: 0, ticks: 0 };
  let heldOff: (() => number) | null = null;
  let defect: { error: unknown } | null = null;

  const isHeldOff = () => heldOff !== null && heldOff() < HOLD_OFF_MS;
  const start = (term: Leading, lead: Lead, next: ListReading) => {
    const done = readAndPublish(parts, term, lead, next, stop)
      .catch((error: unknown) => {
        defect = { error };
      })
      .finally(() => {
        reading = null;
      });
    reading = { done, askedAt: lead.now };
  };
  /** Asked once a tick. Each call of a reading sets the time of the next one: a walk of many pages is not silent. */
  const isSilent = () => {
    const nextAt = parts.listAvailableAt();
    const ticks = reading !== null && silence.nextAt === nextAt ? silence.ticks + 1 : 0;
    silence = { nextAt, ticks };
    return ticks >= SILENT_TICKS;
  };
  const cannotRead = ({ failing, patient }: Leading): "silent" | "failing" | null => {
    if (isSilent() && !patient) return "silent";
    return failing !== null && failing() >= GIVE_UP_AFTER_MS ? "failing" : null;
  };
  // Where no pod can read it, as with a revoked key, each one tries in turn: that is said once, and then each pod's state says why.
  const tell = (level: "info" | "warn", patient: boolean, message: string) =>
    log[patient ? "debug" : level]({ event: "fleet" }, message);

  return {
    async tick() {
      if (defect !== null) {
        const { error } = defect;
        defect = null;
        throw error;
      }
      const snapshot = parts.snapshot();
      if (snapshot === null) return ACCOUNT_UNKNOWN_MS;
      if (leading === null && isHeldOff()) return NOT_LEADING_MS;
      const knownMs = leading === null ? parts.leaderKnownForMs() : 0;
      if (knownMs > 0) return Math.max(knownMs, NOT_LEADING_MS);
      const trouble = leading === null ? null : cannotRead(leading);
      if (leading !== null && trouble !== null) {
        const { patient } = leading;
        tell("warn", patient, "this pod cannot read the instance list: another pod reads it for all from now on");
        leading = null;
        heldOff = stopwatch(clock);
        // Readings that failed have published why.
        if (trouble === "silent" && reading !== null)
          await publish(parts, snapshot, new Map(), { at: reading.askedAt, why: SILENCE });
        await resign(parts, snapshot);
        return NOT_LEADING_MS;
      }
      const lead = await ask(parts, snapshot);
      if (lead === "away") return REDIS_AWAY_MS;
      if (lead === null) {
        if (leading !== null) log.info({ event: "fleet" }, "another pod reads the instance list for all pods now");
        leading = null;
        return OTHER_LEADS_MS;
      }
      if (leading === null) {
        tell("info", lead.hasTrouble, "this pod reads the instance list for all pods of the account");
        leading = { snapshot, memory: NEW_MEMORY, failing: null, patient: lead.hasTrouble };
      }
      if (reading !== null || parts.listAvailableAt() > clock.now()) return TICK_MS;
      const next = nextReading(leading.memory, lead, clock.monotonic());
      if (next !== null) start(leading, lead, next);
      return TICK_MS;
    },
    async end() {
      await reading?.done;
      if (leading !== null) await resign(parts, leading.snapshot);
    },
  };
}

/** Null: another pod leads. */
async function ask({ token, log }: LeaderParts, snapshot: Snapshot, withAll = false): Promise<Lead | null | "away"> {
  try {
    return await snapshot.lead(token, PAGE_ROWS, withAll);
  } catch (error) {
    log.debug({ event: "fleet", err: error }, "Redis does not say whether another pod leads");
    return "away";
  }
}

async function resign({ token, log }: LeaderParts, snapshot: Snapshot): Promise<void> {
  try {
    await snapshot.resign(token);
  } catch (error) {
    log.debug({ event: "fleet", err: error }, "the lead could not be given up: it ends by itself");
  }
}

/** One reading. A failure is published too, so that the pods know why their list gets old. */
async function readAndPublish(
  parts: LeaderParts,
  term: Leading,
  { now: askedAt }: Lead,
  next: ListReading,
  stop: AbortSignal,
): Promise<void> {
  const { clock, log } = parts;
  let lists: ListsByLabel = new Map();
  let trouble: Trouble | null = null;
  try {
    lists = (await read(parts, term, next, stop)) ?? lists;
    term.failing = null;
  } catch (error) {
    if (stop.aborted) return;
    const failure = asVastError(error);
    if (failure.kind === "rate_limited") return;
    term.memory = afterFailure(term.memory, next, failure, clock.monotonic());
    log.debug({ event: "fleet", err: failure }, "the instance list could not be read");
    term.failing ??= stopwatch(clock);
    trouble = troubleOf(failure, askedAt);
  }
  if (lists.size === 0 && trouble === null) return;
  const entries = new Map([...lists].map(([label, list]) => [label, entryOf(askedAt, list)]));
  await publish(parts, term.snapshot, entries, trouble);
}

async function publish(
  { token, log }: LeaderParts,
  snapshot: Snapshot,
  entries: ReadonlyMap<string, Entry>,
  trouble: Trouble | null,
): Promise<void> {
  try {
    await snapshot.publish(token, entries, trouble);
  } catch (error) {
    log.debug({ event: "fleet", err: error }, "the instance list could not be published");
  }
}

/** What is known now of each label, or null when the answer proves nothing about a label. */
async function read(
  parts: LeaderParts,
  term: Leading,
  next: ListReading,
  stop: AbortSignal,
): Promise<ListsByLabel | null> {
  const { client, clock } = parts;
  switch (next.kind) {
    case "labels": {
      const lists = await client.listByLabels(next.labels, stop);
      return learn(term, afterLabels(term.memory, next, lists, clock.monotonic()));
    }
    case "one": {
      const list = await listOne(client, next.label, stop);
      return learn(term, afterOne(term.memory, next.label, list, clock.monotonic()));
    }
    case "account": {
      const found = await client.listAccount(stop, READ_FOR_ALL);
      const lead = await ask(parts, term.snapshot, true);
      if (lead === null || lead === "away") return null;
      return learn(term, afterAccount(term.memory, found, lead.all, clock.monotonic()));
    }
    case "counts": {
      const counts = await client.countInstances(next.which, stop);
      const lead = await ask(parts, term.snapshot, next.which === "all");
      if (lead === null || lead === "away") return null;
      return learn(term, afterCounts(term.memory, next.which, counts, lead.all, clock.monotonic()));
    }
  }
}

function learn(term: Leading, { memory, publish }: Learned): ListsByLabel | null {
  term.memory = memory;
  return publish;
}

/** A damaged answer concerns this label only. */
async function listOne(
  client: LeaderParts["client"],
  label: string,
  stop: AbortSignal,
): Promise<readonly Instance[] | VastError> {
  try {
    return await client.listInstances(label, stop, READ_FOR_ALL);
  } catch (error) {
    if (error instanceof VastError && error.kind === "malformed") return error;
    throw error;
  }
}

function afterFailure(memory: LeaderMemory, failed: ListReading, { kind }: VastError, now: number): LeaderMemory {
  // They are only hints: the lists are read without them.
  if (failed.kind === "counts") return afterCounts(memory, failed.which, null, [], now).memory;
  if (failed.kind === "account" && kind === "malformed") return { ...memory, account: null };
  if (failed.kind !== "labels") return memory;
  if (kind === "invalid") return afterLabels(memory, failed, null, now).memory;
  return kind === "malformed" ? afterBrokenPage(memory, failed.labels, now) : memory;
}

function entryOf(askedAt: number, list: readonly Instance[] | VastError): Entry {
  return list instanceof VastError ? { askedAt, why: whyOf(list) } : { askedAt, rows: list };
}

const troubleOf = (failure: VastError, at: number): Trouble => ({ at, why: whyOf(failure) });

function whyOf(failure: VastError): Why {
  return { message: failure.message, account: accountTrouble(failure) };
}
