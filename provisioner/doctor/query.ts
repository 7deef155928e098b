// What the search query finds now, which of its conditions excludes most, and the slip that is likely behind it. Pure.
import { columnOf } from "../search/columns.ts";
import { exclusionText } from "../search/exclusions.ts";
import { type Filters, OPERATORS, OPTION_NAMES, type Operator } from "../search/fields.ts";
import { matches } from "../search/match.ts";
import type { SearchQuery } from "../search/query.ts";
import { MAX_ROWS, type Requirements } from "../search/requirements.ts";
import { selectOffers } from "../search/select-offers.ts";
import type { Offer } from "../vast/rows.ts";
import { type Finding, fail, ok, warn } from "./findings.ts";
import { probableValue } from "./query-slip.ts";

/** What the query alone finds, cheapest first. `sample`: offers of the same kind without its other conditions, when it finds none. */
export interface Market {
  found: readonly Offer[];
  sample: readonly Offer[];
}

interface Condition {
  field: string;
  operator: Operator;
  value: unknown;
}

// These say which kind of offers is searched: they stay in the sample.
const KINDS: ReadonlySet<string> = new Set(["verified", "external", "rentable", "rented"]);
// With fewer offers a create may lose them all to other customers.
const FEW_OFFERS = 3;

/** `isJson`: the query is written as JSON, whose units are those of the API. */
export function judgeQuery(query: SearchQuery, isJson: boolean, needs: Requirements, market: Market): Finding[] {
  const { found } = market;
  const conditions = conditionsOf(query.filters);
  if (found.length === 0) return [judgeNothing(conditions, isJson, market.sample)];
  const { offers, exclusions } = selectOffers(found, query, needs, { avoided: [], goneOffers: [] });
  const count = `${found.length < MAX_ROWS ? found.length : `${MAX_ROWS} or more`} offers`;
  const out = exclusions.length === 0 ? "" : `; out: ${exclusionText(exclusions)}`;
  const doubts = unseenFields(conditions, found);
  if (offers.length === 0) {
    const text = `${count}, and none can be taken${out}`;
    return [fail("query", text, "loosen what excludes most, or wait until the market changes"), ...doubts];
  }
  const prices = offers.map((offer) => offer.dollarsPerHour).filter((price) => price !== null);
  const cheapest = prices.length === 0 ? "" : `, from $${Math.min(...prices).toFixed(3)}/h`;
  const text = `${conditions.length} condition${conditions.length === 1 ? "" : "s"}: ${count}, ${offers.length} can be taken${cheapest}${out}`;
  // What the cheapest offers show says nothing about those that one search does not return.
  if (offers.length < FEW_OFFERS && found.length < MAX_ROWS)
    return [
      warn("query", text, "others may take these offers first: loosen VAST_SEARCH_QUERY or raise VAST_MAX_DPH"),
      ...doubts,
    ];
  return [ok("query", text), ...doubts];
}

function judgeNothing(conditions: readonly Condition[], isJson: boolean, sample: readonly Offer[]): Finding {
  const rows = sample.map(({ fields }) => fields);
  const excluding = conditions
    .map((condition) => ({ condition, excluded: rows.filter((row) => !meets(row, condition)).length }))
    .filter(({ excluded }) => excluded > 0)
    .sort((a, b) => b.excluded - a.excluded);
  const [most] = excluding;
  if (most === undefined)
    return fail(
      "query",
      "0 offers, and no single condition is the reason",
      "loosen VAST_SEARCH_QUERY: print what it means with vast-provisioner query",
    );
  const { condition, excluded } = most;
  const text = `0 offers: ${textOf(condition)} excludes ${excluded} of ${rows.length} others`;
  // One that excludes all of them is named with what was probably meant; of several any may be the slip.
  const slips = excluding.flatMap((one) => {
    if (one.excluded < rows.length) return [];
    const { field, operator, value } = one.condition;
    const meant = probableValue(field, operator, value, rows, isJson);
    return meant === null ? [] : [`did you mean ${meant} for ${field}?`];
  });
  return fail("query", text, slips[0] ?? `loosen ${condition.field} in VAST_SEARCH_QUERY`);
}

/** Conditions on fields that no offer shows: the API ignores fields that it does not know, and they cannot be checked again. */
function unseenFields(conditions: readonly Condition[], found: readonly Offer[]): Finding[] {
  const fields = new Set(conditions.map(({ field }) => field).filter((field) => !KINDS.has(field)));
  const unseen = [...fields].filter((field) => found.every((offer) => columnOf(offer.fields, field) === undefined));
  return unseen.map((field) =>
    warn("query", `no offer shows the field ${field}`, `the API may ignore the condition on ${field}: check its name`),
  );
}

function conditionsOf(filters: Filters): Condition[] {
  return Object.entries(filters).flatMap(([field, condition]) => {
    if (OPTION_NAMES.has(field)) return [];
    return OPERATORS.filter((operator) => Object.hasOwn(condition, operator)).map((operator) => ({
      field,
      operator,
      value: condition[operator],
    }));
  });
}

const meets = (row: Offer["fields"], { field, operator, value }: Condition) => matches(row, field, operator, value);
const textOf = ({ field, operator, value }: Condition) => `${field} ${operator} ${JSON.stringify(value)}`;

/** The body of a search for offers of the same kind without the query's other conditions. */
export function sampleBody({ filters }: SearchQuery, { diskGb, bid }: Requirements): Record<string, unknown> {
  const kept = Object.entries(filters).filter(([field]) => KINDS.has(field));
  const type = bid === undefined ? "on-demand" : "bid";
  return { type, ...Object.fromEntries(kept), allocated_storage: diskGb, limit: MAX_ROWS };
}
