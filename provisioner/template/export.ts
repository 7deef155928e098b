// A template of the account as a template file, without what may be a secret. Pure.
import { imageOf, type TemplateRow } from "./compare.ts";
import { readDockerOptions } from "./docker-options.ts";
import { SAME_FIELDS, sameField } from "./fields.ts";

/** What a template has when nothing was said. */
const EMPTY: readonly unknown[] = [null, undefined, "", false];
const SECRET_NAME = /key|token|secret|pass|pwd|auth|cred|login|private|salt|cert|dsn|url|uri/i;
// A long word with letters and digits may be a token.
const SECRET_VALUE = /(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])[\w+/=-]{20,}|:\/\/[^/\s]*@/i;

export interface ExportedTemplate {
  content: Record<string, unknown>;
  /** Variables whose values are left out: they may be secrets. */
  hidden: readonly string[];
}

export function exportTemplate(row: TemplateRow): ExportedTemplate {
  const { env, ports, others } = readDockerOptions(typeof row.env === "string" ? row.env : "");
  const hidden = Object.keys(env).filter((name) => SECRET_NAME.test(name) || SECRET_VALUE.test(env[name] ?? ""));
  const values = Object.entries(env).map(([name, value]) => [name, hidden.includes(name) ? { from_env: name } : value]);
  const fields = SAME_FIELDS.filter((name) => !EMPTY.includes(row[name]) && !isEmptyFilter(name, row[name]));
  const content = {
    image: imageOf(row),
    ...(ports.length > 0 ? { ports } : {}),
    ...(values.length > 0 ? { env: Object.fromEntries(values) } : {}),
    ...(row.docker_login_repo ? { docker_login: { from_env: "DOCKER_LOGIN" } } : {}),
    ...Object.fromEntries(fields.map((name) => [name, row[name]])),
  };
  const dropped = others.length > 0 ? [`docker flags ${others.filter((word) => word.startsWith("-")).join(" ")}`] : [];
  return { content, hidden: [...hidden, ...dropped] };
}

const isEmptyFilter = (name: string, value: unknown) => name === "extra_filters" && sameField(name, {}, value);
