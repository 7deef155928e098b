// Every setting that the provisioner reads: name, default, meaning and parser. The source of `--help` and of the README. Pure.
import * as z from "zod";
import {
  boolean,
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
} from "../common/variable-parsers.ts";
import { byDefault, EXPECTED, optional, required, SHARED_VARIABLES, type VariableTable } from "../common/variables.ts";
import { ON_TERMINATE, POLICIES, SURGE_READY, UPDATE_PRECHECKS, UPDATE_STRATEGIES } from "./model/desired.ts";
import { imageProblem } from "./model/image-grammar.ts";
import { parseRedisUrl, REDIS_URL_EXPECTED, type RedisTarget } from "./redis/url.ts";
import { SEARCH_VARIABLES } from "./search/variables.ts";

// biome-ignore lint/suspicious/noTemplateCurlyInString: shown literally; the pod's name is inserted later
const INSTANCE_ID_REFERENCE = "${INSTANCE_ID}";
// biome-ignore lint/suspicious/noTemplateCurlyInString: as above
const POD_NAME_REFERENCE = "${POD_NAME}";

const redisUrl = z.string().transform((value, context): RedisTarget => {
  const parsed = parseRedisUrl(value);
  if ("target" in parsed) return parsed.target;
  context.addIssue({ code: "custom", message: parsed.problem });
  return z.NEVER;
});

const image = z.string().superRefine((value, context) => {
  const problem = imageProblem(value);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

export const PROVISIONER_VARIABLES = {
  POD_NAME: required(z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,198}[A-Za-z0-9])?$/), {
    group: "required",
    meaning: "unique name of the pod; it becomes part of the instance's label",
    expects: "the pod's name: letters, digits, dots and hyphens, at most 200 characters, like vast-pod-0",
  }),
  VAST_API_KEY: required(token, {
    group: "required",
    meaning: "API key of the Vast.ai account",
    expects: "the key that the account page of Vast.ai shows, without blanks",
    secret: true,
  }),
  VAST_TEMPLATE_NAME: required(text, {
    group: "required",
    meaning: "name of a template of this account",
    expects: "the template's name as the account's template page shows it, without blanks around it",
  }),
  VAST_TEMPLATE_IMAGE: required(image, {
    group: "required",
    meaning: "container image that the instance must run",
    expects: "an image reference like example/app:2 or registry.example/team/app:2",
  }),
  DOCKER_LOGIN: required(login, {
    group: "required",
    meaning: "registry login `-u <user> -p <password> <host>`; `none`: use the template's login",
    expects: "`-u <user> -p <password> <host>` (three parts without quotes or blanks inside), or `none`",
    secret: true,
  }),
  ...SEARCH_VARIABLES,
  VAST_LABEL: optional(
    // A reference to any other variable would stay unfilled, and pods would share one label.
    z.string().regex(/^(?!.*\$[({](?!POD_NAME[)}]))[\x21-\x7e]{1,128}$/),
    {
      group: "instance",
      meaning: `the instance's label; set it if several clusters share the account; may contain \`${POD_NAME_REFERENCE}\``,
      expects: `1-128 printable characters without blanks, like k8s_pod=prod/${POD_NAME_REFERENCE}; only the pod's name can be inserted`,
    },
    `k8s_pod=${POD_NAME_REFERENCE}`,
  ),
  VAST_UPSTREAM_PORT: optional(
    port,
    {
      group: "instance",
      meaning: "container port to serve, as in the instance's `ports` map",
      expects: "a port number of the container, 1-65535",
    },
    "the only published TCP port other than 22 and 8080",
  ),
  VAST_UPSTREAM_SCHEME: byDefault(z.enum(["http", "https"]), "http", {
    group: "instance",
    meaning: "protocol that nginx and the HTTP probe use to the instance: `http` or `https`",
    expects: "http or https",
  }),
  VAST_HEALTH_PATH: optional(z.string().regex(/^\/[\x21-\x7e]*$/), {
    group: "instance",
    meaning: "path of the HTTP probe (2xx and 3xx pass); unset: a TCP connection passes, unless sshd answers",
    expects: "a path that begins with a slash, like /health",
  }),
  VAST_HEALTH_EXPECT: optional(z.string().regex(/^[\x20-\x7e]{1,500}$/), {
    group: "instance",
    meaning: `text that the HTTP probe's answer must hold, in a header or its first 64 KiB; may contain \`${INSTANCE_ID_REFERENCE}\``,
    expects: `1-500 printable characters, like "instance": ${INSTANCE_ID_REFERENCE} or X-Instance: ${INSTANCE_ID_REFERENCE}`,
  }),
  VAST_URL: byDefault(url(["http:", "https:"], isBase), "https://console.vast.ai", {
    group: "instance",
    meaning: "base URL of the Vast.ai API",
    expects: "an http or https URL without a path, like https://console.vast.ai",
  }),
  VAST_POLICY: byDefault(z.enum(POLICIES), "sync", {
    group: "safety",
    meaning:
      "`sync`, `no-destroy` (never destroys an instance) or `observe` (changes nothing, says what it would rent)",
    expects: "sync, no-destroy or observe",
  }),
  VAST_UPDATE_STRATEGY: byDefault(z.enum(UPDATE_STRATEGIES), "recreate", {
    group: "safety",
    meaning:
      "a new image or template: `recreate` the instance, `in-place` (its container anew, on the same host), or `surge` (another one first)",
    expects: "recreate, in-place or surge",
  }),
  VAST_UPDATE_PRECHECK: byDefault(z.enum(UPDATE_PRECHECKS), "offer", {
    group: "safety",
    meaning:
      "what serves is destroyed for an update only if there is an acceptable `offer`, or without a look (`none`)",
    expects: "offer or none",
  }),
  VAST_SURGE_READY: byDefault(z.enum(SURGE_READY), "old", {
    group: "safety",
    meaning:
      "with `surge`, whether a pod that was ready stays ready with its outdated instance (`old`) or not (`new`); one that starts with it never is",
    expects: "old or new",
  }),
  VAST_ON_TERMINATE: byDefault(z.enum(ON_TERMINATE), "keep", {
    group: "safety",
    meaning: "on SIGTERM: `keep`, `destroy`, or `scale-down` (destroy if the StatefulSet no longer wants the pod)",
    expects: "keep, scale-down or destroy",
  }),
  VAST_TERMINATE_SECONDS: byDefault(seconds, "100", {
    group: "safety",
    meaning: "how long `destroy` and `scale-down` try after SIGTERM; less than the time until SIGKILL",
    expects: EXPECTED.seconds,
  }),
  VAST_MAX_CREATES_PER_HOUR: byDefault(integer(1, 1000), "6", {
    group: "safety",
    meaning: "most instances created within any hour",
    expects: "a whole number, 1 or more",
  }),
  VAST_FIRST_CREATE_WAIT_SECONDS: byDefault(secondsOrNone, "10", {
    group: "safety",
    meaning: "wait for a second empty list before a create (first start, or after an instance vanished)",
    expects: EXPECTED.secondsOrNone,
  }),
  VAST_DRAIN_SECONDS: byDefault(secondsOrNone, "10", {
    group: "safety",
    meaning: "time between removing an instance from nginx and destroying it",
    expects: EXPECTED.secondsOrNone,
  }),
  VAST_UNREACHABLE_TIMEOUT_SECONDS: byDefault(seconds, "300", {
    group: "safety",
    meaning: "an instance that was ready and no longer answers is replaced after this time at the latest",
    expects: EXPECTED.seconds,
  }),
  VAST_UNHEALTHY_TIMEOUT_SECONDS: byDefault(seconds, "1800", {
    group: "safety",
    meaning: "an instance that accepts TCP but fails the HTTP probe is replaced after this time",
    expects: EXPECTED.seconds,
  }),
  VAST_UNKNOWN_MAX_SECONDS: byDefault(seconds, "3600", {
    group: "safety",
    meaning: "how long an instance that passes its TCP probe is served while the API does not answer",
    expects: EXPECTED.seconds,
  }),
  FLEET_REDIS_URL: optional(
    redisUrl,
    {
      group: "redis",
      meaning: "turns on leases and turns: a Redis for all pods of the account, also without bans",
      expects: REDIS_URL_EXPECTED,
    },
    "that of enabled bans, else none",
  ),
  FLEET_REDIS_PASSWORD: optional(token, {
    group: "redis",
    meaning: "password of that Redis, when it is not in the URL",
    expects: "the password without blanks",
    secret: true,
  }),
  BLACKLIST_ENABLED: byDefault(boolean, "false", {
    group: "redis",
    meaning: "ban hosts that do not work; that Redis has leases and turns, too, unless FLEET_REDIS_URL names another",
    expects: EXPECTED.boolean,
  }),
  BLACKLIST_REDIS_URL: byDefault(redisUrl, "redis://redis:6379/10", {
    group: "redis",
    meaning: "Redis with the bans; not used unless bans are enabled (older name: `BLACKLIST_REDIS`)",
    expects: REDIS_URL_EXPECTED,
    formerly: "BLACKLIST_REDIS",
  }),
  BLACKLIST_REDIS_PASSWORD: optional(token, {
    group: "redis",
    meaning: "password of that Redis, when it is not in the URL",
    expects: "the password without blanks",
    secret: true,
  }),
  BLACKLIST_SCOPE: byDefault(z.enum(["host", "machine"]), "host", {
    group: "redis",
    meaning: "what a new ban covers: the `host` with all its machines, or one `machine`; existing bans stay valid",
    expects: "host or machine",
  }),
  BLACKLIST_BAN_AFTER_SECONDS: byDefault(seconds, "1200", {
    group: "redis",
    meaning: "an instance that is not ready after this time is replaced, and its host is banned",
    expects: EXPECTED.seconds,
  }),
  BLACKLIST_BAN_TTL_SECONDS: byDefault(seconds, "604800", {
    group: "redis",
    meaning: "how long a ban lasts",
    expects: EXPECTED.seconds,
  }),
  BLACKLIST_RESTART_THRESHOLD: byDefault(integer(0, 1_000_000), "5", {
    group: "redis",
    meaning: "a host is banned after more than this many restarts of its instance",
    expects: "a whole number, 0 or more",
  }),
  BLACKLIST_RESTART_TTL_SECONDS: byDefault(seconds, "3600", {
    group: "redis",
    meaning: "the count of restarts is reset after this long without a restart",
    expects: EXPECTED.seconds,
  }),
  FLEET_EGRESS: byDefault(z.string().regex(/^[A-Za-z0-9._-]{1,253}$/), "all", {
    group: "redis",
    meaning: "pods with one address towards the API; the node's name where each node has its own address",
    expects: "1-253 letters, digits, dots, hyphens and underscores, like the node's name",
  }),
  FLEET_MAX_UNAVAILABLE: byDefault(
    z
      .string()
      .regex(/^[1-9]\d{0,4}%?$/)
      .refine((text) => !text.endsWith("%") || Number(text.slice(0, -1)) <= 100)
      .transform((text) => (text.endsWith("%") ? { percent: Number(text.slice(0, -1)) } : { number: Number(text) })),
    "10%",
    {
      group: "redis",
      meaning:
        "most pods with this key replaced at once (image, template, contract's end), at least one; needs a Redis",
      expects: "a percentage from 1% to 100%, or a number of pods from 1 to 99999",
    },
  ),
  VAST_MAX_UPDATING: optional(integer(1, 10_000), {
    group: "redis",
    meaning: "most pods with this key updated at once, by any strategy; so many pay twice with `surge`; needs a Redis",
    expects: "a whole number, 1 or more",
  }),
  VAST_TEMPLATE_FILE: optional(path, {
    group: "program",
    meaning: "file (YAML or JSON) with the content of the template: written at a start, and by `template apply`",
    expects: EXPECTED.path,
  }),
  STATE_PATH: byDefault(path, "/var/lib/vast-pod/provisioner.json", {
    group: "program",
    meaning: "the provisioner's state file, on its own volume",
    expects: EXPECTED.path,
  }),
  PROVISIONER_STATUS_PORT: byDefault(port, "8080", {
    group: "program",
    meaning: "`/` (a page for people), `/livez`, `/readyz`, `/status` and `/metrics` of the provisioner",
    expects: EXPECTED.port,
  }),
  KUBERNETES_EVENTS: byDefault(boolean, "false", {
    group: "program",
    meaning: "`true`: write Kubernetes Events about the pod, and annotate it with its instance and price",
    expects: EXPECTED.boolean,
  }),
  ...SHARED_VARIABLES,
} as const satisfies VariableTable;
