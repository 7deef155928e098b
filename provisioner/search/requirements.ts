// What an offer must have besides what the user's query says, and the body of the search that asks for both. Pure.
import { bannedIds } from "../model/bans.ts";
import type { Ban } from "../model/observation.ts";
import type { Template } from "../vast/rows.ts";
import { numberOf } from "./columns.ts";
import { type Condition, type Filters, OPTION_NAMES } from "./fields.ts";
import type { SearchQuery } from "./query.ts";

// The API's own default where a template names no disk space, and the least it accepts.
const DEFAULT_DISK_GB = 10;
const LEAST_DISK_GB = 8;
// ssh takes a port of the machine beside those that the template publishes.
const SSH_PORTS = 1;
// An instance ends with its offer: one that ends today is replaced today.
const LEAST_DURATION_SECONDS = 86_400;

export interface Requirements {
  diskGb: number;
  directPorts: number;
  maxDollarsPerHour: number | undefined;
  bans: readonly Ban[];
}

export function requirements(
  template: Template,
  maxDollarsPerHour: number | undefined,
  bans: readonly Ban[],
): Requirements {
  return {
    diskGb: diskSpace(template),
    directPorts: template.publishedPorts + SSH_PORTS,
    maxDollarsPerHour,
    bans,
  };
}

/** GB that an instance of this template gets. */
export function diskSpace(template: Template): number {
  return Math.max(template.diskSpace ?? DEFAULT_DISK_GB, LEAST_DISK_GB);
}

/** What the program asks of every offer by itself; a query that says how long an offer must last decides that alone. */
export function ownFilters(query: SearchQuery, needs: Requirements): Filters {
  const own: Record<string, Condition> = { direct_port_count: { gte: needs.directPorts } };
  const { duration, end_date: endDate } = query.filters;
  if (duration === undefined && endDate === undefined) own.duration = { gte: LEAST_DURATION_SECONDS };
  return own;
}

/**
 * The flat body of a search: the user's query, and what the program needs on top of it. `passedOver` are machines that
 * failed here lately.
 */
export function searchBody(
  query: SearchQuery,
  needs: Requirements,
  passedOver: readonly number[],
): Record<string, unknown> {
  const filters: Record<string, Condition> = { ...query.filters };
  const require = (field: string, condition: Condition) => {
    filters[field] = both(filters[field] ?? {}, condition);
  };
  for (const [field, condition] of Object.entries(ownFilters(query, needs))) require(field, condition);
  if (needs.maxDollarsPerHour !== undefined) require("dph_total", { lte: needs.maxDollarsPerHour });
  const hosts = bannedIds(needs.bans, "host");
  const machines = [...new Set([...bannedIds(needs.bans, "machine"), ...passedOver])];
  if (hosts.length > 0) require("host_id", { notin: hosts });
  if (machines.length > 0) require("machine_id", { notin: machines });
  return body({ ...query, filters }, needs.diskGb);
}

/** The API's own most; more pages would be more calls. */
export const MOST_ROWS = 64;

/** The user's query alone, cheapest first: without price ceiling, bans and what the program asks for by itself. */
export function queryAlone(query: SearchQuery, { diskGb }: Requirements): Record<string, unknown> {
  return { ...body(query, diskGb), order: [["dph_total", "asc"]], limit: MOST_ROWS };
}

function body({ filters, options: beside }: SearchQuery, diskGb: number): Record<string, unknown> {
  // A text query may name order, type and limit as if they were filters.
  const real = Object.entries(filters).filter(([field]) => !OPTION_NAMES.has(field));
  return { type: "on-demand", ...beside, ...Object.fromEntries(real), allocated_storage: diskGb };
}

/** Both conditions in one: of two limits the stricter one, of two lists to leave out their union. */
function both(user: Condition, own: Condition): Condition {
  const merged: Record<string, unknown> = { ...user };
  if (merged.eq === "any") delete merged.eq;
  if (own.gte !== undefined) merged.gte = Math.max(numberOf(user.gte) ?? 0, Number(own.gte));
  if (own.lte !== undefined) merged.lte = Math.min(numberOf(user.lte) ?? Number.POSITIVE_INFINITY, Number(own.lte));
  if (Array.isArray(own.notin)) merged.notin = [...(Array.isArray(user.notin) ? user.notin : []), ...own.notin];
  return merged;
}
