// An offer as `bundles` shows it: fields, units and prices. Pure.
import type { Json, JsonObject } from "../json.ts";
import { hashText } from "../random.ts";
import type { Offer } from "./offer.ts";

/** What a search says that changes prices: how much disk is reckoned in, and whether the prices are bids. */
export interface PriceBasis {
  storageGb: number;
  bid: boolean;
  /** Address that instances will have, where it is the same for all. */
  address: string | null;
  /** Epoch seconds. */
  now: number;
}

/** $/h of `gb` on a disk of `perGbMonth` $: Vast's month has 30 days (0.15 x 10.08 / 720 = the documented 0.0021). */
export function storagePerHour(perGbMonth: number, gb: number): number {
  return (perGbMonth * gb) / 720;
}

/** $/h of the cards alone. */
export function gpuPerHour(offer: Offer, bid: boolean): number {
  return offer.gpus.length * (bid ? offer.machine.minBid : offer.machine.dph);
}

/** Fields that depend on the search or the time; everything else of a row is in `steadyRow`. */
export function changingFields(offer: Offer, basis: PriceBasis): JsonObject {
  const { machine } = offer;
  const gpu = gpuPerHour(offer, basis.bid);
  const disk = storagePerHour(machine.storageCost, basis.storageGb);
  const total = gpu + disk;
  const flops = offer.gpus.length * machine.gpu.flops;
  const dlperf = offer.gpus.length * numberFact(offer, "dlperf_per_card");
  const reliability = numberFact(offer, "reliability2");
  const price = {
    gpuCostPerHour: gpu,
    diskHour: disk,
    totalHour: total,
    discountTotalHour: 0,
    discountedTotalPerHour: total,
  };
  return {
    dph_base: gpu,
    dph_total: total,
    dph_total_adj: total,
    discounted_dph_total: total,
    storage_total_cost: disk,
    dlperf_per_dphtotal: dlperf / total,
    flops_per_dphtotal: flops / total,
    score: (dlperf / total) * reliability ** 4,
    duration: machine.endDate - basis.now,
    is_bid: basis.bid,
    public_ipaddr: basis.address ?? machine.publicIp,
    search: price,
    instance: price,
  };
}

const steady = new WeakMap<Offer, JsonObject>();

/** The fields that stay as they are while the offer is listed. Kept, as a search looks at thousands of them. */
export function steadyRow(offer: Offer): JsonObject {
  const known = steady.get(offer);
  if (known) return known;
  const { machine, gpus } = offer;
  const { gpu } = machine;
  const share = gpus.length / machine.holders.length;
  const cores = numberFact(offer, "cpu_cores") || 16;
  const { dlperf_per_card: dlperfPerCard, ...facts } = machine.facts;
  const geolocation = typeof facts.geolocation === "string" ? facts.geolocation : null;
  const row: JsonObject = {
    ...facts,
    id: offer.id,
    ask_contract_id: offer.id,
    bundle_id: hashText(`${machine.id}/${gpus.length}`),
    bundled_results: null,
    machine_id: machine.id,
    host_id: machine.hostId,
    hostname: null,
    num_gpus: gpus.length,
    gpu_name: gpu.name,
    gpu_arch: "nvidia",
    gpu_frac: share,
    gpu_ids: gpus.map((card) => machine.id * 16 + card),
    gpu_ram: gpu.ramMb,
    gpu_total_ram: gpu.ramMb * gpus.length,
    gpu_mem_bw: gpu.memoryBandwidth,
    gpu_max_power: gpu.watts,
    gpu_lanes: 16,
    compute_cap: gpu.computeCap,
    total_flops: gpu.flops * gpus.length,
    dlperf: (typeof dlperfPerCard === "number" ? dlperfPerCard : gpu.flops) * gpus.length,
    cpu_cores_effective: cores * share,
    disk_space: machine.diskGb * share,
    disk_bw: machine.diskBandwidth,
    min_bid: gpuPerHour(offer, true),
    storage_cost: machine.storageCost,
    vram_costperhour: (machine.dph / gpu.ramMb) * gpus.length,
    driver_vers: driverNumber(facts.driver_version),
    reliability: facts.reliability2 ?? null,
    reliability_mult: 1,
    vericode: facts.verification === "verified" ? 1 : 0,
    geolocode: geolocation === null ? null : hashText(geolocation),
    start_date: offer.startDate,
    end_date: machine.endDate,
    rentable: true,
    rented: false,
    external: null,
    logo: "/static/logos/none.png",
    webpage: null,
    cluster_id: null,
    resource_type: "gpu",
    is_vm_deverified: false,
    avail_vol_ask_id: null,
    avail_vol_dph: null,
    avail_vol_size: null,
    nw_disk_min_bw: null,
    nw_disk_max_bw: null,
    nw_disk_avg_bw: null,
    rn: 1,
    credit_discount_max: 0.4,
    discount_rate: 0,
    discounted_hourly: 0,
    time_remaining: "",
    time_remaining_isbid: "",
    internet_up_cost_per_tb: numberFact(offer, "inet_up_cost") * 1000,
    internet_down_cost_per_tb: numberFact(offer, "inet_down_cost") * 1000,
    ...machine.overrides,
  };
  steady.set(offer, row);
  return row;
}

/** The full row. */
export function offerRow(offer: Offer, basis: PriceBasis): JsonObject {
  return { ...steadyRow(offer), ...changingFields(offer, basis) };
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
