// The filter language of the API: `{field: {operator: value}}`, with the vendor's loose ideas of equality. Pure.
import { isObject, type Json, type JsonObject, numberOrNull } from "../json.ts";

export type Operator = "eq" | "neq" | "gt" | "gte" | "lt" | "lte" | "in" | "notin";
const OPERATORS: ReadonlySet<string> = new Set(["eq", "neq", "gt", "gte", "lt", "lte", "in", "notin"]);

export interface Filter {
  field: string;
  operator: Operator;
  value: Json;
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

function isOperator(text: string): text is Operator {
  return OPERATORS.has(text);
}

/** Reads `{field: {operator: value}}`. A problem is a sentence for `msg`. */
export function parseFilters(json: Json): Parsed<Filter[]> {
  if (!isObject(json)) return { ok: false, problem: "AttributeError: select_filters must be a JSON object" };
  const filters: Filter[] = [];
  for (const [field, conditions] of Object.entries(json)) {
    if (!isObject(conditions)) return { ok: false, problem: `Error in query parameters: ${field} must be an object` };
    for (const [operator, value] of Object.entries(conditions)) {
      if (!isOperator(operator)) {
        return { ok: false, problem: `Error in query parameters: ${operator} is not a valid operator` };
      }
      if ((operator === "in" || operator === "notin") && !Array.isArray(value)) {
        return { ok: false, problem: `Error in query parameters: ${operator} takes a list` };
      }
      filters.push({ field, operator, value });
    }
  }
  return { ok: true, value: filters };
}

/** True if a row's value passes. Numbers and booleans can be written as strings; null is neither smaller nor larger than anything. */
export function passes(actual: Json, { operator, value }: Filter): boolean {
  switch (operator) {
    case "eq":
      return value === "any" || same(actual, value);
    case "neq":
      return !same(actual, value);
    case "in":
      return Array.isArray(value) && value.some((one) => same(actual, one));
    case "notin":
      return !(Array.isArray(value) && value.some((one) => same(actual, one)));
    case "gt":
      return ordered(actual, value, (order) => order > 0);
    case "gte":
      return ordered(actual, value, (order) => order >= 0);
    case "lt":
      return ordered(actual, value, (order) => order < 0);
    case "lte":
      return ordered(actual, value, (order) => order <= 0);
  }
}

export function same(actual: Json, wanted: Json): boolean {
  if (actual === wanted) return true;
  if (typeof actual === "number")
    return (typeof wanted === "boolean" ? Number(wanted) : numberOrNull(wanted)) === actual;
  if (typeof actual === "boolean") {
    if (typeof wanted === "number") return wanted === Number(actual);
    return typeof wanted === "string" && wanted.toLowerCase() === String(actual);
  }
  if (typeof actual === "string" && typeof wanted === "number") return numberOrNull(actual) === wanted;
  return false;
}

function ordered(actual: Json, wanted: Json, test: (order: number) => boolean): boolean {
  if (actual === null || wanted === null) return false;
  const [a, b] = [numberOrNull(actual), numberOrNull(wanted)];
  if (a !== null && b !== null) return test(a - b);
  if (typeof actual === "string" && typeof wanted === "string")
    return test(actual < wanted ? -1 : actual > wanted ? 1 : 0);
  return false;
}

/** Order of two values of a column: null first, then numbers by size, then texts by code unit. */
export function compareValues(a: Json, b: Json): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : 1;
  return Number(a) - Number(b);
}

/** The named columns of a row; unknown ones are null, `*` is all of them. */
export function selectColumns(row: JsonObject, columns: readonly string[]): JsonObject {
  if (columns.includes("*")) return row;
  return Object.fromEntries(columns.map((name) => [name, row[name] ?? null]));
}
