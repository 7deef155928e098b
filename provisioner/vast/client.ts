// The calls of the Vast.ai API that the provisioner makes. What it returns is knowledge; everything doubtful is thrown.
import * as z from "zod";
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
  /** `-u USER -p TOKEN HOST`; left out, the template's own login counts. */
  imageLogin?: string;
}

export interface VastClient {
  /**
   * All instances that carry exactly this label, or all of the account for null. Throws unless the page walk was complete and consistent. `once`: a walk that
   * is refused as too frequent at its first page is not asked for again once its bucket is available.
   */
  listInstances(label: string | null, signal?: AbortSignal, once?: boolean): Promise<Instance[]>;
  /** The account's own template of that name (the newest of several), or null when it has none. `once`: as with lists. */
  findTemplate(name: string, signal?: AbortSignal, once?: boolean): Promise<Template | null>;
  /** $ that the account can still spend; null where the answer does not say. */
  readCredit(signal?: AbortSignal): Promise<number | null>;
  /** Offers in the API's order (64 at most). `body` is the flat search body. */
  searchOffers(body: Record<string, unknown>, signal?: AbortSignal): Promise<Offer[]>;
  /**
   * Rents an offer and answers the instance's id. Never repeated by itself: it is not idempotent. Aborting `beforeSent`
   * gives it up only as long as it waits for its turn.
   */
  createInstance(request: CreateRequest, signal?: AbortSignal, beforeSent?: AbortSignal): Promise<number>;
  /** Asks to destroy. Resolving says that it was accepted, not that the instance is gone. */
  destroyInstance(id: number, signal?: AbortSignal): Promise<void>;
}

// 25 is the API's largest page. 40 pages are a thousand instances with one label: something is broken before that.
const PAGE_ROWS = 25;
const MOST_PAGES = 40;
// Creating takes the API a few seconds at most; a longer silence is treated as "outcome unknown".
const CREATE_ANSWER_MS = 30_000;

// Numbers are known to come as text now and then.
const whole = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);
const page = z.looseObject({
  instances: z.array(z.unknown()),
  next_token: z.string().nullish(),
  total_instances: whole.nullish(),
  instances_found: whole.nullish(),
});
const contract = z.looseObject({ new_contract: whole.pipe(z.int().positive()) });
const user = z.looseObject({ id: whole });
const dollars = z.union([z.number(), z.string().trim().min(1).transform(Number)]).pipe(z.number());
// Accounts that pay in advance show a balance of 0 and their money as credit; the vendor's description names the balance alone.
const balanceFields = z.looseObject({ balance: dollars.nullish().catch(null), credit: dollars.nullish().catch(null) });
const templateList = z.looseObject({ templates: z.array(z.unknown()) });
const offerList = z.looseObject({ offers: z.array(z.unknown()) });

export interface ClientOptions {
  /** Takes secrets out of what a host says: it has the registry's login, and its words reach messages. */
  clean?: (text: string) => string;
  /** Told once when the account has several templates of a name, with their ids: the first is the one that is taken. */
  onDuplicateTemplates?: (name: string, ids: readonly number[]) => void;
}

export function createVastClient(
  send: Send,
  { clean, onDuplicateTemplates: onNamesakes }: ClientOptions = {},
): VastClient {
  let accountId: number | null = null;
  let toldNamesakes = "";

  async function account(signal?: AbortSignal): Promise<number> {
    if (accountId !== null) return accountId;
    accountId = expect(user, await whoAmI(signal), "GET /api/v0/users/current/", "no user id").id;
    return accountId;
  }

  const whoAmI = (signal?: AbortSignal) =>
    send({ method: "GET", path: "/api/v0/users/current/", endpoint: "user" }, signal);

  return {
    async listInstances(label, signal, once = false) {
      const call = "GET /api/v1/instances/";
      const rows: unknown[] = [];
      const tokens = new Set<string>();
      let total: number | null = null;
      let found = 0; // the most that a page counts: its own rows, or those of all pages
      for (let pages = 0; ; pages += 1) {
        if (pages === MOST_PAGES) throw malformed(call, `the list did not end after ${MOST_PAGES} pages`);
        const last = [...tokens].at(-1);
        const query = {
          ...(label === null ? {} : { select_filters: { label: { eq: label } } }),
          order_by: [{ col: "id", dir: "asc" }],
          limit: PAGE_ROWS,
          ...(last === undefined ? {} : { after_token: last }),
        };
        const gentle = once && pages === 0 ? { once } : {};
        const body = await send(
          { method: "GET", path: "/api/v1/instances/", query, endpoint: "list", ...gentle },
          signal,
        );
        const read = expect(page, body, call, "`instances` is not a list, or a count of it no number");
        rows.push(...read.instances);
        found = Math.max(found, read.instances_found ?? 0);
        total = read.total_instances ?? total;
        const next = read.next_token;
        if (!next) break;
        if (tokens.has(next)) throw malformed(call, "a page token came twice");
        tokens.add(next);
      }
      if (total !== null && total !== rows.length)
        throw malformed(call, `${rows.length} rows came, ${total} were announced`);
      if (rows.length < found) throw malformed(call, `${rows.length} rows came, ${found} were found`);
      const instances = readAll(rows, readInstance, call);
      // A page that moved while it was walked shows one row twice and hides another.
      if (new Set(instances.map((instance) => instance.id)).size < instances.length)
        throw malformed(call, "an instance came twice");
      return instances
        .filter((instance) => label === null || instance.label === label)
        .map((row) => (clean === undefined ? row : { ...row, statusMessage: clean(row.statusMessage) }));
    },

    async findTemplate(name, signal, once = false) {
      const creator = await account(signal);
      const call = "GET /api/v0/template/";
      const query = { select_cols: ["*"], select_filters: { creator_id: { eq: creator }, name: { eq: name } } };
      const gentle = once ? { once } : {};
      const body = await send(
        { method: "GET", path: "/api/v0/template/", query, endpoint: "template", ...gentle },
        signal,
      );
      const { templates } = expect(templateList, body, call, "`templates` is not a list");
      // The API has been seen to leave filters out: a stranger's template of the same name must never be taken.
      const own = readAll(
        templates.filter((row) => mayBeOwn(row, creator, name)),
        readTemplate,
        call,
      ).filter((t) => t.creatorId === creator && t.name === name);
      own.sort((a, b) => b.id - a.id);
      const ids = own.map((template) => template.id);
      if (ids.length > 1 && ids.join() !== toldNamesakes) onNamesakes?.(name, ids);
      toldNamesakes = ids.length > 1 ? ids.join() : "";
      return own[0] ?? null;
    },

    async readCredit(signal) {
      const { balance, credit } = expect(
        balanceFields,
        await whoAmI(signal),
        "GET /api/v0/users/current/",
        "no account",
      );
      const left = (balance ?? 0) + (credit ?? 0);
      // One of them alone may be 0 or less while the money is in the other.
      const told = typeof balance === "number" && typeof credit === "number";
      return told || left > 0 ? left : null;
    },

    async searchOffers(search, signal) {
      const call = "POST /api/v0/bundles/";
      const body = await send({ method: "POST", path: "/api/v0/bundles/", body: search, endpoint: "search" }, signal);
      const { offers } = expect(offerList, body, call, "`offers` is not a list");
      return offers.map(readOffer).filter((offer) => offer !== null);
    },

    async createInstance(request, signal, beforeSent) {
      const path = `/api/v0/asks/${request.offerId}/`;
      const body = {
        client_id: "me",
        template_hash_id: request.templateHash,
        image: request.image,
        label: request.label,
        disk: request.diskSpace,
        cancel_unavail: true, // else a taken GPU leaves a stopped instance that bills its disk
        ...(request.imageLogin === undefined ? {} : { image_login: request.imageLogin }),
      };
      const call = `PUT ${path}`;
      const when = { deadlineMs: CREATE_ANSWER_MS, ...(beforeSent === undefined ? {} : { beforeSent }) };
      const answer = await send({ method: "PUT", path, body, endpoint: "create", ...when }, signal);
      return expect(contract, answer, call, "no `new_contract`").new_contract;
    },

    async destroyInstance(id, signal) {
      await send({ method: "DELETE", path: `/api/v0/instances/${id}/`, body: {}, endpoint: "destroy" }, signal);
    },
  };
}

function expect<T>(schema: z.ZodType<T>, body: unknown, call: string, otherwise: string): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw malformed(call, otherwise);
  return parsed.data;
}

const ownedRow = z.looseObject({ creator_id: z.unknown(), name: z.unknown() });

/** A stranger's row need not be readable. One that does not say whose it is may be ours. */
function mayBeOwn(row: unknown, creator: number, name: string): boolean {
  const parsed = ownedRow.safeParse(row);
  if (!parsed.success) return true;
  const { creator_id: by, name: called } = parsed.data;
  const other = (typeof by === "number" || typeof by === "string") && Number(by) !== creator;
  return !other && (typeof called !== "string" || called === name);
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
