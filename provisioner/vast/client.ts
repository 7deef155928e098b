// The calls of the Vast.ai API that the provisioner makes. It returns only checked data; everything uncertain is thrown as a
// `VastError`. Touches the API through the function that it is given.
import * as z from "zod";
import type { Fence } from "../../common/http.ts";
import { VastError } from "./errors.ts";
import { type Instance, type Offer, readInstance, readOffer, readTemplate, type Template } from "./rows.ts";
import type { Send } from "./transport.ts";

export interface CreateRequest {
  offerId: number;
  templateHash: string;
  image: string;
  label: string;
  /** GB, fixed for the instance's life. */
  diskSpace: number;
  /** `-u USER -p TOKEN HOST`. When absent, the template's own login is used. */
  imageLogin?: string;
}

export interface ReadOptions {
  /** False: a first call that is refused by the rate limit is not repeated, because the caller comes back soon anyway. */
  retryRateLimited?: boolean;
}

export interface VastClient {
  /**
   * All instances that have exactly this label, or all of the account for null. Throws unless all pages were read and are consistent.
   */
  listInstances(label: string | null, signal?: AbortSignal, options?: ReadOptions): Promise<Instance[]>;
  /** The account's own template of this name (the newest of several), or null when there is none. */
  findTemplate(name: string, signal?: AbortSignal, options?: ReadOptions): Promise<Template | null>;
  /** The id of the key's account, once a call of this process has read it; null before that and after a change of the key. */
  accountId(): number | null;
  /** The same, read from the API when it is not known. */
  readAccountId(signal?: AbortSignal): Promise<number>;
  /** Another pod has read the account of this key. */
  rememberAccountId(id: number, apiKey: string): void;
  /** $ that the account can still spend; null when the answer does not show it. */
  readCredit(signal?: AbortSignal): Promise<number | null>;
  /** Offers in the API's order (64 at most). `body` is the flat search body. */
  searchOffers(body: Record<string, unknown>, signal?: AbortSignal): Promise<Offer[]>;
  // The two calls that change something are not sent when their fence forbids it: they throw `not_sent`.
  /**
   * Rents an offer and returns the instance's id. It is never repeated automatically: it is not idempotent. Aborting `beforeSent`
   * cancels it only while it waits for its rate limit.
   */
  createInstance(request: CreateRequest, fence: Fence, signal?: AbortSignal, beforeSent?: AbortSignal): Promise<number>;
  /** Sends the destroy request. When it resolves, the request was accepted; the instance may still exist. */
  destroyInstance(id: number, fence: Fence, signal?: AbortSignal): Promise<void>;
}

// 25 is the API's largest page. 40 pages are a thousand instances with one label: something is wrong before that.
const PAGE_ROWS = 25;
const MAX_PAGES = 40;
// A create takes the API a few seconds at most; after a longer silence its outcome is unknown.
const CREATE_ANSWER_MS = 30_000;

// The API sometimes sends numbers as text.
const whole = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);
const page = z.object({
  instances: z.array(z.unknown()),
  next_token: z.string().nullish(),
  total_instances: whole.nullish(),
  instances_found: whole.nullish(),
});
const contract = z.object({ new_contract: whole.pipe(z.int().positive()) });
const user = z.object({ id: whole });
const dollars = z.union([z.number(), z.string().trim().min(1).transform(Number)]).pipe(z.number());
// Prepaid accounts have a balance of 0 and their money in `credit`; the vendor's documentation names only the balance.
const balanceFields = z.object({ balance: dollars.nullish().catch(null), credit: dollars.nullish().catch(null) });
const templateList = z.object({ templates: z.array(z.unknown()) });
const offerList = z.object({ offers: z.array(z.unknown()) });

export interface ClientOptions {
  /** The key in use: with another one the account is read again. */
  apiKey?: () => string;
  /** Removes secrets from a host's status message: the host has the registry's login, and its text appears in messages. */
  clean?: (text: string) => string;
  /** Called once when the account has several templates of one name, with their ids: the first one is used. */
  onDuplicateTemplates?: (name: string, ids: readonly number[]) => void;
}

export function createVastClient(send: Send, { apiKey, clean, onDuplicateTemplates }: ClientOptions = {}): VastClient {
  let account: { id: number; key: string | undefined } | null = null;
  let reportedDuplicates = "";

  const accountId = () => (account !== null && account.key === apiKey?.() ? account.id : null);

  async function readAccountId(signal?: AbortSignal): Promise<number> {
    const before = accountId();
    if (before !== null) return before;
    const key = apiKey?.();
    const { id } = expect(user, await currentUser(signal), "GET /api/v0/users/current/", "no user id");
    account = { id, key };
    return id;
  }

  const currentUser = (signal?: AbortSignal) =>
    send({ method: "GET", path: "/api/v0/users/current/", endpoint: "user" }, signal);

  return {
    accountId,
    readAccountId,
    rememberAccountId(id, key) {
      account = { id, key };
    },

    async listInstances(label, signal, { retryRateLimited = true } = {}) {
      const call = "GET /api/v1/instances/";
      const rows: unknown[] = [];
      const tokens = new Set<string>();
      let total: number | null = null;
      let found = 0; // the largest count of any page: some count their own rows, some the rows of all pages
      for (let pages = 0; ; pages += 1) {
        if (pages === MAX_PAGES) throw malformed(call, `the list did not end after ${MAX_PAGES} pages`);
        const last = [...tokens].at(-1);
        const query = {
          ...(label === null ? {} : { select_filters: { label: { eq: label } } }),
          order_by: [{ col: "id", dir: "asc" }],
          limit: PAGE_ROWS,
          ...(last === undefined ? {} : { after_token: last }),
        };
        const retry = retryRateLimited || pages > 0 ? {} : { retryRateLimited };
        const body = await send(
          { method: "GET", path: "/api/v1/instances/", query, endpoint: "list", ...retry },
          signal,
        );
        const read = expect(page, body, call, "`instances` is not a list, or one of its counts is not a number");
        rows.push(...read.instances);
        found = Math.max(found, read.instances_found ?? 0);
        total = read.total_instances ?? total;
        const next = read.next_token;
        if (!next) break;
        if (tokens.has(next)) throw malformed(call, "the same page token came twice");
        tokens.add(next);
      }
      if (total !== null && total !== rows.length)
        throw malformed(call, `${rows.length} rows arrived, but the API announced ${total}`);
      if (rows.length < found) throw malformed(call, `${rows.length} rows arrived, but the API found ${found}`);
      const instances = readAll(rows, readInstance, call);
      // When rows move between pages during the walk, one row appears twice and another one is missing.
      if (new Set(instances.map((instance) => instance.id)).size < instances.length)
        throw malformed(call, "the same instance came twice");
      return instances
        .filter((instance) => label === null || instance.label === label)
        .map((row) => (clean === undefined ? row : { ...row, statusMessage: clean(row.statusMessage) }));
    },

    async findTemplate(name, signal, { retryRateLimited = true } = {}) {
      const creator = await readAccountId(signal);
      const call = "GET /api/v0/template/";
      const query = { select_cols: ["*"], select_filters: { creator_id: { eq: creator }, name: { eq: name } } };
      const body = await send(
        { method: "GET", path: "/api/v0/template/", query, endpoint: "template", retryRateLimited },
        signal,
      );
      const { templates } = expect(templateList, body, call, "`templates` is not a list");
      // The API sometimes ignores filters: another user's template of the same name must never be used.
      const own = readAll(
        templates.filter((row) => mayBeOwn(row, creator, name)),
        readTemplate,
        call,
      ).filter((t) => t.creatorId === creator && t.name === name);
      own.sort((a, b) => b.id - a.id);
      const ids = own.map((template) => template.id);
      if (ids.length > 1 && ids.join() !== reportedDuplicates) onDuplicateTemplates?.(name, ids);
      reportedDuplicates = ids.length > 1 ? ids.join() : "";
      return own[0] ?? null;
    },

    async readCredit(signal) {
      const { balance, credit } = expect(
        balanceFields,
        await currentUser(signal),
        "GET /api/v0/users/current/",
        "no account",
      );
      const left = (balance ?? 0) + (credit ?? 0);
      // When only one of them came, 0 or less proves nothing: the money may be in the other one. Neither do two zeros: an account that
      // pays afterwards always shows them, one that has paid in advance and spent everything falls below.
      const complete = typeof balance === "number" && typeof credit === "number" && (balance !== 0 || credit !== 0);
      return complete || left > 0 ? left : null;
    },

    async searchOffers(search, signal) {
      const call = "POST /api/v0/bundles/";
      const body = await send({ method: "POST", path: "/api/v0/bundles/", body: search, endpoint: "search" }, signal);
      const { offers } = expect(offerList, body, call, "`offers` is not a list");
      return offers.map(readOffer).filter((offer) => offer !== null);
    },

    async createInstance(request, fence, signal, beforeSent) {
      const path = `/api/v0/asks/${request.offerId}/`;
      const body = {
        client_id: "me",
        template_hash_id: request.templateHash,
        image: request.image,
        label: request.label,
        disk: request.diskSpace,
        cancel_unavail: true, // otherwise a taken GPU leaves a stopped instance whose disk is billed
        ...(request.imageLogin === undefined ? {} : { image_login: request.imageLogin }),
      };
      const call = `PUT ${path}`;
      const limits = { deadlineMs: CREATE_ANSWER_MS, fence, ...(beforeSent === undefined ? {} : { beforeSent }) };
      const answer = await send({ method: "PUT", path, body, endpoint: "create", ...limits }, signal);
      return expect(contract, answer, call, "no `new_contract`").new_contract;
    },

    async destroyInstance(id, fence, signal) {
      await send({ method: "DELETE", path: `/api/v0/instances/${id}/`, body: {}, endpoint: "destroy", fence }, signal);
    },
  };
}

function expect<T>(schema: z.ZodType<T>, body: unknown, call: string, otherwise: string): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw malformed(call, otherwise);
  return parsed.data;
}

const ownedRow = z.looseObject({ creator_id: z.unknown(), name: z.unknown() });

/** Another user's row need not be readable. A row that does not show its creator may be ours. */
function mayBeOwn(row: unknown, creator: number, name: string): boolean {
  const parsed = ownedRow.safeParse(row);
  if (!parsed.success) return true;
  const { creator_id: rowCreator, name: rowName } = parsed.data;
  const other = (typeof rowCreator === "number" || typeof rowCreator === "string") && Number(rowCreator) !== creator;
  return !other && (typeof rowName !== "string" || rowName === name);
}

function readAll<T>(rows: readonly unknown[], read: (row: unknown) => T | null, call: string): T[] {
  return rows.map((row) => {
    const value = read(row);
    if (value === null) throw malformed(call, "a row has no readable id");
    return value;
  });
}

function malformed(call: string, text: string): VastError {
  return new VastError({ kind: "malformed", call, status: 200, slug: "", text });
}
