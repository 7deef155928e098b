// Fills a market: a few thousand seeded machines, or the offers that a test names. Pure.
import { z } from "zod";
import type { JsonObject } from "../json.ts";
import type { Random } from "../random.ts";
import { GPU_MODELS } from "./gpu-models.ts";
import { type Machine, seededMachine } from "./machine.ts";
import { addMachine, type Market } from "./offer.ts";

/** Adds `count` machines. `now` is epoch seconds. */
export function seedMarket(market: Market, count: number, random: Random, now: number): void {
  const hosts = Math.max(1, Math.floor(count / 5)); // a host has several machines: that is why bans of hosts weigh more
  for (let i = 0; i < count; i++) addMachine(market, seededMachine(random, 20_000 + i, hosts, now), random, now);
}

/** An offer as a test names it: any row fields; what is left out is filled with those of a good, plain machine. */
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

/** A machine with exactly one way to rent it. It is not yet on the market. */
export function namedMachine(market: Market, partial: PartialOffer, random: Random, now: number): Machine {
  let id = partial.machine_id ?? 90_000;
  while (market.machines.has(id) || (partial.machine_id === undefined && id === 90_000)) id += 1;
  const plain = seededMachine(random, id, 1, now);
  const cards = partial.num_gpus ?? 1;
  const known = GPU_MODELS.find((one) => one.name === partial.gpu_name) ?? GPU_MODELS[0];
  const gpu = { ...known, name: partial.gpu_name ?? known.name, ramMb: partial.gpu_ram ?? known.ramMb };
  // Someone who names only the total means the total: then the disk costs nothing.
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
    facts: { ...plain.facts, ...GOOD, ...overrides }, // what is derived from a fact follows it
    overrides,
  };
}

// What searches usually ask for, so that an offer that names nothing else is found.
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

// These are computed from the machine, so a value set here must not stand in their way.
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
