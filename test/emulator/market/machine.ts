// A physical machine on the market, and how a seeded one is generated. Pure.
import type { JsonObject } from "../json.ts";
import type { Random } from "../random.ts";
import { GPU_MODELS, type GpuModel } from "./gpu-models.ts";

/** Who has a GPU: an instance of the account (its id), another customer, or nobody. */
export type Holder = number | "stranger" | null;

export interface Machine {
  id: number;
  /** The account that owns it, which usually has several. */
  hostId: number;
  /** One entry per GPU. */
  holders: Holder[];
  /** Ways to split the machine into offers. Of each way, the first part whose GPUs are all free is on the market. */
  layouts: readonly (readonly (readonly number[])[])[];
  /** Its figures, in the row's names and units. */
  facts: JsonObject;
  gpu: GpuModel;
  /** The vendor's benchmark score of one card. */
  dlperfPerCard: number;
  /** $/h per card. */
  dph: number;
  minBid: number;
  /** $/GB/month. */
  storageCost: number;
  /** GB free for customers. */
  diskGb: number;
  /** Mbit/s. */
  inetDown: number;
  /** MB/s. */
  diskBandwidth: number;
  /** When its owner takes it off the market, epoch seconds. */
  endDate: number;
  publicIp: string;
  /** Its docker reports each port for IPv6 too. */
  ipv6: boolean;
  /** Row fields that a test has set, over the computed ones. */
  overrides: JsonObject;
}

const PLACES: readonly [string | null, ...(string | null)[]] = [
  "Texas, US",
  "California, US",
  "Washington, US",
  ", US",
  "Quebec, CA",
  "Germany, DE",
  "Netherlands, NL",
  "Norway, NO",
  "Sweden, SE",
  "Czechia, CZ",
  "Poland, PL",
  "United Kingdom, GB",
  "France, FR",
  "Spain, ES",
  "Taiwan, TW",
  "Japan, JP",
  "South Korea, KR",
  "Vietnam, VN",
  "China, CN",
  "Australia, AU",
  "US",
  null,
];
const DRIVERS: readonly [string, ...string[]] = ["535.183.01", "550.127.05", "560.35.03", "570.86.10", "575.57.08"];
const CUDA: Readonly<Record<string, number>> = { "535": 12.2, "550": 12.4, "560": 12.6, "570": 12.8, "575": 12.9 };
const BOARDS: readonly [string, ...string[]] = ["ROME2D32GM-2T", "H12SSL-i", "X570 AORUS", "Z790 Gaming", "ROMED8-2T"];
const CPUS: readonly [string, ...string[]] = [
  "AMD EPYC 7763",
  "AMD EPYC 7402P",
  "AMD Ryzen 9 5950X",
  "Xeon E5-2680 v4",
];

const MONTH_SECONDS = 30 * 86_400;

/** Splits `cards` into groups of 1, 2, 4, ... neighbours, as hosts usually offer them. */
function powerOfTwoLayouts(cards: number): number[][][] {
  const layouts: number[][][] = [];
  for (let size = 1; size < cards; size *= 2) {
    const parts: number[][] = [];
    for (let at = 0; at + size <= cards; at += size) parts.push(Array.from({ length: size }, (_, i) => at + i));
    layouts.push(parts);
  }
  layouts.push([Array.from({ length: cards }, (_, i) => i)]);
  return layouts;
}

const MOST_CARDS = 8;
/** By number of cards; thousands of machines share them. */
const LAYOUTS = Array.from({ length: MOST_CARDS + 1 }, (_, cards) => powerOfTwoLayouts(cards));

/** Generates machine number `index` of a market. `now` is epoch seconds. */
export function seededMachine(random: Random, id: number, hosts: number, now: number): Machine {
  const gpu = weighted(random);
  const wanted = random.pick([1, 1, 1, 2, 2, 4, 4, 6, 8]);
  const cards = Math.min(wanted, gpu.most);
  const hosting = random.chance(0.25) ? 1 : 0;
  const dph = round(gpu.dph * Math.exp(random.between(-0.45, 0.55)), 4);
  const driver = random.pick(DRIVERS);
  const cores = random.pick([8, 16, 24, 32, 64, 96, 128]);
  const reliability = round(1 - random.next() ** 3 * 0.12, 7);
  const inetDown = round(Math.exp(random.between(3.9, 9)), 1);
  const endDate = now + Math.floor(random.between(0.05, 12) * MONTH_SECONDS);
  return {
    id,
    hostId: 10_000 + random.integer(1, hosts),
    holders: Array.from({ length: cards }, () => null),
    layouts: LAYOUTS[cards] ?? powerOfTwoLayouts(cards),
    gpu,
    dlperfPerCard: round(gpu.flops * random.between(0.8, 1.2), 3),
    dph,
    minBid: round(dph * random.between(0.3, 0.7), 4),
    storageCost: random.pick([0.1, 0.15, 0.15, 0.2, 0.3]),
    diskGb: round(random.between(30, 3000), 1),
    inetDown,
    diskBandwidth: round(random.between(300, 6500), 1),
    endDate,
    // 198.18.0.0/15 is reserved for benchmarks, so no real machine is named.
    publicIp: `198.${random.integer(18, 19)}.${random.integer(0, 255)}.${random.integer(1, 254)}`,
    ipv6: random.chance(0.5),
    overrides: {},
    facts: {
      cpu_cores: random.chance(0.02) ? null : cores,
      cpu_name: random.pick(CPUS),
      cpu_ghz: round(random.between(2, 4.6), 2),
      cpu_ram: random.pick([31_990, 64_210, 128_700, 257_600, 515_700, 1_031_000]),
      cpu_arch: "amd64",
      has_avx: 1,
      disk_name: random.pick(["Samsung SSD 990", "WD_BLACK SN850X", "KINGSTON SNV2S", "Micron 7450"]),
      inet_down: inetDown,
      inet_up: round(inetDown * random.between(0.3, 1), 1),
      inet_down_cost: round(random.between(0, 0.02), 5),
      inet_up_cost: round(random.between(0, 0.02), 5),
      reliability2: reliability,
      expected_reliability: round(reliability * 0.99, 7),
      verification: random.pick(["verified", "verified", "verified", "unverified", "deverified"]),
      hosting_type: hosting,
      geolocation: random.pick(PLACES),
      driver_version: driver,
      cuda_max_good: CUDA[driver.slice(0, 3)] ?? 12,
      direct_port_count: random.chance(0.05) ? 0 : random.pick([1, 10, 100, 249, 500, 1000]),
      static_ip: random.chance(0.3),
      pci_gen: random.pick([3, 4, 4, 5]),
      pcie_bw: round(random.between(5, 55), 1),
      gpu_display_active: random.chance(0.1),
      gpu_max_temp: random.pick([83, 90, 93]),
      bw_nvlink: gpu.name.includes("SXM") ? 600 : 0,
      vms_enabled: random.chance(0.1),
      os_version: random.pick(["20.04", "22.04", "22.04", "24.04"]),
      mobo_name: random.pick(BOARDS),
    },
  };
}

const ALL_WEIGHTS = GPU_MODELS.reduce((sum, gpu) => sum + gpu.weight, 0);

function weighted(random: Random): GpuModel {
  let left = random.next() * ALL_WEIGHTS;
  for (const gpu of GPU_MODELS) {
    left -= gpu.weight;
    if (left < 0) return gpu;
  }
  return GPU_MODELS[0];
}

export function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
