// Reads a query that is a JSON object: the search's own parameters and conditions. What the API would silently leave out, or JSON itself,
// is refused: machines that the query was to exclude would be rented. Pure.
import * as z from "zod";
import { messageOf } from "../../common/errors.ts";
import { closestWord } from "../../common/suggest.ts";
import { type Filters, KNOWN_FIELDS, OPERATORS, OPTION_NAMES, PARAMETERS } from "./fields.ts";
import { QueryError } from "./query-error.ts";

const conditionSchema = z
  .partialRecord(z.enum(OPERATORS), z.unknown())
  .refine((condition) => Object.keys(condition).length > 0);

/** The options whose form is checked, with what a valid one looks like. */
const OPTION_FORMS: Readonly<Record<string, { schema: z.ZodType; form: string; example: string }>> = {
  order: {
    schema: z.array(z.tuple([z.string(), z.string().regex(/^(asc|desc)$/i)])),
    form: "a list of pairs of a field and asc or desc",
    example: '[["dph_total", "asc"]]',
  },
  limit: { schema: z.int().min(1), form: "a whole number, 1 or more", example: "64" },
};

/** The text begins with a brace. Throws `QueryError`. */
export function readQueryJson(text: string): { filters: Filters; options: Record<string, unknown> } {
  const object = z.record(z.string(), z.unknown()).parse(parseJson(text)); // text that begins with a brace is an object
  refuseRepeatedName(text);
  const options: Record<string, unknown> = {};
  const filters: Record<string, Filters[string]> = {};
  const refuse = (field: string, reason: string, remedy: string) => {
    const name = JSON.stringify(field);
    return new QueryError(reason, Math.max(text.indexOf(name), 0), name, remedy); // an escaped name is not found
  };
  for (const [field, value] of Object.entries(object)) {
    const isCondition = typeof value === "object" && value !== null && !Array.isArray(value);
    if (OPTION_NAMES.has(field) || (PARAMETERS.has(field) && !isCondition)) {
      const expected = OPTION_FORMS[field];
      if (expected !== undefined && !expected.schema.safeParse(value).success)
        throw refuse(field, `"${field}" must be ${expected.form}`, `like ${expected.example}`);
      options[field] = value;
      continue;
    }
    const condition = conditionSchema.safeParse(value);
    if (!condition.success) {
      const meant = KNOWN_FIELDS.has(field) ? null : closestWord(field.toLowerCase(), ALL_NAMES);
      const reason = `the condition of "${field}" must be an object of ${OPERATORS.join(", ")}`;
      throw refuse(field, reason, `like {"gte": 1}${meant === null ? "" : `; or did you mean ${meant}?`}`);
    }
    filters[field] = condition.data;
  }
  return { filters, options };
}

const ALL_NAMES = [...KNOWN_FIELDS, ...OPTION_NAMES, ...PARAMETERS];

/** JSON keeps only the last one of two values with one name. The text is valid JSON. */
function refuseRepeatedName(text: string): void {
  const open: (Set<string> | null)[] = []; // the names in each open object; null for a list
  for (const { 0: token, 1: colon, index } of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(null);
    else if (token === "}" || token === "]") open.pop();
    if (colon === undefined) continue;
    const quoted = token.slice(0, -colon.length);
    const name = String(JSON.parse(quoted));
    if (open.at(-1)?.has(name))
      throw new QueryError(
        `${quoted} is given twice, and only the last one would count`,
        index,
        quoted,
        'write one object with all its conditions, like {"gte": 1, "lte": 4}',
      );
    open.at(-1)?.add(name);
  }
}

function parseJson(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    JSON.stringify(json); // throws for JSON that is nested too deeply to be sent
    return json;
  } catch (error) {
    const reason = messageOf(error);
    if (!(error instanceof SyntaxError)) throw new QueryError(reason, null, text, "");
    const position = jsonErrorPosition(text, reason);
    throw new QueryError(reason, position, text.slice(position), "");
  }
}

/** The position of the first error in the JSON text. The parser's message names it only sometimes. */
function jsonErrorPosition(text: string, reason: string): number {
  const named = /at position (\d+)/.exec(reason)?.[1];
  if (named !== undefined) return Number(named);
  if (/end of JSON/i.test(reason)) return text.length;
  // Binary search: each prefix that contains the wrong character has this error, and no shorter prefix has it.
  const kind = reason.split(",")[0] ?? reason;
  let [right, wrong] = [0, text.length];
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1;
    if (parseErrorOf(text.slice(0, middle)).startsWith(kind)) wrong = middle;
    else right = middle;
  }
  return right;
}

function parseErrorOf(json: string): string {
  try {
    JSON.parse(json);
    return "";
  } catch (error) {
    return messageOf(error);
  }
}
