// A template of the account as a template file, without what may be a secret. Pure.
import { imageOf, type TemplateRow } from "./compare.ts";
import { readDockerOptions } from "./docker-options.ts";
import { FIELDS, type Field, type FieldName, SAME_FIELDS, sameField } from "./fields.ts";
import { holdsSecret, mayBeSecret } from "./secret-words.ts";

/** What a template has when nothing was said. */
const EMPTY: readonly unknown[] = [null, undefined, "", false];

export interface ExportedTemplate {
  content: Record<string, unknown>;
  /** What is left out, because it may be a secret or cannot be in a file. */
  hidden: readonly string[];
}

/** The file that it makes can be read, and does not differ from the template but for what is hidden. */
export function exportTemplate(row: TemplateRow): ExportedTemplate {
  const { env, ports, others } = readDockerOptions(typeof row.env === "string" ? row.env : "");
  const hidden: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(env)) {
    const isHidden = mayBeSecret(name, value);
    if (isHidden) hidden.push(name);
    values[name] = isHidden ? { from_env: name.replaceAll(/\W/g, "_") } : value;
  }
  const lists = { ports, env: values };
  const content: Record<string, unknown> = { image: imageOf(row) };
  for (const name of ["ports", "env"] as const) {
    if (Object.keys(lists[name]).length === 0) continue;
    // A list without one of its parts would remove that part from the template.
    if (FIELDS[name].schema.safeParse(lists[name]).success) content[name] = lists[name];
    else hidden.push(name);
  }
  if (row.docker_login_repo) content.docker_login = { from_env: "DOCKER_LOGIN" };
  for (const name of SAME_FIELDS) {
    if (EMPTY.includes(row[name]) || isEmptyFilter(name, row[name])) continue;
    const value = asInFile(name, row[name]);
    if (value === undefined || holdsSecret(name, value)) hidden.push(name);
    else content[name] = value;
  }
  if (others.length > 0) hidden.push(`docker flags ${others.filter((word) => word.startsWith("-")).join(" ")}`);
  return { content, hidden };
}

/** The API has some values in other forms than the file may have them. Undefined: the file cannot have it. */
function asInFile(name: FieldName, reported: unknown): unknown {
  const { schema, normalise }: Field = FIELDS[name];
  return [reported, normalise?.(reported)].find((value) => schema.safeParse(value).success);
}

const isEmptyFilter = (name: string, value: unknown) => name === "extra_filters" && sameField(name, {}, value);
