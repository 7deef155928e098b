// Whether an offer's row matches a filter. Checked here again, because the API's own filters are not strict. Pure.
import { columnOf, country, driverNumber, type Fields, numberOf } from "./columns.ts";
import { type Filters, OPERATORS, OPTION_NAMES, type Operator, SHORT_NAMES } from "./fields.ts";

const WILDCARDS: ReadonlySet<unknown> = new Set(["any", "*", "?"]);
// A row without one of these fields does not match a filter on it: otherwise it could cost too much or be refused by the API.
const REQUIRED_FIELDS: ReadonlySet<string> = new Set(["dph_total", "dphtotal", "dph_base", "rentable"]);

/** The first condition that the row does not match, as text for a message, or null. */
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

/** A field that the row does not have matches every filter, unless it is a price or `rentable`. */
export function matches(row: Fields, field: string, operator: Operator, value: unknown): boolean {
  if (operator === "eq" && WILDCARDS.has(value)) return true;
  // The field means "include machines on which this account already rents": only `false` excludes rows.
  if (field === "rented") return !(operator === "eq" && same(false, value)) || row.rented !== true;
  const actual = columnOf(row, field);
  const allowsNull = value === null || (Array.isArray(value) && value.includes(null));
  if (actual === undefined || (actual === null && !allowsNull))
    return !REQUIRED_FIELDS.has(SHORT_NAMES.get(field) ?? field);
  const expected = Array.isArray(value) ? value.map((one) => inColumn(field, one)) : inColumn(field, value);
  return compare(actual, operator, expected);
}

/** The filter's value in the column's form. */
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

/** Numbers and booleans may be written as text on either side; texts must be identical. */
function same(actual: unknown, value: unknown): boolean {
  if (actual === value) return true;
  // Some rows have 1 and 0 where filters have true and false, and vice versa.
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
