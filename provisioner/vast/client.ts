// The calls of the Vast.ai API that the provisioner makes. It returns only checked data; everything uncertain is thrown as a
// `VastError`. Touches the API through the function that it is given.
import * as z from "zod";
import type { Fence } from "../../common/http.ts";
import { acceptIncrease, type Charges, type PriceIncrease, readCharges, readPriceIncreases } from "./account-calls.ts";
import { expectShape, wholeNumber } from "./checks.ts";
import { VastError } from "./errors.ts";
import {
  countInstances,
  type InstanceCounts,
  type ListsByLabel,
  READ_FOR_ALL,
  type ReadOptions,
  readInstanceList,
  readListsByLabel,
  type WholeAccount,
} from "./instance-list.ts";
import { type Instance, type Offer, readInstance, readOffer, type Template } from "./rows.ts";
import { type OwnTemplate, ownTemplates, templateList, writeTemplate } from "./template-calls.ts";
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
  /** $/h for the GPUs. With it the instance is interruptible, without it on demand. */
  bid?: number;
}

/** Another image and template for the container of an instance. */
export interface UpdateRequest {
  id: number;
  templateHash: string;
  image: string;
  /** GB, where the disk has to grow. */
  diskSpace?: number;
  /** As in a create. */
  imageLogin?: string;
}

export interface VastClient {
  /**
   * All instances that have exactly this label, or all of the account for null. Throws unless all pages were read and are consistent.
   */
  listInstances(label: string | null, signal?: AbortSignal, options?: ReadOptions): Promise<Instance[]>;
  /** Those of these instances that the account has, whatever their labels. Throws as `listInstances` does. */
  listByIds(ids: readonly number[], signal?: AbortSignal): Promise<Instance[]>;
  /** One instance, whatever its label; null where the API shows none, which does not prove that there is none. */
  showInstance(id: number, signal?: AbortSignal): Promise<Instance | null>;
  /** The instances of each of these labels, or null where the API does not honour such a filter. Throws as `listInstances` does. */
  listByLabels(labels: readonly string[], signal?: AbortSignal): Promise<ListsByLabel | null>;
  /** All instances of the account. A first call that is rate-limited is not repeated unless `options` say so. Throws as `listInstances`. */
  listAccount(signal?: AbortSignal, options?: ReadOptions): Promise<WholeAccount>;
  /** Counts all instances, or those that do not run. Null when the answer does not show it. */
  countInstances(which: "all" | "not_running", signal?: AbortSignal): Promise<InstanceCounts | null>;
  /** The account's own template of this name (the newest of several), or null when there is none. */
  findTemplate(name: string, signal?: AbortSignal, options?: ReadOptions): Promise<Template | null>;
  /** The account's own templates of this name as the API shows them, the newest first. */
  templates(name: string, signal?: AbortSignal): Promise<OwnTemplate[]>;
  /** The id of the key's account, once a call of this process has read it; null before that and after a change of the key. */
  accountId(): number | null;
  /** The same, read from the API when it is not known. */
  readAccountId(signal?: AbortSignal): Promise<number>;
  /** Another pod has read the account of this key. */
  rememberAccountId(id: number, apiKey: string): void;
  /** $ that the account can still spend; null when the answer does not show it. */
  readCredit(signal?: AbortSignal): Promise<number | null>;
  /** The announced prices of all instances of the account. */
  priceIncreases(signal?: AbortSignal): Promise<PriceIncrease[]>;
  /** What was charged for instances between two days (epoch ms), by label. */
  charges(from: number, to: number, signal?: AbortSignal): Promise<Charges>;
  /** Offers in the API's order (64 at most). `body` is the flat search body. */
  searchOffers(body: Record<string, unknown>, signal?: AbortSignal, onSent?: () => void): Promise<Offer[]>;
  // The calls that change something are not sent when their fence forbids it: they throw `not_sent`.
  /**
   * Rents an offer and returns the instance's id. It is never repeated automatically: it is not idempotent. Aborting `beforeSent`
   * cancels it only while it waits for its rate limit.
   */
  createInstance(request: CreateRequest, fence: Fence, signal?: AbortSignal, beforeSent?: AbortSignal): Promise<number>;
  /** Sends the destroy request. When it resolves, the request was accepted; the instance may still exist. */
  destroyInstance(id: number, fence: Fence, signal?: AbortSignal): Promise<void>;
  /** Accepts the price that the host of an instance announces, by the id of the announcement: its contract then goes on after its end. */
  acceptPriceIncrease(id: number, fence: Fence, signal?: AbortSignal): Promise<void>;
  /** Changes what is bid for an interruptible instance, $/h for its GPUs. It may be repeated. */
  changeBid(id: number, dollarsPerHour: number, fence: Fence, signal?: AbortSignal): Promise<void>;
  /** Prepares the container with which the next recycle starts. Both calls may be repeated. */
  updateTemplate(request: UpdateRequest, fence: Fence, signal?: AbortSignal): Promise<void>;
  /** Gives an instance a label. With the one that it has this changes nothing, and shows whether the key may change it. May be repeated. */
  writeLabel(id: number, label: string, fence: Fence, signal?: AbortSignal): Promise<void>;
  /** Replaces the container on the same machine by one with the prepared image, which is pulled. What its disk holds is lost. */
  recycleInstance(id: number, fence: Fence, signal?: AbortSignal): Promise<void>;
  /** Creates a template, or edits the one with the hash `edited`; answers what became of it. */
  writeTemplate(
    body: Readonly<Record<string, unknown>>,
    edited: string | null,
    fence: Fence,
    signal?: AbortSignal,
  ): Promise<Template>;
}

// A create takes the API a few seconds at most; after a longer silence its outcome is unknown.
const CREATE_ANSWER_MS = 30_000;

const contract = z.object({ new_contract: wholeNumber.pipe(z.int().positive()) });
const user = z.object({ id: wholeNumber });
const dollars = z.union([z.number(), z.string().trim().min(1).transform(Number)]).pipe(z.number());
// Prepaid accounts have a balance of 0 and their money in `credit`; the vendor's documentation names only the balance.
const balanceFields = z.object({ balance: dollars.nullish().catch(null), credit: dollars.nullish().catch(null) });
const oneInstance = z.object({ instances: z.unknown() });
const offerList = z.object({ offers: z.array(z.unknown()) });

/** The schemas of the bodies, for a comparison with what the API answers. */
export const BODY_FORMS = { user: z.object({ ...user.shape, ...balanceFields.shape }), templateList, offerList };

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
    const { id } = expectShape(user, await currentUser(signal), "GET /api/v0/users/current/", "no user id");
    account = { id, key };
    return id;
  }

  const cleaned = (row: Instance): Instance =>
    clean === undefined ? row : { ...row, statusMessage: clean(row.statusMessage) };
  const cleanedList = (list: readonly Instance[] | VastError) => (list instanceof VastError ? list : list.map(cleaned));
  const cleanedAccount = ({ lists, rows }: WholeAccount): WholeAccount => ({
    lists: new Map([...lists].map(([label, list]) => [label, cleanedList(list)])),
    rows,
  });
  const currentUser = (signal?: AbortSignal) =>
    send({ method: "GET", path: "/api/v0/users/current/", endpoint: "user" }, signal);

  return {
    accountId,
    readAccountId,
    rememberAccountId(id, key) {
      account = { id, key };
    },

    async listInstances(label, signal, options = {}) {
      const filters = label === null ? null : { label: { eq: label } };
      const rows = await readInstanceList(send, filters, options, signal);
      return rows.filter((row) => label === null || row.label === label).map(cleaned);
    },

    async listByIds(ids, signal) {
      const rows = await readInstanceList(send, { id: { in: ids } }, { retryRateLimited: false }, signal);
      return rows.filter(({ id }) => ids.includes(id)).map(cleaned);
    },

    async showInstance(id, signal) {
      const path = `/api/v0/instances/${id}/`;
      const call = { method: "GET", path, endpoint: "show", retryRateLimited: false } as const;
      const { instances } = expectShape(oneInstance, await send(call, signal), `GET ${path}`, "no `instances`");
      const row = readInstance(instances);
      return row?.id === id ? cleaned(row) : null;
    },

    async listByLabels(labels, signal) {
      const { lists } = await readListsByLabel(send, { label: { in: labels } }, signal, READ_FOR_ALL);
      if ([...lists.keys()].some((label) => !labels.includes(label))) return null;
      return new Map(labels.map((label) => [label, cleanedList(lists.get(label) ?? [])]));
    },

    async listAccount(signal, options) {
      return cleanedAccount(await readListsByLabel(send, null, signal, options));
    },

    async countInstances(which, signal) {
      const counted = await countInstances(send, which, signal);
      return counted?.whole ? { ...counted, whole: cleanedAccount(counted.whole) } : counted;
    },

    async findTemplate(name, signal, { retryRateLimited = true } = {}) {
      const creator = await readAccountId(signal);
      const own = await ownTemplates(send, creator, name, retryRateLimited, signal);
      const ids = own.map(({ template }) => template.id);
      if (ids.length > 1 && ids.join() !== reportedDuplicates) onDuplicateTemplates?.(name, ids);
      reportedDuplicates = ids.length > 1 ? ids.join() : "";
      return own[0]?.template ?? null;
    },

    async templates(name, signal) {
      return ownTemplates(send, await readAccountId(signal), name, true, signal);
    },
    writeTemplate: (body, edited, fence, signal) => writeTemplate(send, body, edited, fence, signal),

    async readCredit(signal) {
      const { balance, credit } = expectShape(
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

    priceIncreases: (signal) => readPriceIncreases(send, signal),
    acceptPriceIncrease: (id, fence, signal) => acceptIncrease(send, id, fence, signal),
    charges: (from, to, signal) => readCharges(send, from, to, signal),

    async searchOffers(search, signal, onSent) {
      const call = "POST /api/v0/bundles/";
      const request = { method: "POST", path: "/api/v0/bundles/", body: search, endpoint: "search" } as const;
      const body = await send({ ...request, ...(onSent === undefined ? {} : { onSent }) }, signal);
      const { offers } = expectShape(offerList, body, call, "`offers` is not a list");
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
        ...(request.bid === undefined ? {} : { price: request.bid }),
      };
      const call = `PUT ${path}`;
      const limits = { deadlineMs: CREATE_ANSWER_MS, fence, ...(beforeSent === undefined ? {} : { beforeSent }) };
      const answer = await send({ method: "PUT", path, body, endpoint: "create", ...limits }, signal);
      return expectShape(contract, answer, call, "no `new_contract`").new_contract;
    },

    async destroyInstance(id, fence, signal) {
      await send({ method: "DELETE", path: `/api/v0/instances/${id}/`, body: {}, endpoint: "destroy", fence }, signal);
    },

    async changeBid(id, dollarsPerHour, fence, signal) {
      const path = `/api/v0/instances/bid_price/${id}/`;
      const body = { client_id: "me", price: dollarsPerHour };
      await send({ method: "PUT", path, body, endpoint: "bid_price", retryRateLimited: false, fence }, signal);
    },

    async updateTemplate({ id, templateHash, image, diskSpace, imageLogin }, fence, signal) {
      const path = `/api/v0/instances/update_template/${id}/`;
      // Without the id in the body: the API may refuse what stands in the path as well.
      const body = {
        template_hash_id: templateHash,
        image,
        ...(diskSpace === undefined ? {} : { disk: diskSpace }),
        ...(imageLogin === undefined ? {} : { image_login: imageLogin }),
      };
      await send({ method: "PUT", path, body, endpoint: "update_template", fence }, signal);
    },

    async writeLabel(id, label, fence, signal) {
      const path = `/api/v0/instances/${id}/`;
      await send({ method: "PUT", path, body: { label }, endpoint: "manage", fence }, signal);
    },

    async recycleInstance(id, fence, signal) {
      const path = `/api/v0/instances/recycle/${id}/`;
      await send({ method: "PUT", path, body: {}, endpoint: "recycle", fence }, signal);
    },
  };
}
