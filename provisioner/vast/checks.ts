// Checks of what the API answered with 200: a body or row of another shape is an error, not "there is none". Pure.
import * as z from "zod";
import { VastError } from "./errors.ts";

/** A whole number: the API sometimes sends numbers as text. */
export const wholeNumber = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);

/** The body in the shape of `schema`. Throws `malformed` with the text `otherwise`. */
export function expectShape<T>(schema: z.ZodType<T>, body: unknown, call: string, otherwise: string): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw malformed(call, otherwise);
  return parsed.data;
}

/** All rows. Throws `malformed` if one of them cannot be read: it may be one of ours. */
export function readRows<T>(rows: readonly unknown[], read: (row: unknown) => T | null, call: string): T[] {
  return rows.map((row) => {
    const value = read(row);
    if (value === null) throw unreadableRow(call);
    return value;
  });
}

export const unreadableRow = (call: string) => malformed(call, "a row has no readable id");

export function malformed(call: string, text: string): VastError {
  return new VastError({ kind: "malformed", call, status: 200, slug: "", text });
}
