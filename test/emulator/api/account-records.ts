// What an operator's client reads of the account beside its instances: invoices, keys, the audit log, addresses, and what this account
// does not have (volumes, machines of its own, endpoints). Pure.
import { settle, spendable, total } from "../instances/billing.ts";
import { isObject, type JsonObject, numberOrNull, parseJson } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import type { RequestRecord, World } from "../world.ts";
import type { Call } from "./call.ts";

const HOUR = 3600;

/** GET /users/me/invoices/: an entry for each instance that was paid for in the time, and the payment of the account. */
export function oldInvoices(world: World, call: Call): ApiResponse {
  const from = numberOrNull(call.query.get("sdate")) ?? 0;
  const until = numberOrNull(call.query.get("edate")) ?? world.time / 1000;
  const charges = [...world.instances.values()].map((instance) => {
    settle(world, instance);
    const quantity = ((instance.destroyedAt ?? world.time) - instance.createdAt) / 1000 / HOUR;
    const amount = total(instance.bill);
    return {
      type: "charge",
      description: `Instance ${instance.id} GPU charge: hours * $/hr`,
      timestamp: (instance.destroyedAt ?? world.time) / 1000,
      quantity: quantity.toFixed(3),
      rate: (quantity > 0 ? amount / quantity : 0).toFixed(4),
      amount: amount.toFixed(3),
      instance_id: instance.id,
    };
  });
  const { account } = world;
  const payment = {
    type: "payment",
    description: "Manual billing",
    timestamp: account.createdAt / 1000,
    quantity: "1.000",
    rate: account.credit.toFixed(4),
    amount: account.credit.toFixed(3),
  };
  const within = ({ timestamp }: { timestamp: number }) => timestamp >= from && timestamp <= until;
  const spent = account.balance + account.credit - spendable(world);
  return json(200, {
    invoices: [payment, ...charges].filter(within),
    current: { charges: spent, service_fee: 0, total: spent, credit: spendable(world) },
  });
}

/** GET /api/v1/invoices/: payments only. This account has paid once, when it was made. */
export function invoices(world: World, call: Call): ApiResponse {
  const filters = parseJson(call.query.get("select_filters") ?? "{}");
  const when = isObject(filters) && isObject(filters.when) ? filters.when : {};
  const paidAt = world.account.createdAt / 1000;
  const asked =
    paidAt >= (numberOrNull(when.gte) ?? 0) && paidAt <= (numberOrNull(when.lte) ?? Number.POSITIVE_INFINITY);
  const row = {
    start: paidAt,
    end: paidAt,
    type: "credit",
    source: "stripe",
    description: "Manual billing",
    amount: -world.account.credit,
    metadata: { invoice_id: 1, service: "stripe_payments" },
    items: [],
  };
  const results = asked ? [row] : [];
  return json(200, { success: true, count: results.length, total: results.length, next_token: null, results });
}

/** GET /auth/apikeys/: the one key of the account, without its text. */
export function apiKeys(world: World): ApiResponse {
  return json(200, { success: true, apikeys: [keyRow(world)] });
}

/** GET /auth/apikeys/{id}/ */
export function apiKey(world: World, call: Call): ApiResponse {
  if (call.id !== world.account.keyId) return refusal(404, "not_found", "API key not found.");
  return json(200, keyRow(world));
}

function keyRow({ account }: World): JsonObject {
  const scopes = account.scopes ?? [
    "misc",
    "user_read",
    "user_write",
    "instance_read",
    "instance_write",
    "billing_read",
  ];
  return {
    id: account.keyId,
    name: "main",
    user_id: account.id,
    created_at: account.createdAt / 1000,
    permissions: { api: Object.fromEntries(scopes.map((scope) => [scope, {}])) },
    deleted_at: null,
  };
}

/** GET /audit_logs/: what has changed something, the newest first. */
export function auditLog(world: World): ApiResponse {
  const rows = world.requests.filter(
    (request) => request.method !== "GET" && request.status < 300 && mayChange(request),
  );
  return json(
    200,
    rows.reverse().map((request) => ({
      ip_address: request.address,
      api_key_id: world.account.keyId,
      created_at: Date.parse(request.at) / 1000,
      api_route: request.path,
      args: JSON.stringify(request.body ?? {}),
    })),
  );
}

function mayChange({ path, authorization }: RequestRecord): boolean {
  return authorization.endsWith("right") && !/\/(bundles|search\/asks)\//.test(path);
}

/** GET /users/me/ipaddrs/: from where the account was used. */
export function addresses(world: World): ApiResponse {
  const firstSeen = new Map<string, string>();
  for (const { address, at, authorization } of world.requests)
    if (authorization.endsWith("right") && !firstSeen.has(address)) firstSeen.set(address, at);
  const results = [...firstSeen].map(([ip, at]) => ({ ip, first_seen: at, first_location: null }));
  return json(200, { success: true, results });
}

/** GET /tfa/status/ */
export function secondFactor(): ApiResponse {
  return json(200, { success: true, tfa_enabled: false, methods: [], backup_codes_remaining: 0 });
}

/** What this account has none of, in the form of its list. */
export const none = (field: string) => (): ApiResponse => json(200, { success: true, [field]: [] });
export const emptyList = (): ApiResponse => json(200, []);
