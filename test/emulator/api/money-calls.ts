// The prices that hosts announce, to be accepted or rejected, and what was charged.
import { z } from "zod";
import { settle } from "../instances/billing.ts";
import { EXTENSION_SECONDS, extend } from "../instances/contract-end.ts";
import type { Instance } from "../instances/instance.ts";
import { type JsonObject, parseJson } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import type { World } from "../world.ts";
import { type Call, fields } from "./call.ts";

const MOST_CHARGES = 500;

/** GET /api/v0/instances/pending-price-increases/ */
export function priceIncreases(world: World): ApiResponse {
  const rows = [...world.live.values()].flatMap((instance) => increaseRow(instance) ?? []);
  return json(200, { success: true, count: rows.length, truncated: false, pending_price_increases: rows });
}

function increaseRow(instance: Instance): JsonObject | null {
  const { priceIncrease: pending, machine, cards } = instance;
  if (pending === null) return null;
  const perCardSecond = (perHour: number) => perHour / cards.length / 3600;
  return {
    pending_price_increase_id: pending.id,
    contract_id: instance.id,
    host_id: machine.hostId,
    old_gpu_costpersec: perCardSecond(instance.gpuPerHour),
    old_disk_ram_costpersec: machine.storageCost / 2_592_000,
    old_bwu_cost: 0,
    old_bwd_cost: 0,
    old_platform_fee: 0,
    new_gpu_costpersec: perCardSecond(pending.gpuPerHour),
    // Null: this price stays.
    new_disk_ram_costpersec: null,
    new_bwu_cost: null,
    new_bwd_cost: null,
    new_platform_fee: null,
    contract_end_date: instance.endDate,
    ask_end_date: instance.endDate + EXTENSION_SECONDS,
    created_at: pending.createdAt / 1000,
  };
}

/** PUT /instances/accept-price-increase/ */
export function acceptPriceIncrease(world: World, call: Call): ApiResponse {
  return decidePriceIncrease(world, call, (instance, { gpuPerHour }) => extend(world, instance, gpuPerHour));
}

/** PUT /instances/reject-price-increase/: the contract ends as agreed. */
export function rejectPriceIncrease(world: World, call: Call): ApiResponse {
  return decidePriceIncrease(world, call, () => undefined);
}

const decisionSchema = z.strictObject({ pending_price_increase_id: z.int() });

function decidePriceIncrease(
  world: World,
  call: Call,
  decide: (instance: Instance, pending: NonNullable<Instance["priceIncrease"]>) => void,
): ApiResponse {
  const body = decisionSchema.safeParse(fields(call));
  if (!body.success) return refusal(400, "invalid_args", "the body must be exactly pending_price_increase_id");
  const id = body.data.pending_price_increase_id;
  const instance = [...world.live.values()].find((one) => one.priceIncrease?.id === id);
  if (!instance?.priceIncrease)
    return json(world.settings.stalePriceIncreaseStatus, { success: false, error: "no_pending_price_increase" });
  decide(instance, instance.priceIncrease);
  instance.priceIncrease = null;
  return json(200, { success: true, pending_price_increase_id: id, contract_id: instance.id });
}

const filterSchema = z.object({
  day: z.object({ gte: z.number(), lte: z.number() }),
  /** Without it, charges of every type. */
  type: z.object({ in: z.array(z.string()) }).optional(),
});

/** GET /api/v0/charges/: one row for each instance that lived in the time that is asked for, with all that it has cost. */
export function listCharges(world: World, call: Call): ApiResponse {
  const parsed = filterSchema.safeParse(parseJson(call.query.get("select_filters") ?? ""));
  if (!parsed.success) return json(400, { error: "invalid_request", msg: "select_filters needs day" });
  const { day, type } = parsed.data;
  const lived = ({ createdAt, destroyedAt }: Instance) =>
    createdAt <= day.lte * 1000 && (destroyedAt ?? world.time) >= day.gte * 1000;
  const all =
    type === undefined || type.in.includes("instance") ? [...world.instances.values()].filter(lived).reverse() : [];
  const from = Number(call.query.get("after_token") ?? 0);
  const limit = Math.min(Number(call.query.get("limit") ?? 25), MOST_CHARGES);
  const page = all.slice(from, from + limit);
  return json(200, {
    success: true,
    count: page.length,
    total: all.length,
    next_token: from + limit < all.length ? String(from + limit) : null,
    results: page.map((instance) => chargeRow(world, instance)),
  });
}

function chargeRow(world: World, instance: Instance): JsonObject {
  settle(world, instance);
  const { gpuDollars, diskDollars, trafficDollars } = instance.bill;
  return {
    type: "instance",
    source: `instance-${instance.id}`,
    amount: gpuDollars + diskDollars + trafficDollars,
    metadata: { label: instance.label, template_id: instance.spec.templateId },
    items: [
      { type: "gpu", amount: gpuDollars },
      { type: "disk", amount: diskDollars },
      { type: "bwd", amount: trafficDollars },
      { type: "bwu", amount: 0 },
    ],
  };
}
