// The fields of the provisioner's `/status` as the documents show them: out of its schema. Pure.
import type * as z from "zod";
import { statusDocumentSchema } from "../../provisioner/report/status-document.ts";

export interface FieldRow {
  /** `next.deadline`; of a list, `history[].reason`. */
  path: string;
  meaning: string;
}

interface Inner {
  field: z.ZodType;
  suffix: string;
}

/** Every field that has a description, those of objects and lists after their own. */
export function statusFieldRows(): FieldRow[] {
  return fieldsOf(statusDocumentSchema, "");
}

function fieldsOf(schema: z.ZodObject, prefix: string): FieldRow[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const { field: inner, suffix } = unwrapped(field as z.ZodType);
    const own = (field as z.ZodType).description ?? null;
    const rows = own === null ? [] : [{ path, meaning: own }];
    return inner.type === "object" ? [...rows, ...fieldsOf(inner as z.ZodObject, `${path}${suffix}.`)] : rows;
  });
}

/** The type without null, undefined and list around it. */
function unwrapped(field: z.ZodType): Inner {
  if (field.type === "nullable" || field.type === "optional")
    return unwrapped((field as z.ZodNullable | z.ZodOptional).unwrap() as z.ZodType);
  if (field.type !== "array") return { field, suffix: "" };
  const { field: inner } = unwrapped((field as z.ZodArray).element as z.ZodType);
  return { field: inner, suffix: "[]" };
}
