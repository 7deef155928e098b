// Parses JSON text and checks it against a schema. Pure.
import type * as z from "zod";

/**
 * The checked value, or why the text cannot be used. `upgrade` may convert an earlier version's data before the check.
 * `why` names every wrong field and can end a sentence like "the file cannot be used: ...".
 */
export function parseJson<T>(
  text: string,
  schema: z.ZodType<T>,
  upgrade: (json: unknown) => unknown = (json) => json,
): { value: T } | { why: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { why: `it is not JSON (${text.length} characters, possibly half-written)` };
  }
  const parsed = schema.safeParse(upgrade(json));
  if (parsed.success) return { value: parsed.data };
  return {
    why: parsed.error.issues.map(({ path, message }) => `${path.join(".") || "top level"}: ${message}`).join("; "),
  };
}
