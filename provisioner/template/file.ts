// Reads a template file (VAST_TEMPLATE_FILE): JSON or YAML, checked field by field, with its secrets fetched from where they are. Touches
// the files that it names, through `readFile`.
import { codeOf } from "../../common/errors.ts";
import { SettingsError } from "../../common/settings.ts";
import { closestWord } from "../../common/suggest.ts";
import { login, type RegistryLogin } from "../../common/variable-parsers.ts";
import {
  FIELD_NAMES,
  FIELDS,
  type Field,
  isEnvValue,
  isFieldName,
  type SecretSource,
  SOURCE_EXPECTED,
} from "./fields.ts";
import { holdsSecret, isSecret } from "./secret-words.ts";

/** What a template file says. A field that it does not name is left as it is in the account. */
export interface WantedTemplate {
  /** With its tag. */
  image: string;
  ports: readonly string[] | null;
  env: Readonly<Record<string, string>> | null;
  /** The variables of `env` whose values are secrets. */
  secretNames: readonly string[];
  login: RegistryLogin | null;
  /** The other fields, as the API names them. */
  fields: Readonly<Record<string, unknown>>;
  /** Texts that must never be printed. */
  secrets: readonly string[];
}

export interface TemplateFileSource {
  path: string;
  env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): string;
}

/** Throws a `SettingsError` with all problems, none of which shows a value. */
export async function readTemplateFile(source: TemplateFileSource): Promise<WantedTemplate> {
  const { path } = source;
  let text: string;
  try {
    text = source.readFile(path);
  } catch (error) {
    throw new SettingsError([
      `VAST_TEMPLATE_FILE is "${path}": ${codeOf(error) ?? "it cannot be read"}. Name a readable file, or leave it out.`,
    ]);
  }
  const { parseYaml } = await import("./yaml.ts");
  const parsed = parseYaml(text);
  if ("problem" in parsed) throw new SettingsError([`VAST_TEMPLATE_FILE "${path}": ${parsed.problem}`]);
  const problems: string[] = [];
  const wanted = checked(parsed.value, source, problems);
  if (wanted === null) throw new SettingsError(problems.map((problem) => `VAST_TEMPLATE_FILE "${path}": ${problem}`));
  return wanted;
}

const PASSWORD = /^docker_?login_?(user|pass|password|token|repo)$|pass(word|wd)?$|token$|secret$/i;

function checked(json: unknown, source: TemplateFileSource, problems: string[]): WantedTemplate | null {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    problems.push("it must hold fields with their values, like image: example/app:2.");
    return null;
  }
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(json)) {
    if (!isFieldName(name)) problems.push(unknownField(name));
    else {
      const { schema, expects }: Field = FIELDS[name];
      const read = schema.safeParse(value);
      if (read.success) fields[name] = read.data;
      else problems.push(`${name} is not as expected: write ${expects}.${hint(name, value)}`);
    }
  }
  if (!("image" in json)) problems.push(`image is missing: write ${FIELDS.image.expects}.`);
  if (problems.length > 0) return null;
  return resolved(fields, source, problems);
}

function unknownField(name: string): string {
  const shown = JSON.stringify(name.slice(0, 60));
  if (name === "name") return "name is what VAST_TEMPLATE_NAME says: leave it out.";
  if (PASSWORD.test(name))
    return `${shown} looks like a secret, which must not be in this file: use docker_login: ${FIELDS.docker_login.expects}.`;
  const meant = closestWord(name, FIELD_NAMES);
  return `${shown} is not a field: ${meant === null ? `the fields are ${FIELD_NAMES.join(", ")}` : `did you mean ${meant}?`}`;
}

/** Which part of a field is wrong; never its value. */
function hint(name: string, value: unknown): string {
  if (name !== "env" || typeof value !== "object" || value === null) return "";
  const one = FIELDS.env.schema;
  const wrong = Object.entries(value).flatMap(([key, text]) => (one.safeParse({ [key]: text }).success ? [] : [key]));
  return wrong.length === 0 ? "" : ` Wrong: ${JSON.stringify(wrong.join(", ").slice(0, 200))}.`;
}

function resolved(
  { image, tag, ports, env, docker_login: loginSource, ...fields }: Record<string, unknown>,
  source: TemplateFileSource,
  problems: string[],
): WantedTemplate | null {
  const secrets: string[] = [];
  const secretNames: string[] = [];
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries((env ?? {}) as Record<string, string | SecretSource>)) {
    if (typeof value === "string") {
      if (isSecret(name, value)) problems.push(secretInFile(`env ${name}`, `write ${SOURCE_EXPECTED} there`));
      values[name] = value;
      continue;
    }
    const secret = fetched(`env ${name}`, value, source, problems);
    if (secret === null) continue;
    if (!isEnvValue(secret)) {
      problems.push(`the value of env ${name} cannot be in a template: it has several lines, or both kinds of quotes.`);
      continue;
    }
    values[name] = secret;
    secretNames.push(name);
    secrets.push(secret);
  }
  for (const [name, text] of Object.entries(fields))
    if (holdsSecret(name, text))
      problems.push(secretInFile(name, `put it into env with ${SOURCE_EXPECTED}, and name the variable here`));
  const registry = loginSource === undefined ? null : readLogin(loginSource as SecretSource, source, problems);
  if (registry !== null) secrets.push(registry.password);
  const reference = withTag(String(image), tag, problems);
  if (fields.private === false && secrets.length > 0)
    problems.push("private is false, but a public template must not hold secrets: leave one of them out.");
  if (problems.length > 0) return null;
  return {
    image: reference,
    ports: Array.isArray(ports) ? ports.map(String) : null,
    env: env === undefined ? null : values,
    login: registry,
    fields,
    secretNames,
    secrets,
  };
}

const secretInFile = (what: string, remedy: string) =>
  `${what} looks like it holds a secret, which must not be in this file: ${remedy}.`;

function withTag(image: string, tag: unknown, problems: string[]): string {
  if (tag === undefined) return image;
  if (image.includes("@") || image.lastIndexOf(":") > image.lastIndexOf("/"))
    problems.push("image has a tag or digest and `tag` is there too: keep one of them.");
  return `${image}:${String(tag)}`;
}

function readLogin(from: SecretSource, source: TemplateFileSource, problems: string[]): RegistryLogin | null {
  const text = fetched("docker_login", from, source, problems);
  if (text === null) return null;
  const read = login.safeParse(text);
  if (read.success && read.data !== null) return read.data;
  problems.push("docker_login cannot be read (it is not shown): write `-u <user> -p <password> <host>` there.");
  return null;
}

function fetched(what: string, from: SecretSource, source: TemplateFileSource, problems: string[]): string | null {
  if ("from_env" in from) {
    const value = source.env[from.from_env]?.trim();
    if (value) return value;
    problems.push(`${what}: the variable ${from.from_env} is not set: set it, or correct its name.`);
    return null;
  }
  try {
    const value = source.readFile(from.from_file).trim();
    if (value !== "") return value;
    problems.push(`${what}: the file ${JSON.stringify(from.from_file)} is empty: write the secret there.`);
  } catch (error) {
    const why = codeOf(error) ?? "it cannot be read";
    problems.push(`${what}: ${JSON.stringify(from.from_file)}: ${why}. Name a readable file with the secret.`);
  }
  return null;
}
