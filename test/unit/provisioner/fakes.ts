// Fakes of what the provisioner touches: they record every call, and a script decides which call fails.
import type { Clock } from "../../../common/clock.ts";
import type { Logger } from "../../../common/logging.ts";
import { createLogger } from "../../../common/logging.ts";
import type { BanStore } from "../../../provisioner/blacklist/store.ts";
import { type AccountReadings, createAccountReadings } from "../../../provisioner/fleet/account-readings.ts";
import { createOfferMarket, type OfferMarket } from "../../../provisioner/fleet/offer-market.ts";
import { known } from "../../../provisioner/model/observation.ts";
import type { Pauses } from "../../../provisioner/observe/pauses.ts";
import type { State } from "../../../provisioner/state/schema.ts";
import type { Charges, PriceIncrease } from "../../../provisioner/vast/account-calls.ts";
import type { CreateRequest, UpdateRequest, VastClient } from "../../../provisioner/vast/client.ts";
import { VastError, type VastErrorFields } from "../../../provisioner/vast/errors.ts";
import type { InstanceCounts } from "../../../provisioner/vast/instance-list.ts";
import type { Instance, Offer, Template } from "../../../provisioner/vast/rows.ts";
import type { OwnTemplate } from "../../../provisioner/vast/template-calls.ts";
import { LABEL, template } from "./plan/situation.ts";

export function vastError(kind: VastErrorFields["kind"], over: Partial<VastErrorFields> = {}): VastError {
  return new VastError({ kind, call: "PUT /api/v0/asks/1/", status: 400, slug: "", text: "it said so", ...over });
}

/** In the order in which it happened: `save`, `create 31415926`, `destroy 42`, ... Shared by all fakes of a test. */
export type Journal = string[];

export const ACCOUNT_ID = 4321;

export interface FakeClient extends VastClient {
  requests: CreateRequest[];
  searches: Record<string, unknown>[];
  updates: UpdateRequest[];
  bids: { id: number; dollarsPerHour: number }[];
}

export interface ClientScript {
  rows?: () => readonly Instance[];
  /** Called with the labels of a list that is asked for. */
  onList?: (labels: readonly string[]) => void;
  counts?: (which: "all" | "not_running") => InstanceCounts | null;
  template?: () => Template | null;
  /** $ left to spend. */
  credit?: () => number | null;
  priceIncreases?: () => PriceIncrease[];
  /** Accepts, or throws. */
  acceptPrice?: (id: number) => void;
  charges?: () => Charges;
  offers?: () => Offer[];
  /** Answers the contract, or throws. */
  create?: (offerId: number) => number;
  destroy?: (id: number) => void;
  update?: (request: UpdateRequest) => void;
  recycle?: (id: number) => void;
  changeBid?: (id: number) => void;
  writeLabel?: (id: number) => void;
  show?: (id: number) => Instance | null;
  templates?: () => OwnTemplate[];
  writeTemplate?: (body: Readonly<Record<string, unknown>>, edited: string | null) => Template;
}

/** A function of the script may throw. */
export function fakeClient(journal: Journal, script: ClientScript = {}): FakeClient {
  const requests: CreateRequest[] = [];
  const searches: Record<string, unknown>[] = [];
  const updates: UpdateRequest[] = [];
  const bids: FakeClient["bids"] = [];
  return {
    requests,
    searches,
    updates,
    bids,
    async listInstances(label) {
      journal.push("list");
      script.onList?.([label ?? ""]);
      return [...(script.rows?.() ?? [])];
    },
    async listByIds(ids) {
      journal.push(`list ids ${ids.join()}`);
      return (script.rows?.() ?? []).filter(({ id }) => ids.includes(id));
    },
    async showInstance(id) {
      journal.push(`show ${id}`);
      return script.show?.(id) ?? null;
    },
    accountId: () => ACCOUNT_ID,
    readAccountId: async () => ACCOUNT_ID,
    rememberAccountId: () => undefined,
    async listByLabels(labels) {
      journal.push(`list ${labels.join()}`);
      script.onList?.(labels);
      const rows = script.rows?.() ?? [];
      return new Map(labels.map((label) => [label, rows.filter((row) => row.label === label)]));
    },
    async listAccount() {
      journal.push("list");
      const rows = script.rows?.() ?? [];
      const labels = new Set(rows.map(({ label }) => label ?? ""));
      const lists = new Map([...labels].map((label) => [label, rows.filter((row) => (row.label ?? "") === label)]));
      return { lists, rows: rows.length };
    },
    async countInstances(which) {
      journal.push(`count ${which}`);
      return script.counts?.(which) ?? null;
    },
    async findTemplate() {
      journal.push("template");
      return script.template ? script.template() : template;
    },
    async templates() {
      journal.push("templates");
      return [...(script.templates?.() ?? [])];
    },
    async writeTemplate(body, edited) {
      journal.push(edited === null ? "create template" : `edit template ${edited}`);
      if (script.writeTemplate === undefined) throw new Error("no write of a template was expected");
      return script.writeTemplate(body, edited);
    },
    async readCredit() {
      journal.push("credit");
      return script.credit ? script.credit() : 100;
    },
    async priceIncreases() {
      journal.push("price increases");
      return script.priceIncreases?.() ?? [];
    },
    async acceptPriceIncrease(id) {
      journal.push(`accept price ${id}`);
      script.acceptPrice?.(id);
    },
    async charges() {
      journal.push("charges");
      return script.charges?.() ?? {};
    },
    async searchOffers(body) {
      journal.push("search");
      searches.push(body);
      return script.offers?.() ?? [];
    },
    async createInstance(request) {
      journal.push(`create ${request.offerId}`);
      requests.push(request);
      if (script.create === undefined) throw new Error("no create was expected");
      return script.create(request.offerId);
    },
    async destroyInstance(id) {
      journal.push(`destroy ${id}`);
      script.destroy?.(id);
    },
    async updateTemplate(request) {
      journal.push(`update ${request.id}`);
      updates.push(request);
      script.update?.(request);
    },
    async recycleInstance(id) {
      journal.push(`recycle ${id}`);
      script.recycle?.(id);
    },
    async writeLabel(id, label) {
      journal.push(`label ${id} ${label}`);
      script.writeLabel?.(id);
    },
    async changeBid(id, dollarsPerHour) {
      journal.push(`bid ${id}`);
      bids.push({ id, dollarsPerHour });
      script.changeBid?.(id);
    },
  };
}

/** The readings of a pod that shares nothing. */
export const ownReadings = (client: VastClient, clock: Clock): AccountReadings =>
  createAccountReadings({ client, clock, fleet: null });

/** The offers of a pod that shares nothing. */
export const ownMarket = (client: VastClient, clock: Clock): OfferMarket =>
  createOfferMarket({ client, clock, fleet: null, label: LABEL });

export interface FakeDisk {
  save(state: State): Promise<void>;
  /** Every state that was saved. */
  saved: State[];
  /** Makes the next saves fail, or work again. */
  full: boolean;
}

export function fakeDisk(journal: Journal, taken: (state: State) => void = () => undefined): FakeDisk {
  const disk: FakeDisk = {
    saved: [],
    full: false,
    async save(state) {
      taken(state);
      if (disk.full) throw Object.assign(new Error("ENOSPC: no space left on device, open"), { code: "ENOSPC" });
      journal.push("save");
      disk.saved.push(structuredClone(state));
    },
  };
  return disk;
}

/** A ban store that journals its writes; `away` makes every write fail. */
export function fakeBans(journal: Journal, away = false): BanStore {
  const write = async (text: string) => {
    if (away) throw new Error("Command timed out");
    journal.push(text);
  };
  return {
    bans: async () => known([]),
    counters: async () => new Map(),
    ban: (kind, id, reason) => write(`ban ${kind} ${id} ${reason}`),
    startWaiting: (id, since) => write(`start_waiting ${id} ${since}`),
    postponeWaiting: (id, since) => write(`postpone_waiting ${id} ${since}`),
    stopWaiting: (id) => write(`stop_waiting ${id}`),
    countRestarts: (id, times) => write(`count_restart ${id} ${times}`),
  };
}

/** A process that was never paused. */
export const noPauses: Pauses = { totalMs: () => 0 };

/** A logger and the lines that it wrote. */
export function fakeLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { log: createLogger({ app: "test", debug: true, secrets: () => [], destination }), lines };
}

export const never = { stop: new AbortController().signal, abortMutations: new AbortController().signal };
