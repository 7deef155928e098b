// Converts a query like `gpu_name=RTX_4090 gpu_ram>=24` to filters, with the official command line's grammar and quirks. Pure.

import { type Condition, type Filters, type Operator, RECOGNISED, SHORT_NAMES, UNITS } from "./fields.ts";
import { float, int, repr, strip, zeroFill } from "./python-text.ts";
import { QueryError } from "./query-error.ts";
import { type Comparison, tokenize, UNQUOTED } from "./tokenize.ts";

/** The command line's default filters, which a query can override. */
export const DEFAULT_FILTERS: Filters = {
  verified: { eq: true },
  external: { eq: false },
  rentable: { eq: true },
};

const SIGNS: ReadonlyMap<string, Operator> = new Map([
  [">=", "gte"],
  [">", "gt"],
  ["gt", "gt"],
  ["gte", "gte"],
  ["<=", "lte"],
  ["<", "lt"],
  ["lt", "lt"],
  ["lte", "lte"],
  ["!=", "neq"],
  ["==", "eq"],
  ["=", "eq"],
  ["eq", "eq"],
  ["neq", "neq"],
  ["noteq", "neq"],
  ["not eq", "neq"],
  ["notin", "notin"],
  ["not in", "notin"],
  ["nin", "notin"],
  ["in", "in"],
]);
const WILDCARDS: ReadonlySet<string> = new Set(["?", "*", "any"]);
const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["None", null],
  ["null", null],
]);

/**
 * Adds the filters of `text` to `seed`. Calls `warn` for each field that the command line does not recognize; the field is
 * still sent. Throws only `QueryError`.
 */
export function parseQueryText(text: string, seed: Filters, warn: (field: string) => void): Filters {
  const filters = new Map<string, Condition>(Object.entries(seed));
  for (const comparison of tokenize(text)) add(filters, comparison, warn);
  return Object.fromEntries(filters);
}

function add(filters: Map<string, Condition>, comparison: Comparison, warn: (field: string) => void): void {
  const { position, piece } = comparison;
  const refuse = (reason: string, remedy: string) => new QueryError(reason, position, piece, remedy);
  const typed = strip(comparison.value, ",[]");
  const sign = comparison.operator.trim();
  const operator = SIGNS.get(sign);
  const field = SHORT_NAMES.get(comparison.field) ?? comparison.field;
  if (field !== comparison.field) rename(filters, comparison.field, field);

  const version = field === "driver_version" && typed.includes(".") ? versionNumber(typed) : undefined;
  if (!RECOGNISED.has(field)) warn(field);
  if (operator === undefined) {
    throw refuse(
      `Unknown operator. ${UNQUOTED} ${repr(sign)}`,
      sign === ""
        ? "write a field, an operator and a value; write a value with spaces with underscores or in double quotes"
        : "the operators are = != > >= < <= in notin",
    );
  }
  const list = operator === "in" || operator === "notin";
  if (list && version !== undefined) {
    throw refuse(
      "driver_version accepts no versions with dots after in and notin",
      "write them as numbers like 535086005",
    );
  }
  const value = version !== undefined ? version : list ? listItems(typed) : typed;
  if (value === null || value === 0 || value === "" || (Array.isArray(value) && value.length === 0)) {
    throw refuse(
      `Value cannot be blank. ${UNQUOTED} (${repr(field)}, ${repr(sign)}, ${value === null ? "None" : Array.isArray(value) ? "[]" : value === 0 ? "0" : "''"})`,
      version === undefined
        ? "write a value after the operator"
        : "write a driver version as three numbers without quotes, like 535.86.05",
    );
  }
  if (typeof value === "string" && WILDCARDS.has(value)) {
    if (operator !== "eq") throw refuse("Wildcard only makes sense with equals.", `write ${field}=${value}`);
    filters.delete(field);
    return;
  }
  const plain = typeof value === "string" ? withSpaces(value) : Array.isArray(value) ? value.map(withSpaces) : value;
  const sent = UNITS.has(field) ? inUnits(field, plain, refuse) : literal(plain);
  filters.set(field, { ...filters.get(field), [operator]: sent });
}

/** Moves the condition of a short name to the full name. */
function rename(filters: Map<string, Condition>, short: string, full: string): void {
  const condition = filters.get(short);
  if (condition === undefined) return;
  filters.delete(short);
  filters.set(full, condition);
}

/** 535.86.05 -> 535086005: three digits per part. Null when it is not a version. */
function versionNumber(text: string): number | null {
  const parts = text.split(".");
  return parts.length === 3 ? int(parts.map((part) => zeroFill(part, 3)).join("")) : null;
}

/** The items of a list. Commas inside quotes separate too. */
function listItems(text: string): string[] {
  return text
    .split(",")
    .map((element) => strip(element))
    .filter((element) => element !== "");
}

/** Underscores become spaces, also inside quotes. Single quotes have no special meaning. */
function withSpaces(text: string): string {
  return strip(text.replaceAll("_", " "), '"');
}

function literal(value: string | string[] | number): unknown {
  if (typeof value !== "string") return value;
  const word = WORDS.get(value);
  return word === undefined ? value : word;
}

function inUnits(
  field: string,
  value: string | string[] | number,
  refuse: (reason: string, remedy: string) => QueryError,
): number {
  const factor = UNITS.get(field) ?? 1;
  const unit = field === "duration" ? "days" : "GB";
  if (typeof value !== "string")
    throw refuse(`${field} accepts one number, not a list`, `compare it with >= and <=, in ${unit}`);
  const number = float(value);
  if (number === null)
    throw refuse(`could not convert string to float: ${repr(value)}`, `${field} is a number of ${unit}`);
  const sent = number * factor;
  if (!Number.isFinite(sent))
    throw refuse(`${repr(value)} is not a number that can be sent`, `${field} is a number of ${unit}`);
  return sent;
}
