// Draws hosts that ask for higher prices, and pods that accept them under a ceiling. Pure.
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const HOUR_MS = 3_600_000;
const PER_POD_HOUR = 0.4;
/** $/h for the GPUs: most offers of the market cost less, and the ceiling lies between these. */
const PRICES = { low: 0.3, high: 1.5 };
const CEILING = "0.8";

export function drawPriceIncreases(
  random: Random,
  pods: number,
  faultsEndMs: number,
): { env: Record<string, string>; injections: Injection[] } {
  const accepts = random.chance(0.5);
  const count = Math.round((PER_POD_HOUR * pods * faultsEndMs) / HOUR_MS);
  const injections = Array.from({ length: count }, (): Injection => {
    const gpuPerHour = random.integer(PRICES.low * 100, PRICES.high * 100) / 100;
    return {
      kind: "instance",
      at: random.integer(0, faultsEndMs),
      pod: random.integer(0, pods - 1),
      event: "price-increase",
      body: { gpuPerHour },
      undo: null,
    };
  });
  return { env: accepts ? { VAST_PRICE_INCREASE: "accept-under-max", VAST_MAX_DPH: CEILING } : {}, injections };
}
