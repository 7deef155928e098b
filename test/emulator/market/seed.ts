// Fills a market with a few thousand seeded machines, or with the offers of a test. Pure.
import { z } from "zod";
import type { JsonObject } from "../json.ts";
import type { Random } from "../random.ts";
import { GPU_MODELS } from "./gpu-models.ts";
import { type Machine, seededMachine } from "./machine.ts";
import { addMachine, type Market } from "./offer.ts";

/** Adds `count` machines. `now` is epoch seconds. */
export function seedMarket(market: Market, count: number, random: Random, now: number): void {
  const hosts = Math.max(1, Math.floor(count / 5)); // hosts have several machines, so a ban of a host excludes more offers
  for (let i = 0; i < count; i++) addMachine(market, seededMachine(random, 20_000 + i, hosts, now), random, now);
}

/** An offer of a test: with the given row fields. Missing ones get the values of a good, plain machine. */
export const partialOfferSchema = z.looseObject({
  id: z.int().positive().optional(),
  ask_contract_id: z.int().positive().optional(),
  machine_id: z.int().positive().optional(),
  host_id: z.int().positive().optional(),
  gpu_name: z.string().optional(),
  gpu_ram: z.number().positive().optional(),
  num_gpus: z.int().min(1).max(16).optional(),
  dph_total: z.number().min(0).optional(),
  dph_base: z.number().min(0).optional(),
  min_bid: z.number().min(0).optional(),
  storage_cost: z.number().min(0).optional(),
  disk_space: z.number().min(0).optional(),
  inet_down: z.number().positive().optional(),
  duration: z.number().optional(),
  end_date: z.number().optional(),
  public_ipaddr: z.string().optional(),
});
export type PartialOffer = z.infer<typeof partialOfferSchema>;

/** Adds one machine with one offer for `partial`. Returns the machine. */
export function addNamedOffer(market: Market, partial: PartialOffer, random: Random, now: number): Machine {
  const machine = namedMachine(market, partial, random, now);
  addMachine(market, machine, random, now);
  const id = partial.id ?? partial.ask_contract_id;
  const [offer] = market.listed.get(machine.id) ?? [];
  if (id !== undefined && offer) {
    market.offers.delete(offer.id);
    offer.id = id;
    market.offers.set(id, offer);
  }
  return machine;
}

/** A machine that can be rented only as a whole. It is not yet on the market. */
export function namedMachine(market: Market, partial: PartialOffer, random: Random, now: number): Machine {
  let id = partial.machine_id ?? 90_000;
  while (market.machines.has(id) || (partial.machine_id === undefined && id === 90_000)) id += 1;
  const plain = seededMachine(random, id, 1, now);
  const cards = partial.num_gpus ?? 1;
  const known = GPU_MODELS.find((one) => one.name === partial.gpu_name) ?? GPU_MODELS[0];
  const gpu = { ...known, name: partial.gpu_name ?? known.name, ramMb: partial.gpu_ram ?? known.ramMb };
  // If only the total price is given, the disk costs nothing.
  const storageCost = partial.storage_cost ?? (partial.dph_total !== undefined ? 0 : 0.15);
  const base = partial.dph_base ?? partial.dph_total ?? gpu.dph * cards;
  const named = Object.entries(partial).filter(([name]) => !COMPUTED.has(name));
  const overrides = Object.fromEntries(named) as JsonObject; // it was parsed from JSON
  return {
    ...plain,
    hostId: partial.host_id ?? 70_000 + (id % 10_000),
    holders: Array.from({ length: cards }, () => null),
    layouts: [[Array.from({ length: cards }, (_, i) => i)]],
    gpu,
    dph: base / cards,
    minBid: (partial.min_bid ?? base * 0.5) / cards,
    storageCost,
    diskGb: partial.disk_space ?? 500,
    inetDown: partial.inet_down ?? 1000,
    diskBandwidth: 2000,
    endDate: partial.end_date ?? now + (partial.duration ?? 90 * 86_400),
    publicIp: partial.public_ipaddr ?? plain.publicIp,
    facts: { ...plain.facts, ...GOOD, ...overrides }, // derived fields follow from these
    overrides,
  };
}

// Typical requirements of searches, so that an offer without other fields is found.
const GOOD = {
  verification: "verified",
  reliability2: 0.999,
  expected_reliability: 0.995,
  hosting_type: 0,
  geolocation: "Texas, US",
  driver_version: "570.86.10",
  cuda_max_good: 12.8,
  direct_port_count: 249,
  inet_down: 1000,
  inet_up: 800,
  static_ip: false,
  cpu_cores: 32,
};

// These are computed from the machine, so a given value must not override them.
const COMPUTED = new Set([
  "id",
  "ask_contract_id",
  "dph_total",
  "dph_base",
  "min_bid",
  "duration",
  "search",
  "instance",
]);
