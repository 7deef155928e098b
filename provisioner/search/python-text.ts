// What Python makes of texts, where the official command line's grammar depends on it. Pure.

// `str.strip()` takes what `str.isspace()` calls a blank: not the same characters as JavaScript's `trim()`.
const NUMBER_BLANKS =
  " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
// Around numbers the separators of ASCII are none.
const BLANKS = `${NUMBER_BLANKS}\x1c\x1d\x1e\x1f`;

/** `text.strip(characters)`: takes every one of these characters away from both ends. */
export function strip(text: string, characters: string = BLANKS): string {
  let from = 0;
  let to = text.length;
  while (from < to && characters.includes(text.charAt(from))) from += 1;
  while (to > from && characters.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_FINITE = /^[+-]?(?:inf(?:inity)?|nan)$/i;

/** `float(text)`: NaN or infinite where Python says so, null where it raises. Its other alphabets' digits are not taken. */
export function float(text: string): number | null {
  const number = strip(text, NUMBER_BLANKS);
  if (FLOAT.test(number)) return Number(number);
  return NOT_FINITE.test(number) ? Number.NaN : null;
}

/** `int(text)`, or null where it raises or the number is too large to be exact. */
export function int(text: string): number | null {
  const digits = strip(text, NUMBER_BLANKS);
  if (!/^[+-]?\d+(?:_\d+)*$/.test(digits)) return null;
  const number = Number(digits.replaceAll("_", ""));
  return Number.isSafeInteger(number) ? number : null;
}

/** `text.zfill(width)`: zeros go after a sign. */
export function zeroFill(text: string, width: number): string {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** `repr(text)`: single quotes unless the text holds some and no double ones; what cannot be printed is escaped. */
export function repr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let shown = "";
  for (const character of text) {
    if (character === quote) shown += `\\${character}`;
    else if (NAMED[character] !== undefined) shown += NAMED[character];
    else shown += character !== " " && /[\p{C}\p{Z}]/u.test(character) ? escaped(character) : character;
  }
  return quote + shown + quote;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
