// The offers that all pods of an account choose from: one search serves many creates, and no two pods try for one machine at once. Without
// a fleet each pod searches for itself. Touches the API and Redis.
import * as z from "zod";
import type { RedisScript } from "../redis/commands.ts";
import { REDIS_NOW } from "../redis/time.ts";
import type { VastClient } from "../vast/client.ts";
import type { Offer } from "../vast/rows.ts";
import { shortHash } from "./keys.ts";
import { type ReadingRequest, readShared, refreshShared, type SharedReadingParts } from "./shared-reading.ts";

export interface OfferSearch {
  /** The part that is the same for pods with the same settings: it names their market. */
  common: Record<string, unknown>;
  /** The search of one pod for all of them. */
  shared: LimitedSearch;
  /** The search of this pod for itself. */
  alone: LimitedSearch;
}

export interface LimitedSearch {
  body: Record<string, unknown>;
  without: LeftOut;
}

/** Ids of hosts and machines whose offers a search leaves out. */
export interface LeftOut {
  hosts: readonly number[];
  machines: readonly number[];
}

export interface FoundOffers {
  /** Those on machines that no other pod is about to rent. */
  offers: readonly Offer[];
  /** How many the search found. */
  total: number;
  without: LeftOut;
  /** This pod has searched itself, just now. */
  own: boolean;
  /** When the search was made, by Redis' clock; null where Redis does not know it. */
  sharedAt: number | null;
}

/** What became of an offer: `rented` by anybody, `left` to others, or it is `unknown`. */
export type OfferFate = "rented" | "left" | "unknown";

export interface OfferMarket {
  /** The offers of a search that is at most 45 s old, and newer than `before` where one is given. */
  find(search: OfferSearch, before: FoundOffers | null, signal?: AbortSignal): Promise<FoundOffers>;
  /** Searches for the next pods unless another pod does so: for offers newer than `before`, or when those that are shared get old. */
  refill(search: OfferSearch, before: FoundOffers | null, signal?: AbortSignal): void;
  /** The offers of a search that this pod makes now for itself. */
  findAlone(search: OfferSearch, signal?: AbortSignal): Promise<FoundOffers>;
  /** This pod rents none of these: the next `find` is to show a later search, so that one list does not count as two failures. */
  refuse(found: FoundOffers): void;
  /** What another search finds, reserved machines as well: for a message, so it may be 45 s old. */
  look(body: Record<string, unknown>, signal?: AbortSignal): Promise<readonly Offer[]>;
  /** False: another pod is about to rent this machine, or has rented it since the search; or the search is too old by now. */
  reserve(offer: Offer, found: FoundOffers): Promise<boolean>;
  /** Ends the reservation. */
  settle(offer: Offer, fate: OfferFate): Promise<void>;
  /** An instance on this machine is destroyed: what is free there is offered under new ids. Null: the machine is not known. */
  freed(machineId: number | null): Promise<void>;
}

export interface OfferMarketParts extends SharedReadingParts {
  client: Pick<VastClient, "searchOffers">;
  label: string;
}

// Offers are rented by other users all the time: after this a list costs more creates than a search.
const FRESH_MS = 45_000;
// The next search is made so much earlier: it may have to wait for its rate limit.
const REFILL_MS = 38_000;
// A search may have to wait 6 s for its rate limit, and many pods that search at once would all be refused: the lock of one that died
// expires earlier, and one of those that wait has it next.
const SEARCH_WAIT_MS = 12_000;
// Longer than a create takes with its wait for the rate limit, and longer than any list is used.
const RESERVED_MS = 90_000;
// A list that was asked for so long after a machine was rented shows what is left of it.
const LIST_LAG_MS = 5000;

// A reservation is "<Redis' time at which it was settled, or 0> <label>".
const IS_FREE = `
${REDIS_NOW}
local readAt = tonumber(ARGV[2])
if readAt == 0 then readAt = now end
local function free(key)
  local held = redis.call('GET', key)
  if not held then return true end
  local settledAt, label = string.match(held, '^(%d+) (.*)$')
  if tonumber(settledAt) > 0 then return tonumber(settledAt) + tonumber(ARGV[3]) < readAt end
  return label == ARGV[1]
end`;

/** KEYS: machines. ARGV: label, when the list was asked for (0: now), lag ms. Answers 1 for each machine that this label may rent. */
export const FREE_MACHINES: RedisScript = {
  name: "free machines",
  proves: "reading",
  lua: `${IS_FREE}
local answer = {}
for i, key in ipairs(KEYS) do answer[i] = free(key) and 1 or 0 end
return answer`,
};

/**
 * KEYS: the machine. ARGV: label, when the list was asked for (0: now), lag ms, ttl ms, how old the list may be. Answers 1 when the machine
 * is reserved for this label.
 */
export const RESERVE_MACHINE: RedisScript = {
  name: "reserve machine",
  proves: "writing",
  lua: `${IS_FREE}
if now - readAt > tonumber(ARGV[5]) or not free(KEYS[1]) then return 0 end
redis.call('SET', KEYS[1], '0 ' .. ARGV[1], 'PX', ARGV[4])
return 1`,
};

/** KEYS: the machine. ARGV: label, 1 if it is rented, ttl ms. Only the label's own reservation is settled. */
export const SETTLE_MACHINE: RedisScript = {
  name: "settle machine",
  proves: "writing",
  lua: `
if redis.call('GET', KEYS[1]) ~= '0 ' .. ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
${REDIS_NOW}
redis.call('SET', KEYS[1], string.format('%.0f', now) .. ' ' .. ARGV[1], 'PX', ARGV[3])
return 1`,
};

/** KEYS: the machine. ARGV: label, ttl ms. Offers of older lists are gone. A reservation stays: its create is under way. */
export const FREED_MACHINE: RedisScript = {
  name: "freed machine",
  proves: "writing",
  lua: `
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 2) == '0 ' then return 0 end
${REDIS_NOW}
redis.call('SET', KEYS[1], string.format('%.0f', now) .. ' ' .. ARGV[1], 'PX', ARGV[2])
return 1`,
};

const offerRows: z.ZodType<Offer[]> = z.array(
  z.object({
    id: z.int().positive(),
    hostId: z.number().nullable(),
    machineId: z.number().nullable(),
    dollarsPerHour: z.number().nullable(),
    gpuName: z.string(),
    rentable: z.boolean(),
    fields: z.record(z.string(), z.unknown()),
  }),
);
const ids = z.array(z.number());
const searchResult: z.ZodType<SearchResult> = z.object({
  offers: offerRows,
  without: z.object({ hosts: ids, machines: ids }),
});
const flags = z.array(z.union([z.literal(0), z.literal(1)]));

interface SearchResult {
  offers: readonly Offer[];
  without: LeftOut;
}

export function createOfferMarket({ client, label, clock, fleet }: OfferMarketParts): OfferMarket {
  const keyOf = ({ machineId }: Pick<Offer, "machineId">) =>
    machineId === null ? null : (fleet?.keys()?.taken(machineId) ?? null);
  /** Null: Redis did not answer, which its connection reports; then the API decides who comes first. */
  const evaluate = async (script: RedisScript, keys: readonly string[], args: readonly (string | number)[]) =>
    fleet === null || keys.length === 0 ? null : fleet.redis.evaluate(script, keys, args).catch(() => null);

  async function withoutReserved(found: FoundOffers): Promise<FoundOffers> {
    const keys = [...new Set(found.offers.flatMap((offer) => keyOf(offer) ?? []))];
    const answer = flags.safeParse(await evaluate(FREE_MACHINES, keys, [label, found.sharedAt ?? 0, LIST_LAG_MS]));
    if (!answer.success) return found;
    const taken = new Set(keys.filter((_, i) => answer.data[i] === 0));
    return { ...found, offers: found.offers.filter((offer) => !taken.has(keyOf(offer) ?? "")) };
  }

  // When the latest list was asked for of which this pod rents nothing, by Redis' clock.
  let refusedAt = 0;
  const hashOf = (search: Record<string, unknown>) => shortHash(JSON.stringify(search));
  const ages = { freshMs: FRESH_MS, usableMs: FRESH_MS, waitMs: SEARCH_WAIT_MS };

  const request = (
    { common, shared: { body, without } }: OfferSearch,
    before: FoundOffers | null,
    signal?: AbortSignal,
  ): ReadingRequest<SearchResult> => ({
    ...ages,
    key: fleet?.keys()?.offers(hashOf(common)) ?? null,
    after: Math.max(before?.sharedAt ?? 0, refusedAt),
    schema: searchResult,
    read: async (sent) => ({ offers: await client.searchOffers(body, signal, sent), without }),
  });

  async function findAlone({ alone: { body, without } }: OfferSearch, signal?: AbortSignal): Promise<FoundOffers> {
    const offers = await client.searchOffers(body, signal);
    return withoutReserved({ offers, total: offers.length, without, own: true, sharedAt: null });
  }

  return {
    async find(search, before, signal) {
      const wanted = request(search, before, signal);
      if (wanted.key === null) return findAlone(search, signal);
      const { value, own, sharedAt } = await readShared({ clock, fleet }, wanted, signal);
      const { offers, without } = value;
      return withoutReserved({ offers, total: offers.length, without, own, sharedAt });
    },
    refill(search, before, signal) {
      // Whoever needs the offers searches again, and reports why that fails.
      refreshShared({ clock, fleet }, { ...request(search, before, signal), freshMs: REFILL_MS }).catch(
        () => undefined,
      );
    },
    findAlone,
    refuse({ sharedAt }) {
      refusedAt = Math.max(refusedAt, sharedAt ?? 0);
    },
    async look(body, signal) {
      const read = (sent: () => void) => client.searchOffers(body, signal, sent);
      const wanted = { ...ages, key: fleet?.keys()?.allOffers(hashOf(body)) ?? null, schema: offerRows, read };
      return (await readShared({ clock, fleet }, wanted, signal)).value;
    },
    async reserve(offer, { sharedAt }) {
      const key = keyOf(offer);
      if (key === null) return true;
      const args = [label, sharedAt ?? 0, LIST_LAG_MS, RESERVED_MS, FRESH_MS];
      return (await evaluate(RESERVE_MACHINE, [key], args)) !== 0;
    },
    async settle(offer, fate) {
      const key = keyOf(offer);
      if (key === null || fate === "unknown") return;
      await evaluate(SETTLE_MACHINE, [key], [label, fate === "rented" ? 1 : 0, RESERVED_MS]);
    },
    async freed(machineId) {
      const key = keyOf({ machineId });
      if (key !== null) await evaluate(FREED_MACHINE, [key], [label, RESERVED_MS]);
    },
  };
}
