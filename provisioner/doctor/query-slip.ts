// Guesses what was meant by a condition of the search query that no offer meets: most are slips of a unit or of spelling. Pure.
import { columnOf, type Fields, numberOf } from "../search/columns.ts";
import { type Operator, UNITS } from "../search/fields.ts";
import { matches } from "../search/match.ts";
import { unitOf } from "../search/wrong-unit.ts";

// From the nearest on: a value that has become too large or too small by a factor of 10, 100 or 1000. Last comes the field's own unit.
const FACTORS = [10, 100, 1000] as const;
const BOUNDS: ReadonlySet<Operator> = new Set(["gt", "gte", "lt", "lte"]);
const LOWER_BOUNDS: ReadonlySet<Operator> = new Set(["gt", "gte"]);

/** A condition that none of `rows` meets: the value that was probably meant, as the query has to say it. Null: no idea. */
export function probableValue(
  field: string,
  operator: Operator,
  value: unknown,
  rows: readonly Fields[],
  isJson: boolean,
): string | null {
  const fits = (other: unknown) =>
    rows.some((row) => columnOf(row, field) !== undefined && matches(row, field, operator, other));
  const number = numberOf(value);
  if (number !== null && BOUNDS.has(operator)) return probableNumber(field, operator, number, fits, isJson);
  if (typeof value !== "string") return null;
  const spelled = rows
    .map((row) => columnOf(row, field))
    .find((actual) => typeof actual === "string" && sameLetters(actual, value) && fits(actual));
  return spelled === undefined ? null : JSON.stringify(spelled);
}

function probableNumber(
  field: string,
  operator: Operator,
  number: number,
  fits: (value: number) => boolean,
  isJson: boolean,
): string | null {
  // A floor that is too high, or a ceiling that is too low.
  const scaled = [...FACTORS, UNITS.get(field) ?? 1].map((factor) =>
    LOWER_BOUNDS.has(operator) ? number / factor : number * factor,
  );
  const found = scaled.find(fits);
  return found === undefined ? null : inQuery(field, found, isJson);
}

/** The number in the unit of the query, and that unit. */
function inQuery(field: string, number: number, isJson: boolean): string {
  const unit = unitOf(field);
  if (unit === null) return String(Number(number.toPrecision(6)));
  const shown = isJson ? number : number / unit.textFactor;
  return `${Number(shown.toPrecision(6))} (${isJson ? `JSON is in ${unit.json}` : `this form is in ${unit.text}`})`;
}

/** "RTX_4090" and "rtx 4090". */
function sameLetters(a: string, b: string): boolean {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[\s_-]+/g, "");
  return a !== b && plain(a) === plain(b);
}
