// Reads and writes YAML, of which JSON is a part. Loaded where it is used, because most pods have no template file. Pure.
import { parseDocument, stringify } from "yaml";

// A template file has some lines; aliases could make a short text a huge value.
const MOST_ALIASES = 20;

/** The value, or what to correct. The parser's own words would quote the text. */
export function parseYaml(text: string): { value: unknown } | { problem: string } {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    const at = error.linePos?.[0];
    const where = at === undefined ? "" : ` at line ${at.line}, column ${at.col}`;
    return { problem: `it is neither JSON nor YAML${where} (${error.code}): correct it.` };
  }
  try {
    return { value: document.toJS({ maxAliasCount: MOST_ALIASES }) };
  } catch {
    return { problem: "its aliases cannot be resolved: write the values out." };
  }
}

export const formatYaml = (value: unknown): string => stringify(value);
