// The list of instances: v1 with filters, columns, order and pages; v0 as it is today, removed.

import type { Instance } from "../instances/instance.ts";
import { instanceRow, STORED_COLUMNS } from "../instances/row.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import type { World } from "../world.ts";
import type { Call } from "./call.ts";
import { compareValues, parseFilters, passes, selectColumns } from "./filters.ts";

const MOST_ROWS = 25;
const ROWS_FOR_NONE = 5; // documented: a limit of 0 or less acts as 5

/** True if the row is listed: the contract is old enough and not gone. */
export function isVisible(world: World, instance: Instance): boolean {
  return world.time >= instance.visibleAt && (instance.goneAt === null || world.time < instance.goneAt);
}

export function visibleInstances(world: World): Instance[] {
  world.lingering = world.lingering.filter(({ goneAt }) => goneAt !== null && world.time < goneAt);
  return [...world.live.values(), ...world.lingering].filter((instance) => isVisible(world, instance));
}

function badRequest(problem: string): ApiResponse {
  return json(400, { error: "invalid_request", msg: problem });
}

function notSearchable(column: string): ApiResponse {
  return badRequest(`Error in query parameters: ${column} is not a valid search key`);
}

export function listInstances(world: World, call: Call): ApiResponse {
  const filters = parseFilters(parameter(call, "select_filters", {}));
  if (!filters.ok) return badRequest(filters.problem);
  const wrong = filters.value.find((filter) => !STORED_COLUMNS.has(filter.field));
  if (wrong) return notSearchable(wrong.field);
  const order = readOrder(parameter(call, "order_by", []));
  if (typeof order === "string") return notSearchable(order);
  const columns = parameter(call, "select_cols", ["*"]);
  if (!Array.isArray(columns)) return badRequest("Error in query parameters: select_cols must be a JSON list");
  const token = call.query.get("after_token");
  const after = token ? readToken(token, order) : null;
  if (after === "bad") return json(400, { error: "invalid_token", msg: "Invalid after_token" });

  const rows = rowsOf(world);
  const matching = visibleInstances(world)
    .filter((one) => filters.value.every((filter) => passes(rows.value(one, filter.field), filter)))
    .sort((a, b) => compareRows(rows.reader(a), rows.reader(b), order));
  const isAfter = (one: Instance, values: JsonObject) =>
    compareRows(rows.reader(one), (column) => values[column], order) > 0;
  const rest = after ? matching.filter((one) => isAfter(one, after)) : matching;
  const page = rest.slice(0, readLimit(call.query.get("limit"), world.settings.omittedLimit));
  const last = page.at(-1);
  return json(200, {
    success: true,
    instances_found: page.length,
    total_instances: matching.length,
    label_counts: labelCounts(matching.map((one) => rows.value(one, "label"))),
    next_token: last && rest.length > page.length ? makeToken(rows.reader(last), order) : null,
    instances: page.map((one) => selectColumns(rows.row(one), columns.map(String))),
  });
}

/** Columns whose value is known without building the row. */
const WITHOUT_ROW: Readonly<Record<string, (instance: Instance) => Json>> = {
  id: ({ id }) => id,
  label: ({ label }) => label,
  actual_status: ({ actualStatus }) => actualStatus,
};

function valueWithoutRow(instance: Instance, column: string): Json {
  const overridden = instance.overrides[column];
  return overridden === undefined ? (WITHOUT_ROW[column]?.(instance) ?? null) : overridden;
}

/** The rows of one answer. Each is built when it is first needed: most are not, and those of a large account would take long. */
function rowsOf(world: World) {
  const built = new Map<Instance, JsonObject>();
  const row = (instance: Instance): JsonObject => {
    const known = built.get(instance) ?? instanceRow(world, instance);
    built.set(instance, known);
    return known;
  };
  const value = (instance: Instance, column: string): Json =>
    Object.hasOwn(WITHOUT_ROW, column) ? valueWithoutRow(instance, column) : (row(instance)[column] ?? null);
  const reader = (instance: Instance) => (column: string) => value(instance, column);
  return { row, value, reader };
}

/** A query parameter with JSON. Other text is returned as text and fails the later check. */
function parameter(call: Call, name: string, fallback: Json): Json {
  const text = call.query.get(name);
  if (text === null || text === "") return fallback;
  return parseJson(text) ?? text;
}

function readLimit(text: string | null, omitted: number): number {
  const limit = text === null ? omitted : Number.parseInt(text, 10);
  if (Number.isNaN(limit)) return MOST_ROWS;
  return limit <= 0 ? ROWS_FOR_NONE : Math.min(limit, MOST_ROWS);
}

interface SortKey {
  column: string;
  descending: boolean;
}

/** The sort keys, with `id` always last; or the name of an unknown column. */
function readOrder(order: Json): SortKey[] | string {
  if (!Array.isArray(order)) return "order_by";
  const keys: SortKey[] = [];
  for (const one of order) {
    const column = isObject(one) && typeof one.col === "string" ? one.col : "order_by";
    if (!STORED_COLUMNS.has(column)) return column;
    keys.push({ column, descending: isObject(one) && one.dir === "desc" });
  }
  if (!keys.some((key) => key.column === "id")) keys.push({ column: "id", descending: false });
  return keys;
}

type ReadColumn = (column: string) => Json | undefined;

function compareRows(a: ReadColumn, b: ReadColumn, order: readonly SortKey[]): number {
  for (const { column, descending } of order) {
    const sign = compareValues(a(column) ?? null, b(column) ?? null);
    if (sign !== 0) return descending ? -sign : sign;
  }
  return 0;
}

/** The vendor's own form: base64 of JSON as Python writes it, with a space after colons and commas. */
function makeToken(row: ReadColumn, order: readonly SortKey[]): string {
  const values = order.map(({ column }) => `${JSON.stringify(column)}: ${JSON.stringify(row(column) ?? null)}`);
  return Buffer.from(`{"values": {${values.join(", ")}}}`).toString("base64");
}

function readToken(token: string, order: readonly SortKey[]): JsonObject | "bad" {
  const parsed = parseJson(Buffer.from(token, "base64").toString("utf8"));
  const values = isObject(parsed) ? parsed.values : undefined;
  if (!isObject(values) || !order.every(({ column }) => values[column] !== undefined)) return "bad";
  return values;
}

function labelCounts(labels: readonly Json[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of labels) {
    const label = typeof one === "string" ? one : "";
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
}

/** GET /api/v0/instances/filters/: the combinations of values that occur. */
export function listFilters(world: World): ApiResponse {
  const columns = ["actual_status", "verification", "gpu_name"];
  const found = new Map<string, JsonObject>();
  for (const instance of visibleInstances(world)) {
    const values = selectColumns(instanceRow(world, instance), columns);
    found.set(JSON.stringify(values), values);
  }
  return json(200, { filters: [...found.values()] });
}

/** GET /api/v0/instances/: deprecated since June 2026, account by account, hence the other two modes. */
export function listInstancesV0(world: World): ApiResponse {
  const msg = "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead.";
  if (world.settings.v0List === "410") return refusal(410, "deprecated_endpoint", msg);
  if (world.settings.v0List === "200-deprecated-body") return refusal(200, "deprecated_endpoint", msg);
  const instances = visibleInstances(world).map((instance) => instanceRow(world, instance));
  return json(200, { instances, instances_found: instances.length });
}
