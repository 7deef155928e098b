// The fields of a template file: what each of them may hold, and how it is compared with what the API shows. The names are the API's own,
// but for `ports`, `env` and `docker_login`, which the API has in other forms. Pure.
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { imageProblem } from "../model/image-grammar.ts";

/** Where the text of a secret is. */
export type SecretSource = { from_file: string } | { from_env: string };

export interface Field {
  schema: z.ZodType;
  expects: string;
  /** The value in the form in which both sides can be compared; without it texts are trimmed. */
  normalise?: (value: unknown) => unknown;
}

const secretSource = z.union([
  z.strictObject({ from_file: z.string().regex(/^\//) }),
  z.strictObject({ from_env: z.string().regex(/^[A-Za-z_]\w*$/) }),
]);
export const SOURCE_EXPECTED = "{from_file: /absolute/path} or {from_env: NAME}";
const isText = (most: number) => z.string().max(most);
const trimmed = (value: unknown) => (typeof value === "string" ? value.replaceAll("\r\n", "\n").trim() : (value ?? ""));
const flag = (expects: string): Field => ({ schema: z.boolean(), expects, normalise: Boolean });

// The docker flags of a template are one line, which is split at blanks outside of quotes.
const plainValue = z
  .string()
  .refine((value) => !/[\r\n\0]/.test(value) && !(value.includes('"') && value.includes("'")));
export const ENV_VALUE_EXPECTED = `a text on one line without both kinds of quotes, a number, true or false; or ${SOURCE_EXPECTED}`;
export const isEnvValue = (value: string) => plainValue.safeParse(value).success;

const envValue = z.union([plainValue, z.number().transform(String), z.boolean().transform(String), secretSource]);
const isPort = (text: string) => Number(text) >= 1 && Number(text) <= 99_999;
const port = z
  .string()
  .regex(/^(\d{1,5}:)?\d{1,5}(\/(tcp|udp))?$/)
  .refine((value) => (value.match(/\d+/g) ?? []).every(isPort));

export const FIELDS = {
  image: {
    schema: z.string().refine((value) => imageProblem(value) === null),
    expects: "an image reference like example/app:2",
  },
  tag: { schema: z.string().regex(/^\w[\w.-]{0,127}$/), expects: "the image's tag, when `image` has none" },
  ports: {
    schema: z.array(z.union([port, z.int().min(1).max(65_535).transform(String)])),
    expects: 'a list like ["8000:8000", "9000:9000/udp"]',
  },
  env: {
    schema: z.record(z.string().regex(/^[A-Za-z_][\w.-]*$/), envValue),
    expects: `names, each with ${ENV_VALUE_EXPECTED}`,
  },
  docker_login: {
    schema: secretSource,
    expects: `${SOURCE_EXPECTED} with \`-u <user> -p <password> <host>\` in it, and never the login itself`,
  },
  onstart: { schema: isText(4048), expects: "a script of at most 4048 characters" },
  runtype: {
    schema: z.enum(["args", "ssh", "jupyter"]),
    expects: "args, ssh or jupyter",
    // The API also has longer forms of them, as `ssh_direct`.
    normalise: (value) => /^(args|ssh|jupyter)/.exec(String(value ?? "args"))?.[0] ?? value,
  },
  args_str: {
    schema: isText(4048),
    expects: "the arguments of the image as one text",
    normalise: (value) => String(trimmed(value)).replaceAll(/\s+/g, " "),
  },
  ssh_direct: flag("true or false"),
  use_ssh: flag("true or false"),
  jup_direct: flag("true or false"),
  use_jupyter_lab: flag("true or false"),
  jupyter_dir: { schema: isText(1024), expects: "a folder in the container" },
  recommended_disk_space: {
    schema: z.number().min(8).max(100_000),
    expects: "the disk space in GB, 8 or more",
    normalise: (value) => (value === null || value === undefined ? null : Math.round(Number(value) * 100) / 100),
  },
  extra_filters: {
    schema: z.record(z.string(), z.json()),
    expects: 'filters like {"num_gpus": {"eq": 1}}',
    normalise: parsedIfText,
  },
  private: flag("true or false"),
  desc: { schema: isText(1000), expects: "a text of at most 1000 characters" },
  href: { schema: isText(1000), expects: "a link" },
  readme: { schema: isText(100_000), expects: "a text in Markdown" },
  readme_visible: flag("true or false"),
} as const satisfies Readonly<Record<string, Field>>;

export type FieldName = keyof typeof FIELDS;
export const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];
export const isFieldName = (name: string): name is FieldName => Object.hasOwn(FIELDS, name);

/** The fields that the file and the API have in the same form. */
export const SAME_FIELDS = FIELD_NAMES.filter(
  (name) => !["image", "tag", "ports", "env", "docker_login"].includes(name),
);

export function sameField(name: FieldName, wanted: unknown, reported: unknown): boolean {
  const { normalise = trimmed }: Field = FIELDS[name];
  return isDeepStrictEqual(normalise(wanted), normalise(reported));
}

/** The API sometimes has an object as its JSON text. */
function parsedIfText(value: unknown): unknown {
  if (value === null || value === undefined || value === "") return {};
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // another text than JSON is compared as it is
  }
}
