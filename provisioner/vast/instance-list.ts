// Reads the instance list of the API: all pages, checked against the counts that come with them. Touches the API through the function
// that it is given.
import * as z from "zod";
import { expectShape, malformed, readRows, unreadableRow, wholeNumber } from "./checks.ts";
import type { VastError } from "./errors.ts";
import { type Instance, readInstance, readLabel } from "./rows.ts";
import type { ApiCall, Send } from "./transport.ts";

/** How one pod reads for all: it comes back within a second or so. */
export const READ_FOR_ALL: ReadOptions = { retryRateLimited: false, forAll: true };

export interface ReadOptions {
  /** False: a first call that is refused by the rate limit is not repeated, because the caller comes back soon anyway. */
  retryRateLimited?: boolean;
  /** It is read for all pods of the account: their own calls wait. */
  forAll?: boolean;
}

/** The API's largest page. */
export const PAGE_ROWS = 25;
// 40 pages are a thousand instances with one label: something is wrong before that. An account may have more.
const MAX_PAGES = 40;
const MAX_PAGES_OF_ACCOUNT = 400;
const CALL = "GET /api/v1/instances/";

const page = z.object({
  instances: z.array(z.unknown()),
  next_token: z.string().nullish(),
  total_instances: wholeNumber.nullish(),
  instances_found: wholeNumber.nullish(),
});
const counts = z.object({ total_instances: wholeNumber, label_counts: z.record(z.string(), wholeNumber) });

/** The schemas of a page, for a comparison with what the API answers. */
export const PAGE_FORMS = { page, counts };

/** By label, and under "" without one; an error where one of a label's rows cannot be read: then nothing is known of the label. */
export type ListsByLabel = ReadonlyMap<string, readonly Instance[] | VastError>;

/** All instances of the account, and how many there are. */
export interface WholeAccount {
  lists: ListsByLabel;
  rows: number;
}

/** All rows that pass `filters`, and no others if the API honours them. Throws unless all pages were read and are consistent. */
export async function readInstanceList(
  send: Send,
  filters: Record<string, unknown> | null,
  options: ReadOptions,
  signal?: AbortSignal,
): Promise<Instance[]> {
  return distinct(readRows(await readPages(send, filters, options, signal), readInstance, CALL));
}

/**
 * The same by label. A row that cannot be read concerns its own label only. Throws where its label cannot be read either.
 */
export async function readListsByLabel(
  send: Send,
  filters: Record<string, unknown> | null,
  signal?: AbortSignal,
  options: ReadOptions = { retryRateLimited: false },
): Promise<WholeAccount> {
  const rows = await readPages(send, filters, options, signal);
  const broken: unknown[] = [];
  const readable = rows.flatMap((row) => {
    const instance = readInstance(row);
    if (instance === null) broken.push(row);
    return instance ?? [];
  });
  const lists = new Map<string, readonly Instance[] | VastError>(listsOf(distinct(readable)));
  for (const row of broken) {
    const label = readLabel(row);
    if (label === null) throw unreadableRow(CALL);
    lists.set(label, unreadableRow(CALL));
  }
  return { lists, rows: rows.length };
}

function listsOf(rows: readonly Instance[]): Map<string, readonly Instance[]> {
  const lists = new Map<string, Instance[]>();
  for (const row of rows) {
    const label = row.label ?? "";
    lists.set(label, [...(lists.get(label) ?? []), row]);
  }
  return lists;
}

async function readPages(
  send: Send,
  filters: Record<string, unknown> | null,
  { retryRateLimited = true, ...others }: ReadOptions,
  signal?: AbortSignal,
): Promise<unknown[]> {
  const rows: unknown[] = [];
  const tokens = new Set<string>();
  let total: number | null = null;
  const maxPages = filters === null ? MAX_PAGES_OF_ACCOUNT : MAX_PAGES;
  let found = 0; // the largest count of any page: some count their own rows, some the rows of all pages
  for (let pages = 0; ; pages += 1) {
    if (pages === maxPages) throw malformed(CALL, `the list did not end after ${maxPages} pages`);
    const last = [...tokens].at(-1);
    const ordered = { order_by: [{ col: "id", dir: "asc" }], limit: PAGE_ROWS };
    const filtered = filters === null ? ordered : { select_filters: filters, ...ordered };
    const query = last === undefined ? filtered : { ...filtered, after_token: last };
    const retry = retryRateLimited || pages > 0 ? others : { ...others, retryRateLimited };
    const body = await send(listCall(query, retry), signal);
    const read = expectShape(page, body, CALL, "`instances` is not a list, or one of its counts is not a number");
    rows.push(...read.instances);
    found = Math.max(found, read.instances_found ?? 0);
    total = read.total_instances ?? total;
    const next = read.next_token;
    if (!next) break;
    if (tokens.has(next)) throw malformed(CALL, "the same page token came twice");
    tokens.add(next);
  }
  if (total !== null && total !== rows.length)
    throw malformed(CALL, `${rows.length} rows arrived, but the API announced ${total}`);
  if (rows.length < found) throw malformed(CALL, `${rows.length} rows arrived, but the API found ${found}`);
  return rows;
}

function distinct(instances: Instance[]): Instance[] {
  // When rows move between pages during the walk, one row appears twice and another one is missing.
  if (new Set(instances.map((instance) => instance.id)).size < instances.length)
    throw malformed(CALL, "the same instance came twice");
  return instances;
}

export interface InstanceCounts {
  /** How many instances each label has. Only a hint: it proves nothing about a single instance. */
  byLabel: ReadonlyMap<string, number>;
  /** The whole account, where all were counted, they fit on one page, and each row can be read. */
  whole: WholeAccount | null;
}

/** Counts all instances, or those that do not run, by what comes with a page. Null when the answer does not show it. */
export async function countInstances(
  send: Send,
  which: "all" | "not_running",
  signal?: AbortSignal,
): Promise<InstanceCounts | null> {
  const query =
    which === "all"
      ? { order_by: [{ col: "id", dir: "asc" }], limit: PAGE_ROWS }
      : { select_filters: { actual_status: { neq: "running" } }, limit: 1 };
  const body = await send(listCall(query, READ_FOR_ALL), signal);
  const read = counts.safeParse(body);
  if (!read.success) return null;
  const { total_instances: total, label_counts: found } = read.data;
  // Counts of the page's own rows would miss all others.
  const sum = Object.values(found).reduce((all, one) => all + one, 0);
  if (sum !== total) return null;
  return { byLabel: new Map(Object.entries(found)), whole: which === "all" ? wholePage(body, total) : null };
}

/** A page that holds all rows. */
function wholePage(body: unknown, total: number): WholeAccount | null {
  const read = page.safeParse(body);
  if (!read.success || read.data.next_token || read.data.instances.length !== total) return null;
  if (total < (read.data.instances_found ?? 0)) return null;
  const rows = read.data.instances.flatMap((row) => readInstance(row) ?? []);
  return new Set(rows.map(({ id }) => id)).size === total ? { lists: listsOf(rows), rows: total } : null;
}

function listCall(query: Record<string, unknown>, retry: ReadOptions): ApiCall {
  return { method: "GET", path: "/api/v1/instances/", query, endpoint: "list", ...retry };
}
