// Splits a query of the official command line's grammar into comparisons, as the vendor's pattern does. Pure.
import { repr, strip } from "./python-text.ts";
import { QueryError } from "./query-error.ts";

/** The vendor's words at the end of most error messages. */
export const UNQUOTED = "Did you forget to quote your query?";

/** One condition of the text, not yet interpreted. */
export interface Comparison {
  field: string;
  operator: string;
  value: string;
  /** Offset in the text. */
  position: number;
  /** The condition's original text. */
  piece: string;
}

// The parts of the vendor's single pattern. All parts but the field are optional, so it never backtracks: matching part by part
// gives the same result in linear time.
const FIELD = /[a-zA-Z0-9_]+/g;
const OPERATOR = / *[=><!]+| +(?:[lg]te?|nin|neq|eq|not ?eq|not ?in|in) /y;
const SPACES = / */y;
const QUOTED_OR_WORD = /"[^"]+"|[^ ]+/y;

const FLAG = /^--?[a-z]/;
const FLAGS_ARE_SETTINGS =
  "a flag of `vastai search offers` is no part of the query: VAST_INSTANCE_TYPE says what is rented, ondemand or interruptible, and VAST_SEARCH_ORDER the order";

/** The comparisons of a query, in order. Throws `QueryError` when there is other text between them. */
export function tokenize(query: string): Comparison[] {
  const text = strip(query);
  const offset = query.indexOf(text);
  const lastBracket = text.lastIndexOf("]");
  const found: Comparison[] = [];
  let at = 0;
  let joined = "";
  let gap: { from: number; to: number } | null = null;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const part = pattern.exec(text)?.[0] ?? "";
    at += part.length;
    return part;
  };
  const takeValue = (): string => {
    const close = text[at] === "[" && at < lastBracket ? text.indexOf("]", at) : -1;
    if (close <= at + 1) return take(QUOTED_OR_WORD); // not a list, `[]`, or a list that is not closed
    const part = text.slice(at, close + 1);
    at = close + 1;
    return part;
  };
  for (;;) {
    FIELD.lastIndex = at;
    const match = FIELD.exec(text);
    const from = match?.index ?? text.length;
    if (from > at) gap ??= { from: at, to: from };
    if (match === null) break;
    at = from + match[0].length;
    const operator = take(OPERATOR);
    take(SPACES);
    const value = takeValue();
    take(SPACES);
    const piece = text.slice(from, at);
    joined += piece;
    found.push({ field: match[0], operator, value, position: offset + from, piece: strip(piece) });
  }
  if (gap !== null) {
    const piece = text.slice(gap.from, gap.to);
    throw new QueryError(
      `Unconsumed text. ${UNQUOTED} ${repr(joined)} != ${repr(text)}`,
      offset + gap.from,
      piece,
      FLAG.test(text.slice(gap.from))
        ? FLAGS_ARE_SETTINGS
        : "separate conditions only by spaces, without `and`, commas or brackets",
    );
  }
  return found;
}
