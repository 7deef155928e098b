// The graphics cards of the market with their published figures. Data only.

export interface GpuModel {
  name: string;
  /** Usable memory per card, MB: a 24 GB card shows 24564. */
  ramMb: number;
  /** Compute capability x 100. */
  computeCap: number;
  /** TFLOPS per card. */
  flops: number;
  /** Memory bandwidth, GB/s. */
  memoryBandwidth: number;
  /** Usual price on demand, $/h per card. */
  dph: number;
  /** Most cards in one machine. */
  most: number;
  /** Share of the market, any unit. */
  weight: number;
  watts: number;
}

const model = (
  name: string,
  ramMb: number,
  computeCap: number,
  flops: number,
  memoryBandwidth: number,
  dph: number,
  most: number,
  weight: number,
  watts: number,
): GpuModel => ({ name, ramMb, computeCap, flops, memoryBandwidth, dph, most, weight, watts });

export const GPU_MODELS: readonly [GpuModel, ...GpuModel[]] = [
  model("RTX 4090", 24564, 890, 82.6, 1008, 0.34, 8, 26, 450),
  model("RTX 3090", 24576, 860, 35.6, 936, 0.19, 8, 18, 350),
  model("RTX 5090", 32607, 1200, 104.8, 1792, 0.55, 8, 10, 575),
  model("RTX 4080", 16376, 890, 48.7, 717, 0.22, 4, 5, 320),
  model("RTX 3080", 10240, 860, 29.8, 760, 0.12, 4, 5, 320),
  model("RTX 3060", 12288, 860, 12.7, 360, 0.06, 6, 6, 170),
  model("RTX 4070", 12282, 890, 29.1, 504, 0.11, 4, 4, 200),
  model("RTX A4000", 16376, 860, 19.2, 448, 0.1, 8, 4, 140),
  model("RTX A5000", 24564, 860, 27.8, 768, 0.18, 8, 4, 230),
  model("RTX A6000", 49140, 860, 38.7, 768, 0.42, 8, 5, 300),
  model("RTX 6000Ada", 49140, 890, 91.1, 960, 0.65, 8, 4, 300),
  model("L40S", 46068, 890, 91.6, 864, 0.62, 8, 3, 350),
  model("Tesla V100", 16384, 700, 15.7, 900, 0.14, 8, 3, 300),
  model("A100 PCIE", 40960, 800, 19.5, 1555, 0.62, 8, 3, 250),
  model("A100 SXM4", 81920, 800, 19.5, 2039, 0.82, 8, 3, 400),
  model("H100 PCIE", 81559, 900, 51.2, 2039, 1.75, 8, 2, 350),
  model("H100 SXM", 81559, 900, 66.9, 3352, 1.95, 8, 3, 700),
  model("H200", 143771, 900, 66.9, 4800, 2.6, 8, 2, 700),
];
