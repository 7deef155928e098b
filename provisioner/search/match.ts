// Whether an offer's row meets a filter: asked again here, since the API's own filters are known to be loose. Pure.
import { columnOf, country, driverNumber, type Fields, numberOf } from "./columns.ts";
import { type Filters, OPERATORS, OPTION_NAMES, type Operator, SHORT_NAMES } from "./fields.ts";

const WILDCARDS: ReadonlySet<unknown> = new Set(["any", "*", "?"]);
// What these leave open costs money or is refused by the API: a row that does not carry them does not meet a filter on them.
const NEVER_OPEN: ReadonlySet<string> = new Set(["dph_total", "dphtotal", "dph_base", "rentable"]);

/** The first condition that the row does not meet, as a message says it, or null. */
export function firstMismatch(row: Fields, filters: Filters): string | null {
  for (const [field, condition] of Object.entries(filters)) {
    if (OPTION_NAMES.has(field)) continue;
    for (const operator of OPERATORS) {
      if (Object.hasOwn(condition, operator) && !matches(row, field, operator, condition[operator]))
        return `${field} ${operator} ${JSON.stringify(condition[operator])}`;
    }
  }
  return null;
}

/** A field that the row does not carry excludes nothing, unless it is a price or says whether the offer can be rented. */
export function matches(row: Fields, field: string, operator: Operator, value: unknown): boolean {
  if (operator === "eq" && WILDCARDS.has(value)) return true;
  // "Include machines on which we rent already": only `false` leaves rows out.
  if (field === "rented") return !(operator === "eq" && same(false, value)) || row.rented !== true;
  const actual = columnOf(row, field);
  const asksForNull = value === null || (Array.isArray(value) && value.includes(null));
  if (actual === undefined || (actual === null && !asksForNull))
    return !NEVER_OPEN.has(SHORT_NAMES.get(field) ?? field);
  const wanted = Array.isArray(value) ? value.map((one) => inColumn(field, one)) : inColumn(field, value);
  return compare(actual, operator, wanted);
}

/** The value as the column has it. */
function inColumn(field: string, value: unknown): unknown {
  if (field === "driver_version") return driverNumber(value);
  if (field === "geolocation" && typeof value === "string" && value.length === 2) return country(value);
  return value;
}

function compare(actual: unknown, operator: Operator, value: unknown): boolean {
  const among = () => Array.isArray(value) && value.some((one) => same(actual, one));
  switch (operator) {
    case "eq":
      return same(actual, value);
    case "neq":
      return !same(actual, value);
    case "in":
      return among();
    case "notin":
      return !among();
    case "gt":
      return ordered(actual, value, (sign) => sign > 0);
    case "gte":
      return ordered(actual, value, (sign) => sign >= 0);
    case "lt":
      return ordered(actual, value, (sign) => sign < 0);
    case "lte":
      return ordered(actual, value, (sign) => sign <= 0);
  }
}

/** Numbers and booleans may be written as text on either side; texts are equal only to the letter. */
function same(actual: unknown, value: unknown): boolean {
  if (actual === value) return true;
  // Some rows have 1 and 0 where filters have true and false, and the other way round.
  if (typeof actual === "boolean") {
    const number = numberOf(value);
    return number === null ? String(value).toLowerCase() === String(actual) : number === Number(actual);
  }
  if (typeof value === "boolean") return numberOf(actual) === Number(value);
  const [a, b] = [numberOf(actual), numberOf(value)];
  return a !== null && a === b && (typeof actual === "number" || typeof value === "number");
}

function ordered(actual: unknown, value: unknown, test: (sign: number) => boolean): boolean {
  const [a, b] = [numberOf(actual), numberOf(value)];
  if (a !== null && b !== null) return test(a - b);
  if (typeof actual !== "string" || typeof value !== "string") return false;
  return test(actual < value ? -1 : actual > value ? 1 : 0);
}
