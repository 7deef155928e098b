// HTML from templates in which every value is escaped: instance messages are hostile text from strangers' hosts. Pure.

/** Text that is HTML already. Only `html` makes one. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Fill = Html | string | number | null | readonly Html[];

/** A template whose values are escaped, unless they were made by `html` themselves; null is left out. */
export function html(strings: TemplateStringsArray, ...fills: readonly Fill[]): Html {
  return new Html(strings.map((text, i) => text + textOf(fills[i] ?? null)).join(""));
}

function textOf(fill: Fill): string {
  if (fill === null) return "";
  if (fill instanceof Html) return fill.text;
  if (typeof fill === "string" || typeof fill === "number") return escapeHtml(String(fill));
  return fill.map(({ text }) => text).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
// A host may send megabytes. No message of this program is as long.
const MAX_CHARACTERS = 2000;
// Control characters, and those that reverse the direction of the text after them.
const INVISIBLE = /(?![\n\t])\p{Cc}|[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** For text and for quoted attributes. */
export function escapeHtml(text: string): string {
  const short = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
  return short.replace(INVISIBLE, "").replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
