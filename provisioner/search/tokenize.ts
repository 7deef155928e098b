// Cuts a query of the official command line's grammar into comparisons, as the vendor's pattern does. Pure.
import { repr, strip } from "./python-text.ts";
import { QueryError } from "./query-error.ts";

/** The vendor's words behind most refusals. */
export const UNQUOTED = "Did you forget to quote your query?";

/** One condition as it stands in the text, nothing of it understood yet. */
export interface Comparison {
  field: string;
  operator: string;
  value: string;
  /** Where it stands in the text, and how. */
  position: number;
  piece: string;
}

// The parts of the vendor's one pattern. All but the field may be missing, so that nothing ever has to be tried again:
// part after part is the same, and takes no more steps than the text has characters.
const FIELD = /[a-zA-Z0-9_]+/g;
const OPERATOR = / *[=><!]+| +(?:[lg]te?|nin|neq|eq|not ?eq|not ?in|in) /y;
const SPACES = / */y;
const QUOTED_OR_WORD = /"[^"]+"|[^ ]+/y;

/** The comparisons of a query, in order. Throws `QueryRefused` where the text has something between them. */
export function tokenize(given: string): Comparison[] {
  const text = strip(given);
  const offset = given.indexOf(text);
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
    if (close <= at + 1) return take(QUOTED_OR_WORD); // no list, `[]`, or one that is never closed
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
      "conditions are separated by blanks alone, without and, commas or brackets around them",
    );
  }
  return found;
}
