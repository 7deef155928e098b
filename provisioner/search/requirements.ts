// The requirements on an offer in addition to the user's query, and the search body with both. Pure.

import { bannedIds } from "../model/bans.ts";
import type { Bid } from "../model/bid.ts";
import { diskSpace } from "../model/disk-space.ts";
import type { Ban } from "../model/observation.ts";
import type { Template } from "../vast/rows.ts";
import { numberOf } from "./columns.ts";
import { type Condition, type Filters, OPTION_NAMES } from "./fields.ts";
import type { SearchQuery } from "./query.ts";

// ssh needs one more port of the machine than the template publishes.
const SSH_PORTS = 1;

export interface Requirements {
  diskGb: number;
  directPorts: number;
  maxDollarsPerHour: number | undefined;
  bans: readonly Ban[];
  /** Absent: it is rented on demand. */
  bid?: Bid | undefined;
}

export function requirements(
  template: Template,
  maxDollarsPerHour: number | undefined,
  bans: readonly Ban[],
  bid?: Bid,
): Requirements {
  return {
    diskGb: diskSpace(template),
    directPorts: template.publishedPorts + SSH_PORTS,
    maxDollarsPerHour,
    bans,
    bid,
  };
}

/** The program's own filters for every offer. */
export function ownFilters(query: SearchQuery, needs: Requirements): Filters {
  const own: Record<string, Condition> = { direct_port_count: { gte: needs.directPorts } };
  if (query.minDurationSeconds > 0) own.duration = { gte: query.minDurationSeconds };
  return own;
}

/**
 * The flat body of a search: the user's query plus the program's requirements. `avoidedMachines` are machines that failed here
 * recently.
 */
export function searchBody(
  query: SearchQuery,
  needs: Requirements,
  avoidedMachines: readonly number[],
): Record<string, unknown> {
  const filters: Record<string, Condition> = { ...query.filters };
  const require = (field: string, condition: Condition) => {
    filters[field] = both(filters[field] ?? {}, condition);
  };
  for (const [field, condition] of Object.entries(ownFilters(query, needs))) require(field, condition);
  if (needs.maxDollarsPerHour !== undefined) require("dph_total", { lte: needs.maxDollarsPerHour });
  const hosts = bannedIds(needs.bans, "host");
  const machines = [...new Set([...bannedIds(needs.bans, "machine"), ...avoidedMachines])];
  if (hosts.length > 0) require("host_id", { notin: hosts });
  if (machines.length > 0) require("machine_id", { notin: machines });
  return { limit: MAX_ROWS, ...body({ ...query, filters }, needs) };
}

/** The API's maximum for one search; more offers would need more calls. What it returns without a limit is not documented. */
export const MAX_ROWS = 64;

/** The user's query alone, cheapest first: without price ceiling, bans and the program's own filters. */
export function queryAlone(query: SearchQuery, needs: Requirements): Record<string, unknown> {
  return { ...body(query, needs), order: [["dph_total", "asc"]], limit: MAX_ROWS };
}

function body({ filters, options }: SearchQuery, { diskGb, bid }: Requirements): Record<string, unknown> {
  // A text query may contain order, type and limit as if they were filters.
  const real = Object.entries(filters).filter(([field]) => !OPTION_NAMES.has(field));
  const type = bid === undefined ? {} : { type: "bid" };
  return { type: "on-demand", ...options, ...type, ...Object.fromEntries(real), allocated_storage: diskGb };
}

/** Merges two conditions: the stricter one of two limits, the union of two exclusion lists. */
function both(user: Condition, own: Condition): Condition {
  const merged: Record<string, unknown> = { ...user };
  if (merged.eq === "any") delete merged.eq;
  if (own.gte !== undefined) merged.gte = Math.max(numberOf(user.gte) ?? 0, Number(own.gte));
  if (own.lte !== undefined) merged.lte = Math.min(numberOf(user.lte) ?? Number.POSITIVE_INFINITY, Number(own.lte));
  if (Array.isArray(own.notin)) merged.notin = [...(Array.isArray(user.notin) ? user.notin : []), ...own.notin];
  return merged;
}
