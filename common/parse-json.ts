// From text to a checked value, or to the reason why it is none. Pure.
import type * as z from "zod";

/**
 * Reads `text` as JSON and checks it against `schema`. `upgrade` may turn the form of an earlier version into today's first.
 * `why` names every field that is wrong, so that it can end a sentence like "the file cannot be used: ...".
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
    return { why: `it is not JSON (${text.length} characters; half-written?)` };
  }
  const parsed = schema.safeParse(upgrade(json));
  if (parsed.success) return { value: parsed.data };
  return {
    why: parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`).join("; "),
  };
}
