// What is searched for and which offer is taken. Pure.
import { bannedIds, banOf } from "./bans.ts";
import type { Memory } from "./memory.ts";
import type { Ban } from "./observation.ts";
import type { Offer, Template } from "./vast/rows.ts";

// The API's own default where a template names no disk space, and the least it accepts.
const DEFAULT_DISK_GB = 10;
const LEAST_DISK_GB = 8;

/** GB that an instance of this template gets. */
export function diskSpace(template: Template): number {
  return Math.max(template.diskSpace ?? DEFAULT_DISK_GB, LEAST_DISK_GB);
}

/** The flat body of a search: the user's query with disk, price ceiling and bans added; what it asks for stays in force. */
export function searchBody(
  query: Readonly<Record<string, unknown>>,
  disk: number,
  bans: readonly Ban[],
  maxDollarsPerHour: number | undefined,
): Record<string, unknown> {
  const body: Record<string, unknown> = { type: "on-demand", ...query, allocated_storage: disk };
  for (const kind of ["host", "machine"] as const) {
    const banned = bannedIds(bans, kind);
    if (banned.length === 0) continue;
    const own = condition(query[`${kind}_id`]);
    const notin = Array.isArray(own.notin) ? own.notin : [];
    body[`${kind}_id`] = { ...own, notin: [...notin, ...banned] };
  }
  if (maxDollarsPerHour !== undefined) {
    const own = condition(query.dph_total);
    const lte = own.lte === undefined ? maxDollarsPerHour : Math.min(Number(own.lte), maxDollarsPerHour);
    body.dph_total = { ...own, lte };
  }
  return body;
}

function condition(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

export interface Choice {
  /** In the API's order, which is the user's. */
  offers: readonly Offer[];
  /** A sentence that says what became of the rest. */
  summary: string;
}

/** The offers that may be taken, checked here again because the server's filters are known to be loose. */
export function acceptable(
  offers: readonly Offer[],
  bans: readonly Ban[],
  memory: Memory,
  maxDollarsPerHour: number | undefined,
): Choice {
  const excluded = new Map<string, number>();
  const why = (offer: Offer): string | null => {
    if (!offer.rentable) return "not rentable";
    const ban = banOf(offer, bans);
    if (ban !== undefined) return `on a banned ${ban.kind}`;
    if (memory.avoided.some((entry) => entry.machineId === offer.machineId))
      return "on a machine that failed within the last hour";
    if (memory.goneOffers.some((entry) => entry.id === offer.id)) return "just taken by somebody else";
    if (maxDollarsPerHour === undefined) return null;
    if (offer.dollarsPerHour === null) return "without a price that VAST_MAX_DPH could be held against";
    if (offer.dollarsPerHour > maxDollarsPerHour) return "above VAST_MAX_DPH";
    return null;
  };
  const taken = offers.filter((offer) => {
    const reason = why(offer);
    if (reason !== null) excluded.set(reason, (excluded.get(reason) ?? 0) + 1);
    return reason === null;
  });
  if (offers.length === 0)
    return {
      offers: taken,
      summary: "VAST_SEARCH_QUERY finds no offer: loosen its filters, or raise VAST_MAX_DPH if it is set",
    };
  const parts = [...excluded].map(([reason, count]) => `${count} ${reason}`);
  const summary = `of ${offers.length} offers ${taken.length} can be taken${parts.length > 0 ? `, the others are: ${parts.join(", ")}` : ""}`;
  return { offers: taken, summary };
}
