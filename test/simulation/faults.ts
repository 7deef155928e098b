// Draws a random fault rule for the emulator's API. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { Random } from "../emulator/random.ts";

const PATHS = {
  list: { method: "GET", path: "^/api/v1/instances/" },
  create: { method: "PUT", path: "^/api/v0/asks/" },
  destroy: { method: "DELETE", path: "^/api/v0/instances/" },
  search: { method: "POST", path: "^/api/v0/bundles/" },
  template: { method: "GET", path: "^/api/v0/template/" },
  user: { method: "GET", path: "^/api/v0/users/" },
  all: {},
} as const;
type Target = keyof typeof PATHS;

const TARGETS: readonly [Target, ...Target[]] = [
  "list",
  "list",
  "create",
  "create",
  "create",
  "destroy",
  "destroy",
  "search",
  "template",
  "user",
  "all",
];

/**
 * A rule for `/_emulator/faults`. Without `loseRows` no created row stays invisible for ever: if the answer can be lost together
 * with the process or its disk, nobody could ever find such a contract.
 */
export function drawFault(random: Random, loseRows: boolean): JsonObject {
  const target = random.pick(TARGETS);
  const often = random.chance(0.5)
    ? { times: random.integer(1, 5), probability: 1 }
    : { times: 0, probability: random.pick([0.2, 0.5, 0.9, 1]) };
  return { ...PATHS[target], ...often, skip: random.pick([0, 0, 1]), effect: drawEffect(random, target, loseRows) };
}

function drawEffect(random: Random, target: Target, loseRows: boolean): JsonObject {
  const common: readonly [() => JsonObject, ...(() => JsonObject)[]] = [
    () => ({ kind: "error", status: random.pick([500, 502, 503, 504, 429, 400]), form: random.pick(FORMS) }),
    () => ({ kind: "error", status: 500, form: "main", error: "server_error", msg: "Internal error" }),
    () => ({ kind: "html", status: random.pick([200, 502, 503, 504]) }),
    () => ({ kind: "garbage" }),
    () => ({ kind: "cut-before" }),
    () => ({ kind: "cut-after" }),
    () => ({ kind: "hang-before" }),
    () => ({ kind: "hang-after" }),
    () => ({ kind: "slow-body", bytesPerSecond: random.pick([5, 50, 500]) }),
    () => ({ kind: "delay", seconds: random.pick([1, 5, 15, 40]) }),
    () => ({ kind: "commit-then", status: random.pick([500, 502, 504]) }),
    () => ({ kind: "answer", status: 429, body: random.pick(TOO_FREQUENT) }),
  ];
  const more: Readonly<Partial<Record<Target, readonly (() => JsonObject)[]>>> = {
    list: [
      () => ({ kind: "rewrite", set: random.pick(STRANGE_LISTS) }),
      () => ({ kind: "answer", status: 410, body: { success: false, error: "deprecated_endpoint", msg: "Use v2" } }),
      () => ({ kind: "answer", status: 200, body: { success: true } }),
    ],
    create: [
      () => ({ kind: "late-row", seconds: random.integer(5, 110) }),
      () => ({ kind: "late-row", seconds: random.integer(5, 110) }),
      () => (loseRows ? { kind: "no-row" } : { kind: "late-row", seconds: 30 }),
      () => ({ kind: "rewrite", set: { new_contract: null } }),
      () => ({ kind: "rewrite", set: { success: false, msg: "the instance could not be started" } }),
      () => ({ kind: "error", status: random.pick([400, 404, 410]), form: "ask", error: "no_such_ask" }),
    ],
    destroy: [
      () => ({ kind: "linger", seconds: random.integer(10, 120) }),
      () => ({ kind: "linger", seconds: random.integer(10, 120) }),
      // A 404 that says nothing about the instance.
      () => ({ kind: "answer", status: 404, body: { success: false, msg: "Session expired. Please log in again." } }),
      // Of a row that no list shows the API's "there is none" is all that can be known: it must be true then.
      () => ({ kind: "error", status: loseRows ? 500 : 404, form: "main", error: "no_such_instance" }),
    ],
    template: [
      () => ({ kind: "rewrite", set: { templates: [] } }),
      () => ({ kind: "answer", status: 200, body: { success: false, msg: "No templates found" } }),
    ],
  };
  const own = more[target] ?? [];
  return random.chance(own.length === 0 ? 0 : 0.45)
    ? random.pick([own[0] ?? common[0], ...own.slice(1)])()
    : random.pick(common)();
}

const FORMS: readonly [string, ...string[]] = ["main", "no-success", "msg", "message", "detail", "text", "html"];
const TOO_FREQUENT: readonly [JsonObject | string, ...(JsonObject | string)[]] = [
  "API requests too frequent",
  { detail: "too frequent", retry_after: 17 },
  { success: false, error: "rate_limit_exceeded", msg: "API requests too frequent endpoint threshold=3.0" },
];
const STRANGE_LISTS: readonly [JsonObject, ...JsonObject[]] = [
  { instances: null },
  { instances: [] },
  { next_token: "eyJ2YWx1ZXMiOiB7ImlkIjogMX19" },
  { success: false, error: "server_error", msg: "try again" },
];
