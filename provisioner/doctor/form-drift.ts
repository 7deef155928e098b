// Compares what the API answers with the schemas that this program reads it by. They forgive a field of another form, so that one odd
// row stops nothing; here the forgiving is taken off, and the field is named. Pure.
import * as z from "zod";

/** `changed`: it has another form. `missing`: no row has it. */
export interface DriftedField {
  name: string;
  drift: "changed" | "missing";
  /** "is a list", "is missing" */
  text: string;
}

/**
 * The fields of `schema` that are in another form in one of the rows, or that all rows lack. A null is never a drift: the API may show
 * one in every field. Fields in `mayBeMissing` come only at times.
 */
export function driftedFields(
  schema: z.ZodObject,
  rows: readonly unknown[],
  mayBeMissing: readonly string[] = [],
): DriftedField[] {
  if (rows.length === 0) return [];
  return Object.entries(schema.shape).flatMap(([name, field]): DriftedField[] => {
    const values = rows.map((row) => fieldOf(row, name)).filter((value) => value !== undefined);
    if (values.length === 0) return mayBeMissing.includes(name) ? [] : [{ name, drift: "missing", text: "is missing" }];
    const strict = z.nullable(unforgiving(field));
    const other = values.find((value) => !strict.safeParse(value).success);
    return other === undefined ? [] : [{ name, drift: "changed", text: `is ${kindOf(other)}` }];
  });
}

/** The schema without its fallbacks: it refuses what it otherwise replaces. */
function unforgiving(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodCatch) return unforgiving(schema.unwrap());
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return z.nullish(unforgiving(schema.unwrap()));
  // What a transform makes of a value says nothing about the value's form.
  if (schema instanceof z.ZodPipe && schema.out instanceof z.ZodTransform) return unforgiving(schema.in);
  if (schema instanceof z.ZodRecord) return z.record(z.string(), unforgiving(schema.valueType));
  if (schema instanceof z.ZodUnion) return z.union(schema.options.map(unforgiving));
  return schema;
}

function fieldOf(row: unknown, name: string): unknown {
  return typeof row === "object" && row !== null && Object.hasOwn(row, name) ? Reflect.get(row, name) : undefined;
}

/** The kind of a value, never the value: it may be a secret. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return "a text of another form";
    case "number":
      return "a number of another form";
    case "boolean":
      return "true or false";
    default:
      return "an object of another form";
  }
}
