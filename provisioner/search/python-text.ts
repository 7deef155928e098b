// Python's text functions that the grammar of the official command line depends on. Pure.

// `str.strip()` removes the characters of `str.isspace()`, which are not the same as those of JavaScript's `trim()`.
const NUMBER_BLANKS =
  " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
// `float()` and `int()` do not ignore the ASCII separators.
const BLANKS = `${NUMBER_BLANKS}\x1c\x1d\x1e\x1f`;

/** `text.strip(characters)`: removes these characters from both ends. */
export function strip(text: string, characters: string = BLANKS): string {
  let from = 0;
  let to = text.length;
  while (from < to && characters.includes(text.charAt(from))) from += 1;
  while (to > from && characters.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_FINITE = /^[+-]?(?:inf(?:inity)?|nan)$/i;

/** `float(text)`: NaN for Python's NaN and infinity, null when Python raises an error. Digits of other alphabets are not supported. */
export function float(text: string): number | null {
  const number = strip(text, NUMBER_BLANKS);
  if (FLOAT.test(number)) return Number(number);
  return NOT_FINITE.test(number) ? Number.NaN : null;
}

/** `int(text)`, or null when Python raises an error or the number is too large to be exact. */
export function int(text: string): number | null {
  const digits = strip(text, NUMBER_BLANKS);
  if (!/^[+-]?\d+(?:_\d+)*$/.test(digits)) return null;
  const number = Number(digits.replaceAll("_", ""));
  return Number.isSafeInteger(number) ? number : null;
}

/** `text.zfill(width)`: zeros are inserted after a sign. */
export function zeroFill(text: string, width: number): string {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** `repr(text)`: in single quotes, or in double quotes when the text contains only single ones; escapes unprintable characters. */
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
