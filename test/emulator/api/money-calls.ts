// What hosts announce and what was charged: GET pending-price-increases and GET charges.
import { z } from "zod";
import { settle } from "../instances/billing.ts";
import type { Instance } from "../instances/instance.ts";
import { type JsonObject, parseJson } from "../json.ts";
import { type ApiResponse, json } from "../message.ts";
import type { World } from "../world.ts";
import type { Call } from "./call.ts";

const MOST_CHARGES = 500;

/** GET /api/v0/instances/pending-price-increases/ */
export function priceIncreases(world: World): ApiResponse {
  const rows = [...world.live.values()].flatMap((instance) => increaseRow(instance) ?? []);
  return json(200, { success: true, count: rows.length, truncated: false, pending_price_increases: rows });
}

function increaseRow(instance: Instance): JsonObject | null {
  const { priceIncrease: pending, machine } = instance;
  if (pending === null) return null;
  return {
    pending_price_increase_id: pending.id,
    contract_id: instance.id,
    host_id: machine.hostId,
    old_gpu_costpersec: instance.gpuPerHour / 3600,
    new_gpu_costpersec: pending.gpuPerHour / 3600,
    new_disk_ram_costpersec: machine.storageCost / 2_592_000,
    new_bwu_cost: 0,
    new_bwd_cost: 0,
    new_platform_fee: 0,
    contract_end_date: machine.endDate,
    ask_end_date: machine.endDate + 30 * 86_400,
    created_at: pending.createdAt / 1000,
  };
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
