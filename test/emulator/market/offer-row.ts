// An offer as `bundles` shows it: fields, units and prices. Pure.
import type { Json, JsonObject } from "../json.ts";
import { hashText } from "../random.ts";
import type { Offer } from "./offer.ts";

/** Parameters of a search that change prices: the disk size to include, and whether the prices are bids. */
export interface PriceBasis {
  storageGb: number;
  bid: boolean;
  /** The prices after a prepayment, which a create does not make. */
  prepaid: boolean;
  /** Address of all instances, if it is the same for all. */
  address: string | null;
  /** Epoch seconds. */
  now: number;
}

/** $/h of `gb` on a disk of `perGbMonth` $: Vast's month has 30 days (0.15 x 10.08 / 720 = the documented 0.0021). */
export function storagePerHour(perGbMonth: number, gb: number): number {
  return (perGbMonth * gb) / 720;
}

/** $/h of the GPUs only. */
export function gpuPerHour(offer: Offer, bid: boolean): number {
  return offer.gpus.length * (bid ? offer.machine.minBid : offer.machine.dph);
}

type Column = (offer: Offer, basis: PriceBasis) => Json;

/** The largest discount for a prepayment. */
const PREPAID_DISCOUNT = 0.4;

const gpu = (offer: Offer, basis: PriceBasis) =>
  gpuPerHour(offer, basis.bid) * (basis.prepaid ? 1 - PREPAID_DISCOUNT : 1);
const disk = (offer: Offer, basis: PriceBasis) => storagePerHour(offer.machine.storageCost, basis.storageGb);
const total = (offer: Offer, basis: PriceBasis) => gpu(offer, basis) + disk(offer, basis);
const dlperf = (offer: Offer) => offer.machine.dlperfPerCard * offer.gpus.length;
const share = (offer: Offer) => offer.gpus.length / offer.machine.holders.length;
const fact = (name: string) => (offer: Offer) => offer.machine.facts[name] ?? null;
const always = (value: Json) => () => value;
const price = (offer: Offer, basis: PriceBasis): JsonObject => ({
  gpuCostPerHour: gpu(offer, basis),
  diskHour: disk(offer, basis),
  totalHour: total(offer, basis),
  discountTotalHour: 0,
  discountedTotalPerHour: total(offer, basis),
});

// Columns are computed separately: a search needs a few columns of thousands of offers.
const COLUMNS: ReadonlyMap<string, Column> = new Map<string, Column>([
  ["id", (offer) => offer.id],
  ["ask_contract_id", (offer) => offer.id],
  ["bundle_id", ({ machine, gpus }) => hashText(`${machine.id}/${gpus.length}`)],
  ["bundled_results", always(null)],
  ["machine_id", ({ machine }) => machine.id],
  ["host_id", ({ machine }) => machine.hostId],
  ["hostname", always(null)],
  ["num_gpus", ({ gpus }) => gpus.length],
  ["gpu_name", ({ machine }) => machine.gpu.name],
  ["gpu_arch", always("nvidia")],
  ["gpu_frac", share],
  ["gpu_ids", ({ machine, gpus }) => gpus.map((card) => machine.id * 16 + card)],
  ["gpu_ram", ({ machine }) => machine.gpu.ramMb],
  ["gpu_total_ram", ({ machine, gpus }) => machine.gpu.ramMb * gpus.length],
  ["gpu_mem_bw", ({ machine }) => machine.gpu.memoryBandwidth],
  ["gpu_max_power", ({ machine }) => machine.gpu.watts],
  ["gpu_lanes", always(16)],
  ["compute_cap", ({ machine }) => machine.gpu.computeCap],
  ["total_flops", ({ machine, gpus }) => machine.gpu.flops * gpus.length],
  ["dlperf", dlperf],
  ["cpu_cores_effective", (offer) => (numberFact(offer, "cpu_cores") || 16) * share(offer)],
  ["disk_space", (offer) => offer.machine.diskGb * share(offer)],
  ["disk_bw", ({ machine }) => machine.diskBandwidth],
  ["dph_base", gpu],
  ["dph_total", total],
  ["dph_total_adj", total],
  ["discounted_dph_total", total],
  ["min_bid", (offer) => gpuPerHour(offer, true)],
  ["storage_cost", ({ machine }) => machine.storageCost],
  ["storage_total_cost", disk],
  ["vram_costperhour", ({ machine, gpus }) => (machine.dph / machine.gpu.ramMb) * gpus.length],
  ["dlperf_per_dphtotal", (offer, basis) => dlperf(offer) / total(offer, basis)],
  ["flops_per_dphtotal", (offer, basis) => (offer.machine.gpu.flops * offer.gpus.length) / total(offer, basis)],
  ["score", (offer, basis) => (dlperf(offer) / total(offer, basis)) * numberFact(offer, "reliability2") ** 4],
  ["search", price],
  ["instance", price],
  ["driver_vers", ({ machine }) => driverNumber(machine.facts.driver_version)],
  ["reliability", fact("reliability2")],
  ["reliability_mult", always(1)],
  ["vericode", ({ machine }) => (machine.facts.verification === "verified" ? 1 : 0)],
  [
    "geolocode",
    ({ machine: { facts } }) => (typeof facts.geolocation === "string" ? hashText(facts.geolocation) : null),
  ],
  ["public_ipaddr", ({ machine }, basis) => basis.address ?? machine.publicIp],
  ["start_date", (offer) => offer.startDate],
  ["end_date", ({ machine }) => machine.endDate],
  ["duration", ({ machine }, basis) => machine.endDate - basis.now],
  ["is_bid", (_, basis) => basis.bid],
  ["rentable", always(true)],
  ["rented", always(false)],
  ["external", always(null)],
  ["logo", always("/static/logos/none.png")],
  ["webpage", always(null)],
  ["cluster_id", always(null)],
  ["resource_type", always("gpu")],
  ["is_vm_deverified", always(false)],
  ["avail_vol_ask_id", always(null)],
  ["avail_vol_dph", always(null)],
  ["avail_vol_size", always(null)],
  ["nw_disk_min_bw", always(null)],
  ["nw_disk_max_bw", always(null)],
  ["nw_disk_avg_bw", always(null)],
  ["rn", always(1)],
  ["credit_discount_max", always(PREPAID_DISCOUNT)],
  ["discount_rate", (_, basis) => (basis.prepaid ? PREPAID_DISCOUNT : 0)],
  ["discounted_hourly", always(0)],
  ["time_remaining", always("")],
  ["time_remaining_isbid", always("")],
  ["internet_up_cost_per_tb", (offer) => numberFact(offer, "inet_up_cost") * 1000],
  ["internet_down_cost_per_tb", (offer) => numberFact(offer, "inet_down_cost") * 1000],
]);

/** One column of an offer's row; undefined for an unknown column. */
export function offerColumn(offer: Offer, basis: PriceBasis, name: string): Json | undefined {
  const { overrides, facts } = offer.machine;
  if (Object.hasOwn(overrides, name)) return overrides[name];
  const column = COLUMNS.get(name);
  if (column) return column(offer, basis);
  return Object.hasOwn(facts, name) ? facts[name] : undefined;
}

/** The full row. */
export function offerRow(offer: Offer, basis: PriceBasis): JsonObject {
  const row: JsonObject = { ...offer.machine.facts };
  for (const [name, column] of COLUMNS) row[name] = column(offer, basis);
  return Object.assign(row, offer.machine.overrides);
}

/** 535.86.05 -> 535086005: each part takes three digits. */
export function driverNumber(version: Json | undefined): number {
  const parts = typeof version === "string" ? version.split(".") : [];
  return Number([0, 1, 2].map((i) => (parts[i] ?? "0").padStart(3, "0")).join(""));
}

function numberFact(offer: Offer, name: string): number {
  const value = offer.machine.facts[name];
  return typeof value === "number" ? value : 0;
}
