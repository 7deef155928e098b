// Every setting of both containers in one table: the source of the defaults, of `--help` and of the README. Pure.
import { isIP } from "node:net";
import * as z from "zod";
import { isHost } from "./upstream-file.ts";
import {
  boolean,
  fractionOfSeconds,
  hasReadablePassword,
  header,
  hostHeader,
  integer,
  isBase,
  login,
  path,
  port,
  seconds,
  secondsOrNone,
  text,
  token,
  url,
} from "./variable-parsers.ts";

export type Container = "provisioner" | "reloader";

interface Described {
  for: readonly Container[];
  /** What it does, as `--help` and the README say it. */
  meaning: string;
  /** What would be right, as an error message says it. */
  expects: string;
  /** Never a flag, never printed; may come from a file named by `<NAME>_FILE`. */
  secret?: true;
  /** An older name that is still read, with a warning. */
  formerly?: string;
}

/** A variable whose text becomes a `T`. `need` tells what happens when it is missing or empty. */
export type Variable<T = unknown> = Described & { schema: z.ZodType<T, string> } & (
    | { need: "required" }
    | { need: "default"; default: string }
    | { need: "optional"; default?: string }
  );

function required<T>(schema: z.ZodType<T, string>, described: Described) {
  return { ...described, schema, need: "required" } as const;
}
function byDefault<T>(schema: z.ZodType<T, string>, fallback: string, described: Described) {
  return { ...described, schema, need: "default", default: fallback } as const;
}
/** `shown` is what the tables print where the default is computed from something else. */
function optional<T>(schema: z.ZodType<T, string>, described: Described, shown?: string) {
  return { ...described, schema, need: "optional", ...(shown === undefined ? {} : { default: shown }) } as const;
}

const both = ["provisioner", "reloader"] as const;
const provisioner = ["provisioner"] as const;
const reloader = ["reloader"] as const;

/** Where the stock nginx images, Debian's and Alpine's alike, keep the authorities that the system trusts. */
export const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

// biome-ignore lint/suspicious/noTemplateCurlyInString: shown as it stands, the pod's name is filled in later
const FILLED_IN = "${POD_NAME}";

export const VARIABLES = {
  POD_NAME: required(z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,198}[A-Za-z0-9])?$/), {
    for: provisioner,
    meaning: "unique instance identifier",
    expects: "the pod's name: letters, digits, dots and hyphens, at most 200 characters, like vast-pod-0",
  }),
  VAST_API_KEY: required(token, {
    for: provisioner,
    meaning: "Vast.ai API key",
    expects: "the key that the account page of Vast.ai shows, without blanks",
    secret: true,
  }),
  VAST_TEMPLATE_NAME: required(text, {
    for: provisioner,
    meaning: "name of the account's own template",
    expects: "the template's name as the account's template page shows it, without blanks around it",
  }),
  VAST_TEMPLATE_IMAGE: required(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,1023}$/), {
    for: provisioner,
    meaning: "target instance image",
    expects: "an image reference like example/app:2",
  }),
  DOCKER_LOGIN: required(login, {
    for: provisioner,
    meaning: "registry login `-u <user> -p <password> <host>`; `none` leaves it to the template",
    expects: "`-u <user> -p <password> <host>` (three parts without quotes or blanks inside), or `none`",
    secret: true,
  }),
  // What a query says only the provisioner needs to understand: it reads this text, and the order, itself.
  VAST_SEARCH_QUERY: required(z.string(), {
    for: provisioner,
    meaning:
      "offer search: JSON filters (may carry `order`, `type`, `limit`), or the official command line's query grammar",
    expects:
      'a JSON object of filters like {"gpu_name": {"eq": "RTX 4090"}, "order": [["dph_total", "asc"]]}, or a query like gpu_name=RTX_4090 num_gpus=1',
  }),
  NGINX_CONFIG_PATH: byDefault(path, "/etc/nginx/http.d/default.conf", {
    for: reloader,
    meaning: "final nginx config (stock images: /etc/nginx/conf.d/default.conf)",
    expects: "an absolute path without blanks, quotes and braces",
  }),
  NGINX_LISTEN_PORT: byDefault(port, "3000", {
    for: reloader,
    meaning: "port of the proxy",
    expects: "a port number, 1-65535",
  }),
  NGINX_MAX_BODY_SIZE: byDefault(z.string().regex(/^\d{1,9}[kKmMgG]?$/), "10M", {
    for: reloader,
    meaning: "largest request body",
    expects: "a size as nginx writes it: digits and k, m or g, like 10M; 0 for no limit",
  }),
  BLACKLIST_ENABLED: byDefault(boolean, "false", {
    for: provisioner,
    meaning: "use Redis: ban hosts that never come up, let one provisioner at a time act for a label",
    expects: "true or false",
  }),
  BLACKLIST_REDIS_URL: byDefault(url(["redis:", "rediss:"], hasReadablePassword), "redis://redis:6379/10", {
    for: provisioner,
    meaning: "Redis with bans and leases (older name: `BLACKLIST_REDIS`)",
    expects: "a URL like redis://redis:6379/10, with special characters of its password percent-encoded",
    formerly: "BLACKLIST_REDIS",
  }),
  BLACKLIST_BAN_AFTER_SECONDS: byDefault(seconds, "1200", {
    for: provisioner,
    meaning: "waiting longer than this for an instance marks its host as banned and replaces the instance",
    expects: "a whole number of seconds, 1 or more",
  }),
  BLACKLIST_BAN_TTL_SECONDS: byDefault(seconds, "604800", {
    for: provisioner,
    meaning: "how long a ban holds",
    expects: "a whole number of seconds, 1 or more",
  }),
  BLACKLIST_RESTART_TTL_SECONDS: byDefault(seconds, "3600", {
    for: provisioner,
    meaning: "the restart counter is forgotten after this long without a restart",
    expects: "a whole number of seconds, 1 or more",
  }),
  BLACKLIST_RESTART_THRESHOLD: byDefault(integer(0, 1_000_000), "5", {
    for: provisioner,
    meaning: "ban a host after more than this many restarts within that time",
    expects: "a whole number, 0 or more",
  }),
  DEBUG: byDefault(boolean, "false", {
    for: both,
    meaning: "debug logs",
    expects: "true or false",
  }),
  VAST_URL: byDefault(url(["http:", "https:"], isBase), "https://console.vast.ai", {
    for: provisioner,
    meaning: "base of the API",
    expects: "an http or https URL without a path, like https://console.vast.ai",
  }),
  VAST_LABEL: optional(
    // Any other reference stands for something that nobody filled in.
    z.string().regex(/^(?!.*\$[({](?!POD_NAME[)}]))[\x21-\x7e]{1,128}$/),
    {
      for: provisioner,
      meaning: `label of the instance, for accounts that several clusters or namespaces share; \`${FILLED_IN}\` in it is filled in, so that it may stand in a ConfigMap`,
      expects: `a text of 1-128 printable characters without blanks, like k8s_pod=prod/${FILLED_IN}; nothing but the pod's name is filled in`,
    },
    `k8s_pod=${FILLED_IN}`,
  ),
  VAST_POLICY: byDefault(z.enum(["sync", "no-destroy", "observe"]), "sync", {
    for: provisioner,
    meaning: "`sync`, `no-destroy` (never ends an instance) or `observe` (changes nothing)",
    expects: "sync, no-destroy or observe",
  }),
  VAST_SEARCH_ORDER: optional(
    z.string(),
    {
      for: provisioner,
      meaning: "order in which offers are taken, as the official command line's `-o`: `dph`, `num_gpus,dlperf-`",
      expects: "fields separated by commas, each with a dash behind it for descending, like dph or num_gpus,dlperf-",
    },
    "the query's, else the API's",
  ),
  VAST_UPSTREAM_PORT: optional(
    port,
    {
      for: provisioner,
      meaning: "container port to serve, looked up in the instance's `ports` map",
      expects: "a port number of the container, 1-65535",
    },
    "the only published TCP port other than 22 and 8080",
  ),
  VAST_UPSTREAM_SCHEME: byDefault(z.enum(["http", "https"]), "http", {
    for: provisioner,
    meaning: "how nginx and the HTTP probe speak to the instance: `http` or `https`",
    expects: "http or https",
  }),
  VAST_HEALTH_PATH: optional(z.string().regex(/^\/[\x21-\x7e]*$/), {
    for: provisioner,
    meaning:
      "HTTP probe of the instance (2xx and 3xx pass); without it a TCP connect counts, but not one that sshd answers",
    expects: "a path that begins with a slash, like /health",
  }),
  VAST_MAX_DPH: optional(
    z
      .string()
      .regex(/^\d{1,4}(\.\d{1,6})?$/)
      .transform(Number)
      .pipe(z.number().positive()),
    {
      for: provisioner,
      meaning: "$/h ceiling: in the search and on the chosen offer; an alarm on a running instance",
      expects: "dollars per hour, like 0.45",
    },
  ),
  VAST_MAX_CREATES_PER_HOUR: byDefault(integer(1, 1000), "6", {
    for: provisioner,
    meaning: "most instances created within any hour",
    expects: "a whole number, 1 or more",
  }),
  VAST_DRAIN_SECONDS: byDefault(secondsOrNone, "10", {
    for: provisioner,
    meaning: "time between withdrawing a server from nginx and destroying its instance",
    expects: "a whole number of seconds, 0 or more",
  }),
  VAST_UNREACHABLE_TIMEOUT_SECONDS: byDefault(seconds, "300", {
    for: provisioner,
    meaning: "an instance that was ready and no longer answers is replaced after this long",
    expects: "a whole number of seconds, 1 or more",
  }),
  VAST_UNHEALTHY_TIMEOUT_SECONDS: byDefault(seconds, "1800", {
    for: provisioner,
    meaning: "the same where TCP connects but the HTTP probe fails",
    expects: "a whole number of seconds, 1 or more",
  }),
  VAST_UNKNOWN_MAX_SECONDS: byDefault(seconds, "3600", {
    for: provisioner,
    meaning: "how long a server that passes its TCP probe stays published while the API gives no answer",
    expects: "a whole number of seconds, 1 or more",
  }),
  VAST_FIRST_CREATE_WAIT_SECONDS: byDefault(secondsOrNone, "10", {
    for: provisioner,
    meaning:
      "a create needs a second empty list this much later when nothing was known, or an instance has vanished by itself",
    expects: "a whole number of seconds, 0 or more",
  }),
  VAST_ON_TERMINATE: byDefault(z.enum(["keep", "scale-down", "destroy"]), "keep", {
    for: provisioner,
    meaning:
      "what SIGTERM does to the instance: `keep`, `scale-down` (ends it where its StatefulSet no longer wants the pod; needs the component of that name) or `destroy`",
    expects: "keep, scale-down or destroy",
  }),
  BLACKLIST_SCOPE: byDefault(z.enum(["host", "machine"]), "host", {
    for: provisioner,
    meaning: "what a new ban names: the `host` with all its machines, or one `machine`; existing bans of both hold",
    expects: "host or machine",
  }),
  UPSTREAM_PATH: byDefault(path, "/var/run/vast-pod/upstream.json", {
    for: both,
    meaning: "the file on the shared volume through which the containers meet",
    expects: "an absolute path without blanks, quotes and braces",
  }),
  STATE_PATH: byDefault(path, "/var/lib/vast-pod/provisioner.json", {
    for: provisioner,
    meaning: "what the provisioner remembers, on a volume of its own",
    expects: "an absolute path without blanks, quotes and braces",
  }),
  PROVISIONER_STATUS_PORT: byDefault(port, "8080", {
    for: provisioner,
    meaning: "`/livez`, `/readyz`, `/status` and `/metrics` of the provisioner",
    expects: "a port number, 1-65535",
  }),
  RELOADER_STATUS_PORT: byDefault(port, "8081", {
    for: both,
    meaning: "`/livez`, `/readyz`, `/status` and `/metrics` of the reloader; the provisioner asks it what nginx serves",
    expects: "a port number, 1-65535",
  }),
  NGINX_STATUS_PORT: byDefault(port, "8082", {
    for: reloader,
    meaning: "loopback port on which nginx tells the hash of its config",
    expects: "a port number, 1-65535",
  }),
  NGINX_PID_FILE: optional(path, {
    for: reloader,
    meaning: "nginx' pid file; without it the master is looked for in `/proc`",
    expects: "an absolute path without blanks, quotes and braces",
  }),
  NGINX_ERROR_LOG: optional(path, {
    for: reloader,
    meaning: "nginx' error log, from which the reloader reads why a config was refused",
    expects: "an absolute path without blanks, quotes and braces",
  }),
  NGINX_ACCESS_LOG: byDefault(z.union([z.literal("off"), path]), "/dev/stdout", {
    for: reloader,
    meaning: "where nginx writes its access log; `off` for none",
    expects: "an absolute path without blanks, quotes and braces, or off",
  }),
  NGINX_PROXY_BUFFERING: byDefault(z.enum(["on", "off"]), "on", {
    for: reloader,
    meaning: "nginx' `proxy_buffering`",
    expects: "on or off",
  }),
  NGINX_UPSTREAM_KEEPALIVE_SECONDS: byDefault(fractionOfSeconds, "4", {
    for: reloader,
    meaning: "idle time of connections to the instance; keep it below the instance's own (uvicorn: 5)",
    expects: "a number of seconds, 0.001 or more, with at most three decimals, like 4 or 0.4",
  }),
  NGINX_TIMEOUT_SECONDS: byDefault(seconds, "600", {
    for: reloader,
    meaning: "how long nginx waits for the instance between two reads or writes",
    expects: "a whole number of seconds, 1 or more",
  }),
  NGINX_UPSTREAM_HOST: optional(
    hostHeader,
    {
      for: reloader,
      meaning: "`Host` header that the instance gets",
      expects: "a DNS name or an IP address (IPv6 in brackets), with a port or without, like app.example:8443",
    },
    "the client's",
  ),
  NGINX_UPSTREAM_TLS_VERIFY: byDefault(z.enum(["on", "off"]), "off", {
    for: reloader,
    meaning: "verify the certificate of an instance that is reached by https",
    expects: "on or off",
  }),
  NGINX_UPSTREAM_TLS_CA: optional(
    path,
    {
      for: reloader,
      meaning: "PEM file of the authorities that may have signed it, as nginx' container sees it",
      expects: "an absolute path without blanks, quotes and braces",
    },
    SYSTEM_AUTHORITIES,
  ),
  NGINX_UPSTREAM_TLS_NAME: optional(
    z.string().refine((value) => isHost(value) && isIP(value) === 0),
    {
      for: reloader,
      meaning: "name asked for in the TLS handshake, and verified",
      expects: "a DNS name like app.example",
    },
    "the server's host, if that is a name",
  ),
  UPSTREAM_AUTH_HEADER: optional(header, {
    for: both,
    meaning:
      "`Name: value`, a header that proves to the instance who calls: sent by nginx, which lets no client's own of that name through, and by the HTTP probe",
    expects:
      "`Name: value` with a name of letters, digits and hyphens that is not the connection's or the proxy's own (Host, Connection, Content-Length, Transfer-Encoding, X-Forwarded-For), and a value of at most 2,000 visible ASCII characters",
    secret: true,
  }),
  NGINX_TEMPLATE_PATH: optional(
    path,
    {
      for: reloader,
      meaning: "a mustache template of your own for the nginx config; `vast-reloader template` prints the built-in one",
      expects: "an absolute path without blanks, quotes and braces",
    },
    "the built-in one",
  ),
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof VARIABLES;

type Output<S> = S extends z.ZodType<infer T, string> ? T : never;
/** The type that a variable's text becomes; `undefined` belongs to it where it may be left out. */
export type ValueOf<N extends VariableName> = (typeof VARIABLES)[N]["need"] extends "optional"
  ? Output<(typeof VARIABLES)[N]["schema"]> | undefined
  : Output<(typeof VARIABLES)[N]["schema"]>;

/** The table under its general type, for code that walks it. */
export const variable = (name: VariableName): Variable => VARIABLES[name];

/** The names that concern one container, in the table's order. */
export function namesFor(container: Container): VariableName[] {
  return (Object.keys(VARIABLES) as VariableName[]).filter((name) => variable(name).for.includes(container));
}

/** The README's table, one markdown row a variable. */
export function settingsTable(): string {
  const rows = (Object.keys(VARIABLES) as VariableName[]).map((name) => {
    const v = variable(name);
    const notes = v.secret ? `${v.meaning}; secret, also \`${name}_FILE\`` : v.meaning;
    const cell = (value: string) => value.replaceAll("|", "\\|");
    return `| ${name} | ${v.need === "required" ? "yes" : "no"} | ${cell("default" in v && v.default ? v.default : "")} | ${cell(notes)} |`;
  });
  return ["| variable | required | default | |", "|---|---|---|---|", ...rows].join("\n");
}
