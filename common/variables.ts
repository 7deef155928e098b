// What a table of settings consists of, and the settings that both programs read. Pure.
import * as z from "zod";
import { boolean, header, path, port } from "./variable-parsers.ts";

/** The groups of settings with their headings, in the order of `--help` and of the README. */
export const GROUPS = {
  required: "Required settings (provisioner)",
  search: "Search and price (provisioner)",
  instance: "Instance (provisioner)",
  safety: "Safety (provisioner)",
  redis: "Redis for the fleet and for bans (provisioner)",
  nginx: "nginx (reloader)",
  tls: "TLS and authentication",
  program: "Files, ports and logs",
} as const;
export type Group = keyof typeof GROUPS;

interface VariableTexts {
  group: Group;
  /** What it does, for `--help` and the README. */
  meaning: string;
  /** What a valid value is, for error messages. */
  expects: string;
  /** Never a flag, never printed; may come from a file named by `<NAME>_FILE`. */
  secret?: true;
  /** An older name that is still read, with a warning. */
  formerly?: string;
}

/** A setting whose text becomes a `T`. `need` decides what happens when it is missing or empty. */
export type Variable<T = unknown> = VariableTexts & { schema: z.ZodType<T, string> } & (
    | { need: "required" }
    | { need: "default"; default: string }
    | { need: "optional"; default?: string }
  );

/** The settings of one program by the name of their environment variable. */
export type VariableTable = Readonly<Record<string, Variable>>;

type Output<S> = S extends z.ZodType<infer T, string> ? T : never;
type ValueOf<V extends Variable> = V["need"] extends "optional" ? Output<V["schema"]> | undefined : Output<V["schema"]>;
/** The types that the texts of a table become; `undefined` belongs to those that may be left out. */
export type Values<T extends VariableTable> = { [N in keyof T]: ValueOf<T[N]> };

export function required<T>(schema: z.ZodType<T, string>, texts: VariableTexts) {
  return { ...texts, schema, need: "required" } as const;
}
export function byDefault<T>(schema: z.ZodType<T, string>, fallback: string, texts: VariableTexts) {
  return { ...texts, schema, need: "default", default: fallback } as const;
}
/** `shownDefault` is printed where the default is computed from something else. */
export function optional<T>(schema: z.ZodType<T, string>, texts: VariableTexts, shownDefault?: string) {
  return {
    ...texts,
    schema,
    need: "optional",
    ...(shownDefault === undefined ? {} : { default: shownDefault }),
  } as const;
}

/** What error messages say about a path, a port and a number of seconds. */
export const EXPECTED = {
  path: "an absolute path without blanks, quotes and braces",
  port: "a port number, 1-65535",
  seconds: "a whole number of seconds, 1 or more",
  secondsOrNone: "a whole number of seconds, 0 or more",
  boolean: "true or false",
} as const;

export const SHARED_VARIABLES = {
  UPSTREAM_AUTH_HEADER: optional(header, {
    group: "tls",
    meaning: "`Name: value` header that nginx and the HTTP probe send to the instance; clients cannot set it",
    expects:
      "`Name: value` with a name of letters, digits and hyphens that is not the connection's or the proxy's own (Host, Connection, Content-Length, Transfer-Encoding, X-Forwarded-For), and a value of at most 2,000 visible ASCII characters",
    secret: true,
  }),
  UPSTREAM_PATH: byDefault(path, "/var/run/vast-pod/upstream.json", {
    group: "program",
    meaning: "file on the shared volume: the provisioner writes it, the reloader reads it",
    expects: EXPECTED.path,
  }),
  UPSTREAM_ALLOW_LOCAL: byDefault(boolean, "false", {
    group: "program",
    meaning: "`true`: an instance may have a loopback or link-local address, to try vast-pod out on one machine",
    expects: EXPECTED.boolean,
  }),
  RELOADER_STATUS_PORT: byDefault(port, "8081", {
    group: "program",
    meaning: "`/livez`, `/readyz`, `/status`, `/metrics` of the reloader; the provisioner reads what nginx serves",
    expects: EXPECTED.port,
  }),
  NGINX_LISTEN_PORT: byDefault(port, "3000", {
    group: "nginx",
    meaning: "port of the proxy; the provisioner looks at a stop whether nginx still listens there",
    expects: EXPECTED.port,
  }),
  STAY_UP: byDefault(boolean, "false", {
    group: "program",
    meaning:
      "a program that cannot start stays up, reports why on `/status`, and tries again; the images set it to true",
    expects: EXPECTED.boolean,
  }),
  LOG_FORMAT: optional(
    z.enum(["json", "pretty"]),
    {
      group: "program",
      meaning: "`json`: one JSON object for each log line; `pretty`: text for people",
      expects: "json or pretty",
    },
    "pretty on a terminal, else json",
  ),
  DEBUG: byDefault(boolean, "false", {
    group: "program",
    meaning: "log debug messages",
    expects: EXPECTED.boolean,
  }),
} as const satisfies VariableTable;
