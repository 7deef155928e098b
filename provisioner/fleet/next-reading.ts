// What the leader reads next, and what it learns from an answer. One call a second has to do for all pods. Pure.
import { VastError } from "../vast/errors.ts";
import { type InstanceCounts, type ListsByLabel, PAGE_ROWS, type WholeAccount } from "../vast/instance-list.ts";
import type { Instance } from "../vast/rows.ts";
import type { Lead } from "./snapshot.ts";

export type ListReading =
  /** A page of labels. `witness` is one of them of which rows are expected. */
  | { kind: "labels"; labels: readonly string[]; witness: string | null }
  | { kind: "one"; label: string }
  /** All pages of the account, which shows every label. */
  | { kind: "account" }
  /** Counts: which labels have changed. A small account is shown whole. */
  | { kind: "counts"; which: "all" | "not_running" };

/** Times in ms of the leader's monotonic clock. */
export interface LeaderMemory {
  /** Whether the API honours a filter by several labels. An API that ignored it silently would make instances look gone. */
  filter: { kind: "honoured" | "ignored"; until: number } | null;
  /** By label: how many instances the last reading has shown, and how many of them do not run. */
  known: ReadonlyMap<string, { rows: number; notRunning: number | null }>;
  /** How many instances the whole account had. */
  account: { rows: number; at: number } | null;
  /** The filter has shown nothing of this label, of which rows were expected. `shown`: since then the whole account has shown it. */
  doubt: { label: string; shown: boolean } | null;
  /** The last answer was empty although it should not have been: only the whole account shows what there is. */
  readAccountNext: boolean;
  /** Pages in a row with a row that cannot be read, nor its label. */
  brokenPages: number;
  /** Labels that are read alone, because such a row may be theirs, by the time until which that counts. */
  alone: ReadonlyMap<string, number>;
  /** Labels of which the counts have changed, or which this leader has not read. */
  changed: readonly string[];
  /** Null: this leader has not counted yet. */
  counts: { which: "all" | "not_running"; at: number } | null;
}

export const NEW_MEMORY: LeaderMemory = {
  filter: null,
  known: new Map(),
  account: null,
  doubt: null,
  readAccountNext: false,
  brokenPages: 0,
  alone: new Map(),
  changed: [],
  counts: null,
};

// What is known of the filter is asked again after this time: the vendor may change it.
const FILTER_KNOWN_MS = 600_000;
const ACCOUNT_KNOWN_MS = 30_000;
// Nothing is due: a change that no pod notices by itself is noticed within this time in a small account, within twice as much in a large
// one. It is all that idle pods cost, but for the template and one reading of each label in 5 minutes.
const COUNTS_EVERY_MS = 15_000;
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
  // A new leader learns how large the account is, and which labels have instances: then its first list is of use.
  if (memory.counts === null) return { kind: "counts", which: "all" };
  const pages = accountPages(memory, now);
  const isDue = next.some(({ dueAt }) => dueAt <= redisNow);
  if (!isDue && memory.changed.length === 0 && !memory.readAccountNext) return nextCounts(memory, pages, now);
  if (memory.readAccountNext) return { kind: "account" };
  const isAlone = (label: string) => (memory.alone.get(label) ?? 0) > now;
  const due = next.filter(({ dueAt }) => dueAt <= redisNow).map(({ label }) => label);
  const one = [...memory.changed, ...due].find(isAlone);
  if (one !== undefined) return { kind: "one", label: one };
  if (pages === 1) return { kind: "account" };
  const filter = memory.filter !== null && memory.filter.until > now ? memory.filter.kind : "unproven";
  const waiting = next.filter(({ dueAt }) => dueAt < redisNow - WAITED_FOR_MS).map(({ label }) => label);
  if (filter === "ignored") {
    // A walk of a large account takes many seconds: where fewer wait than it has pages, they are read alone.
    const [first] = waiting;
    const walk = (memory.account?.rows ?? 0) / PAGE_ROWS;
    return first === undefined || waiting.length > walk ? { kind: "account" } : { kind: "one", label: first };
  }
  if (pages !== null && pages < Math.ceil(dueCount / PAGE_ROWS)) return { kind: "account" };
  const inOrder = [...waiting, ...memory.changed, ...next.map(({ label }) => label)];
  return labelsOf(
    memory,
    [...new Set(inOrder)].filter((label) => !isAlone(label)),
  );
}

function labelsOf({ known, doubt }: LeaderMemory, wanted: readonly string[]): ListReading {
  const hasRows = (label: string) => (known.get(label)?.rows ?? 0) > 0;
  const doubted = doubt?.shown === true && hasRows(doubt.label) ? doubt.label : undefined;
  const isSpare = (label: string) => hasRows(label) && !wanted.includes(label);
  const witness = doubted ?? [...known.keys()].find(isSpare) ?? wanted.find(hasRows);
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

function nextCounts({ counts }: LeaderMemory, pages: number | null, now: number): ListReading | null {
  if (counts !== null && now - counts.at < COUNTS_EVERY_MS) return null;
  // Counting all instances of a small account shows which of them run, too.
  return { kind: "counts", which: counts?.which === "all" && pages !== 1 ? "not_running" : "all" };
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
  const before: LeaderMemory = { ...last, brokenPages: 0, doubt: null };
  const until = now + FILTER_KNOWN_MS;
  if (lists === null)
    return { memory: { ...before, filter: { kind: "ignored", until }, readAccountNext: true }, publish: null };
  const isEmpty = [...lists.values()].every(hasNone);
  if (!isEmpty && witness !== null && hasNone(lists.get(witness) ?? []))
    return afterMissingWitness(before, witness, lists);
  if (!isEmpty) {
    const memory = { ...withKnown(before, lists), filter: { kind: "honoured", until } as const };
    return { memory, publish: lists };
  }
  const proven = before.filter?.kind === "honoured" && before.filter.until > now;
  if (proven && witness === null) return { memory: withKnown(before, lists), publish: lists };
  // The whole account has shown the witness meanwhile: the filter finds nothing. Otherwise the witness may have ended since it was read.
  if (witness !== null && last.doubt?.shown === true && last.doubt.label === witness)
    return { memory: { ...before, filter: { kind: "ignored", until }, readAccountNext: true }, publish: null };
  const doubt = witness === null ? null : { label: witness, shown: false };
  return { memory: { ...before, filter: null, doubt, readAccountNext: true }, publish: null };
}

const hasNone = (list: readonly Instance[] | VastError) => !(list instanceof VastError) && list.length === 0;

/**
 * Either the witness is gone, or the filter leaves labels out. Only what the answer shows counts, and another witness is asked; where that
 * one is missing as well, the whole account.
 */
function afterMissingWitness(before: LeaderMemory, witness: string, lists: ListsByLabel): Learned {
  const shown = new Map([...lists].filter(([, list]) => !hasNone(list)));
  const memory = withKnown(before, shown);
  const known = new Map(memory.known).set(witness, { rows: 0, notRunning: 0 });
  return { memory: { ...memory, known, filter: null, readAccountNext: before.filter === null }, publish: shown };
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
  { lists: found, rows }: WholeAccount,
  labels: readonly string[],
  now: number,
): Learned & { publish: ListsByLabel } {
  const lists = new Map(labels.map((label) => [label, found.get(label) ?? []]));
  const { doubt } = before;
  const isShown = doubt !== null && !hasNone(lists.get(doubt.label) ?? []);
  const memory = {
    ...withKnown(before, lists),
    account: { rows, at: now },
    doubt: isShown ? { ...doubt, shown: true } : null,
    readAccountNext: false,
  };
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

/** After counts; null: the answer does not show them. `labels` are those of all pods. */
export function afterCounts(
  before: LeaderMemory,
  which: "all" | "not_running",
  answer: InstanceCounts | null,
  labels: readonly string[],
  now: number,
): Learned {
  const memory: LeaderMemory = { ...before, counts: { which, at: now } };
  if (answer === null) return { memory, publish: null };
  const { byLabel, whole } = answer;
  if (whole !== null) return afterAccount(memory, whole, labels, now);
  const rows = [...byLabel.values()].reduce((sum, count) => sum + count, 0);
  // An account that should fit on one page, and cannot be read from it, is read by labels.
  const isLarge = rows > PAGE_ROWS;
  const account = which === "all" ? (isLarge ? { rows, at: now } : null) : memory.account;
  // What the leader before knew is in Redis, but may have changed since: each label is read once.
  if (before.counts === null) {
    const known = new Map(labels.map((label) => [label, { rows: byLabel.get(label) ?? 0, notRunning: null }]));
    return { memory: { ...memory, account, known, changed: labels }, publish: null };
  }
  const differs = [...before.known].filter(([label, last]) => {
    const expected = which === "all" ? last.rows : last.notRunning;
    return expected !== null && expected !== (byLabel.get(label) ?? 0);
  });
  return { memory: { ...memory, account, changed: differs.map(([label]) => label) }, publish: null };
}

function withKnown(before: LeaderMemory, lists: ListsByLabel): LeaderMemory {
  const known = new Map(before.known);
  for (const [label, rows] of lists) {
    if (rows instanceof VastError) continue;
    known.set(label, { rows: rows.length, notRunning: rows.filter((row) => row.actualStatus !== "running").length });
  }
  return { ...before, known, changed: before.changed.filter((label) => !lists.has(label)) };
}
