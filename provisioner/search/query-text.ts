// The official command line's query grammar, its quirks included: `gpu_name=RTX_4090 gpu_ram>=24` to filters. Pure.

import { type Condition, type Filters, type Operator, RECOGNISED, SHORT_NAMES, UNITS } from "./fields.ts";
import { float, int, repr, strip, zeroFill } from "./python-text.ts";
import { QueryError } from "./query-error.ts";
import { type Comparison, tokenize, UNQUOTED } from "./tokenize.ts";

/** What that command line searches by where a query does not say otherwise. */
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
 * Adds what `text` says to `seed`. `warn` is told of each field that the command line does not recognise; the field is
 * sent all the same. Throws `QueryRefused` and nothing else.
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
        ? "a field, an operator and a value are needed; a value with blanks is written with underscores or in double quotes"
        : "the operators are = != > >= < <= in notin",
    );
  }
  const list = operator === "in" || operator === "notin";
  if (list && version !== undefined) {
    throw refuse(
      "driver_version takes no versions with dots after in and notin",
      "write them as numbers like 535086005",
    );
  }
  const value = version !== undefined ? version : list ? elements(typed) : typed;
  if (value === null || value === 0 || value === "" || (Array.isArray(value) && value.length === 0)) {
    throw refuse(
      `Value cannot be blank. ${UNQUOTED} (${repr(field)}, ${repr(sign)}, ${value === null ? "None" : Array.isArray(value) ? "[]" : value === 0 ? "0" : "''"})`,
      version === undefined
        ? "write a value after the operator"
        : "a driver version has three numbers, like 535.86.05, and no quotes",
    );
  }
  if (typeof value === "string" && WILDCARDS.has(value)) {
    if (operator !== "eq") throw refuse("Wildcard only makes sense with equals.", `write ${field}=${value}`);
    filters.delete(field);
    return;
  }
  const plain = typeof value === "string" ? spelled(value) : Array.isArray(value) ? value.map(spelled) : value;
  const sent = UNITS.has(field) ? inUnits(field, plain, refuse) : literal(plain);
  filters.set(field, { ...filters.get(field), [operator]: sent });
}

/** What stands under a short name moves to the full one. */
function rename(filters: Map<string, Condition>, short: string, full: string): void {
  const condition = filters.get(short);
  if (condition === undefined) return;
  filters.delete(short);
  filters.set(full, condition);
}

/** 535.86.05 -> 535086005: each part takes three digits. Null where it is no version. */
function versionNumber(text: string): number | null {
  const parts = text.split(".");
  return parts.length === 3 ? int(parts.map((part) => zeroFill(part, 3)).join("")) : null;
}

/** Quotes do not protect commas. */
function elements(text: string): string[] {
  return text
    .split(",")
    .map((element) => strip(element))
    .filter((element) => element !== "");
}

/** Underscores stand for blanks, inside quotes too; single quotes are like any other character. */
function spelled(text: string): string {
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
    throw refuse(`${field} takes one number, no list`, `compare it with >= and <=, in ${unit}`);
  const number = float(value);
  if (number === null)
    throw refuse(`could not convert string to float: ${repr(value)}`, `${field} is a number of ${unit}`);
  const sent = number * factor;
  if (!Number.isFinite(sent))
    throw refuse(`${repr(value)} is no number that can be sent`, `${field} is a number of ${unit}`);
  return sent;
}
