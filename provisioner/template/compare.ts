// What a template file and a template of the account have different, and what is sent to make them equal. Only what the file names
// counts, in the form in which the API gives it back. Pure.
import { isDeepStrictEqual } from "node:util";
import { sameImage } from "../model/image-reference.ts";
import { comparablePorts, formatDockerOptions, readDockerOptions } from "./docker-options.ts";
import { SAME_FIELDS, sameField } from "./fields.ts";
import type { WantedTemplate } from "./file.ts";
import { holdsSecret, mayBeSecret } from "./secret-words.ts";

/** A template as the API shows it. */
export type TemplateRow = Readonly<Record<string, unknown>>;

export interface FieldDifference {
  /** A field of the file; `env NAME` for one variable. */
  field: string;
  /** As text; `(secret)` for a secret. */
  wanted: string;
  reported: string;
}

const SECRET = "(secret)";
const ABSENT = "(none)";

export function differences(wanted: WantedTemplate, row: TemplateRow): FieldDifference[] {
  const found: FieldDifference[] = [];
  const add = (field: string, one: string, other: string) => found.push({ field, wanted: one, reported: other });
  const image = imageOf(row);
  if (!sameImage(wanted.image, image)) add("image", wanted.image, image || ABSENT);
  const options = readDockerOptions(textOf(row.env));
  if (wanted.ports !== null && !isDeepStrictEqual(comparablePorts(wanted.ports), comparablePorts(options.ports)))
    add("ports", wanted.ports.join(", ") || ABSENT, options.ports.join(", ") || ABSENT);
  if (wanted.env !== null) found.push(...envDifferences(wanted, options.env));
  const registry = textOf(row.docker_login_repo);
  if (wanted.login !== null && wanted.login.host !== registry)
    add("docker_login", wanted.login.host, registry || ABSENT);
  for (const name of SAME_FIELDS)
    if (name in wanted.fields && !sameField(name, wanted.fields[name], row[name]))
      add(name, shown(wanted.fields[name]), holdsSecret(name, row[name]) ? SECRET : shown(row[name]));
  return found;
}

function envDifferences(
  { env, secretNames }: WantedTemplate,
  reported: Readonly<Record<string, string>>,
): FieldDifference[] {
  const names = [...new Set([...Object.keys(env ?? {}), ...Object.keys(reported)])];
  return names.flatMap((name) => {
    const [value, other] = [env?.[name], reported[name]];
    if (value === other) return [];
    // What the account has and the file does not may be a secret as well: the API does not tell.
    const hidden = secretNames.includes(name);
    const text = (one: string | undefined, isSecret: boolean) =>
      one === undefined ? ABSENT : isSecret ? SECRET : shown(one);
    const isOtherHidden = hidden || value === undefined || mayBeSecret(name, other ?? "");
    return { field: `env ${name}`, wanted: text(value, hidden), reported: text(other, isOtherHidden) };
  });
}

/** The body of a call that creates the template, or edits `row` to be as wanted. */
export function templateBody(wanted: WantedTemplate, name: string, row: TemplateRow | null): Record<string, unknown> {
  const before = readDockerOptions(textOf(row?.env));
  const env = formatDockerOptions({
    env: wanted.env ?? before.env,
    ports: wanted.ports ?? before.ports,
    others: before.others,
  });
  const { login } = wanted;
  const body = {
    ...(row === null ? { private: true } : unchanged(row)),
    ...wanted.fields,
    name,
    ...imageFields(wanted.image),
    env,
    ...(login === null
      ? {}
      : { docker_login_repo: login.host, docker_login_user: login.user, docker_login_pass: login.password }),
  };
  return body;
}

/** An edit names all fields, so that none of them falls back to a default. */
function unchanged(row: TemplateRow): Record<string, unknown> {
  return Object.fromEntries(
    ["docker_login_repo", ...SAME_FIELDS].flatMap((name) =>
      row[name] === undefined || row[name] === null ? [] : [[name, row[name]]],
    ),
  );
}

/** The API has the tag apart from the image; a digest belongs to the image. */
function imageFields(reference: string): { image: string; tag: string } {
  const colon = reference.lastIndexOf(":");
  if (reference.includes("@") || colon < reference.lastIndexOf("/")) return { image: reference, tag: "" };
  return colon < 0
    ? { image: reference, tag: "" }
    : { image: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** The image of a template with its tag. */
export function imageOf(row: TemplateRow): string {
  const [image, tag] = [textOf(row.image), textOf(row.tag) || textOf(row.default_tag)];
  if (image === "" || tag === "" || image.includes("@") || image.lastIndexOf(":") > image.lastIndexOf("/"))
    return image;
  return `${image}:${tag}`;
}

const MOST_SHOWN = 200;

function shown(value: unknown): string {
  if (value === undefined || value === null || value === "") return ABSENT;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
