// What the leader reads next, and what it learns from an answer. One call a second has to do for all pods. Pure.
import { VastError } from "../vast/errors.ts";
import { type ListsByLabel, PAGE_ROWS } from "../vast/instance-list.ts";
import type { Instance } from "../vast/rows.ts";
import type { Lead } from "./snapshot.ts";

export type ListReading =
  /** A page of labels. `witness` is one of them of which rows are expected. */
  | { kind: "labels"; labels: readonly string[]; witness: string | null }
  | { kind: "one"; label: string }
  /** All pages of the account, which shows every label. */
  | { kind: "account" }
  /** Only counts: which labels have changed. */
  | { kind: "counts"; which: "all" | "not_running" };

/** Times in ms of the leader's monotonic clock. */
export interface LeaderMemory {
  /** Whether the API honours a filter by several labels. An API that ignored it silently would make instances look gone. */
  filter: { kind: "honoured" | "ignored"; until: number } | null;
  /** By label: how many instances the last reading has shown, and how many of them do not run. */
  known: ReadonlyMap<string, { rows: number; notRunning: number }>;
  /** How many instances the whole account had. */
  account: { rows: number; at: number } | null;
  /** The last answer was empty although it should not have been: only the whole account shows what there is. */
  readAccountNext: boolean;
  /** Pages in a row with a row that cannot be read, nor its label. */
  brokenPages: number;
  /** Labels that are read alone, because such a row may be theirs, by the time until which that counts. */
  alone: ReadonlyMap<string, number>;
  /** Labels of which the counts have changed. */
  changed: readonly string[];
  counts: { which: "all" | "not_running"; at: number };
}

export function newMemory(now: number): LeaderMemory {
  return {
    filter: null,
    known: new Map(),
    account: null,
    readAccountNext: false,
    brokenPages: 0,
    alone: new Map(),
    changed: [],
    counts: { which: "all", at: now },
  };
}

// What is known of the filter is asked again after this time: the vendor may change it.
const FILTER_KNOWN_MS = 600_000;
const ACCOUNT_KNOWN_MS = 30_000;
// Nothing is due: a change that no pod notices by itself is noticed within twice this time.
const COUNTS_EVERY_MS = 10_000;
// One page may be damaged by chance. After the second one its labels are read one by one, in less than this time.
const BROKEN_PAGES = 2;
const ONE_BY_ONE_MS = 60_000;
// The label of which a row cannot be read is not read together with others for this long.
const UNREADABLE_MS = 600_000;
// Labels may have 256 characters, and a gateway may refuse an address above 8 kB. Encoded they are up to three times as long.
const MOST_LABEL_CHARACTERS = 2000;
// A pod waits for the label when it is due this much earlier than any other could be.
const WAITED_FOR_MS = 1_800_000;

/** Null: nothing is to be read now. */
export function nextReading(
  memory: LeaderMemory,
  { now: redisNow, dueCount, next }: Lead,
  now: number,
): ListReading | null {
  const isDue = next.some(({ dueAt }) => dueAt <= redisNow);
  if (!isDue && memory.changed.length === 0 && !memory.readAccountNext) return nextCounts(memory, now);
  if (memory.readAccountNext) return { kind: "account" };
  const isAlone = (label: string) => (memory.alone.get(label) ?? 0) > now;
  const due = next.filter(({ dueAt }) => dueAt <= redisNow).map(({ label }) => label);
  const one = [...memory.changed, ...due].find(isAlone);
  if (one !== undefined) return { kind: "one", label: one };
  const filter = memory.filter !== null && memory.filter.until > now ? memory.filter.kind : "unproven";
  const pages = accountPages(memory, now);
  if (filter === "ignored") {
    // A walk of a large account takes many seconds: whoever waits is read alone.
    const waiting = next.find(({ dueAt }) => dueAt < redisNow - WAITED_FOR_MS);
    return waiting !== undefined && pages !== 1 ? { kind: "one", label: waiting.label } : { kind: "account" };
  }
  if (pages === 1 && (filter === "unproven" || dueCount > PAGE_ROWS)) return { kind: "account" };
  if (pages !== null && pages < Math.ceil(dueCount / PAGE_ROWS)) return { kind: "account" };
  const together = next.filter(({ label }) => !isAlone(label));
  return labelsOf(memory, together);
}

function labelsOf({ known, changed }: LeaderMemory, next: Lead["next"]): ListReading {
  const hasRows = (label: string) => (known.get(label)?.rows ?? 0) > 0;
  const wanted = [...new Set([...changed, ...next.map(({ label }) => label)])];
  const witness = [...known.keys()].find((label) => hasRows(label) && !wanted.includes(label)) ?? wanted.find(hasRows);
  const labels: string[] = [];
  let characters = witness?.length ?? 0;
  for (const label of wanted) {
    characters += label === witness ? 0 : label.length;
    if (labels.length > 0 && (labels.length >= PAGE_ROWS - 1 || characters > MOST_LABEL_CHARACTERS)) break;
    labels.push(label);
  }
  if (witness !== undefined && !labels.includes(witness)) labels.push(witness);
  return { kind: "labels", labels, witness: witness ?? null };
}

function nextCounts({ counts }: LeaderMemory, now: number): ListReading | null {
  if (now - counts.at < COUNTS_EVERY_MS) return null;
  return { kind: "counts", which: counts.which === "all" ? "not_running" : "all" };
}

function accountPages({ account }: LeaderMemory, now: number): number | null {
  if (account === null || now - account.at > ACCOUNT_KNOWN_MS) return null;
  return Math.max(Math.ceil(account.rows / PAGE_ROWS), 1);
}

/** `publish`: what is known of each label now; null when the answer proves nothing. */
export interface Learned {
  memory: LeaderMemory;
  publish: ListsByLabel | null;
}

/** After a reading of labels. `lists` null: the filter is not honoured. */
export function afterLabels(
  last: LeaderMemory,
  { witness }: { witness: string | null },
  lists: ListsByLabel | null,
  now: number,
): Learned {
  const before = { ...last, brokenPages: 0 };
  const until = now + FILTER_KNOWN_MS;
  if (lists === null)
    return { memory: { ...before, filter: { kind: "ignored", until }, readAccountNext: true }, publish: null };
  const isEmpty = [...lists.values()].every((list) => !(list instanceof VastError) && list.length === 0);
  if (!isEmpty) {
    const memory = { ...withKnown(before, lists), filter: { kind: "honoured", until } as const };
    return { memory, publish: lists };
  }
  const proven = before.filter?.kind === "honoured" && before.filter.until > now;
  if (proven && witness === null) return { memory: withKnown(before, lists), publish: lists };
  // The whole account has just shown the witness: the filter finds nothing.
  const findsNothing = witness !== null && before.account !== null && now - before.account.at <= ACCOUNT_KNOWN_MS;
  const filter = findsNothing ? ({ kind: "ignored", until } as const) : null;
  return { memory: { ...before, filter, readAccountNext: true }, publish: null };
}

/** After a reading of labels that failed because a row cannot be read, nor its label: it may be the one of any of these labels. */
export function afterBrokenPage(before: LeaderMemory, labels: readonly string[], now: number): LeaderMemory {
  const brokenPages = before.brokenPages + 1;
  if (brokenPages < BROKEN_PAGES) return { ...before, brokenPages };
  const alone = labels.map((label) => [label, now + ONE_BY_ONE_MS] as const);
  return { ...before, brokenPages: 0, alone: new Map([...before.alone, ...alone]) };
}

/** After a reading of the whole account. `labels` are those of all pods. */
export function afterAccount(
  before: LeaderMemory,
  { lists: found, rows }: { lists: ListsByLabel; rows: number },
  labels: readonly string[],
  now: number,
): Learned & { publish: ListsByLabel } {
  const lists = new Map(labels.map((label) => [label, found.get(label) ?? []]));
  const memory = { ...withKnown(before, lists), account: { rows, at: now }, readAccountNext: false };
  return { memory, publish: lists };
}

/** After a reading of one label; an error: its list cannot be read. */
export function afterOne(
  before: LeaderMemory,
  label: string,
  list: readonly Instance[] | VastError,
  now: number,
): Learned & { publish: ListsByLabel } {
  const lists = new Map([[label, list]]);
  const alone = new Map(before.alone);
  if (list instanceof VastError) alone.set(label, now + UNREADABLE_MS);
  else alone.delete(label);
  return { memory: { ...withKnown(before, lists), alone }, publish: lists };
}

/** After counts; null: the answer does not show them. */
export function afterCounts(
  before: LeaderMemory,
  which: "all" | "not_running",
  counts: ReadonlyMap<string, number> | null,
  now: number,
): LeaderMemory {
  const memory = { ...before, counts: { which, at: now } };
  if (counts === null) return memory;
  const differs = ([label, { rows, notRunning }]: [string, { rows: number; notRunning: number }]) =>
    (counts.get(label) ?? 0) !== (which === "all" ? rows : notRunning);
  return { ...memory, changed: [...before.known].filter(differs).map(([label]) => label) };
}

function withKnown(before: LeaderMemory, lists: ListsByLabel): LeaderMemory {
  const known = new Map(before.known);
  for (const [label, rows] of lists) {
    if (rows instanceof VastError) continue;
    known.set(label, { rows: rows.length, notRunning: rows.filter((row) => row.actualStatus !== "running").length });
  }
  return { ...before, known, changed: before.changed.filter((label) => !lists.has(label)) };
}
