// What a call of a pod bids, with the disk that is charged besides. Touches nothing; reads the emulator.
import { diskPerHour } from "../emulator/instances/billing.ts";
import { isObject, parseJson } from "../emulator/json.ts";
import { storagePerHour } from "../emulator/market/offer-row.ts";
import type { ApiRequest } from "../emulator/message.ts";
import type { World } from "../emulator/world.ts";

const CALL = /\/(asks|bid_price)\/(\d+)\//;

/** Null: the call bids nothing, or for something that does not exist. */
export function bidOf(world: World, request: ApiRequest): { on: string; dollarsPerHour: number } | null {
  const [, kind, digits] = (request.method === "PUT" && CALL.exec(request.url)) || [];
  if (kind === undefined) return null;
  const body = parseJson(request.body);
  if (!isObject(body) || typeof body.price !== "number") return null;
  const { price, disk } = body;
  const id = Number(digits);
  if (kind === "bid_price") {
    const instance = world.instances.get(id);
    return instance ? { on: `instance ${id}`, dollarsPerHour: price + diskPerHour(instance) } : null;
  }
  const offer = world.market.offers.get(id) ?? world.market.withdrawn.get(id);
  if (offer === undefined) return null;
  return { on: `offer ${id}`, dollarsPerHour: price + storagePerHour(offer.machine.storageCost, Number(disk)) };
}
