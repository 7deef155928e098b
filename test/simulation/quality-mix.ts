// Draws a scenario in which machines differ: what an instance does depends on where it runs, so that it pays to remember. Otherwise as
// calm as the calm mix. Pure.
import { calmMix } from "./calm-mix.ts";
import type { Scenario } from "./scenario.ts";

// Some thirty machines fit: few enough that the same ones come back.
const QUERY = {
  rentable: { eq: true },
  gpu_name: { in: ["RTX 4090"] },
  num_gpus: { eq: 1 },
  direct_port_count: { gte: 1 },
  inet_down: { gte: 200 },
  duration: { gte: 3 * 86_400 },
};

export interface QualityMixOptions {
  hours: number;
  pods: number;
  /** VAST_SEARCH_ORDER of all pods. */
  order?: string;
}

/** The scenario of `seed`, the same for every order. */
export function qualityMix(seed: number, { hours, pods, order = "dph_total" }: QualityMixOptions): Scenario {
  const calm = calmMix(seed, { hours, pods });
  return {
    ...calm,
    env: {
      ...calm.env,
      VAST_SEARCH_QUERY: JSON.stringify(QUERY),
      VAST_SEARCH_ORDER: order,
      VAST_MAX_CREATES_PER_HOUR: "10",
    },
    qualities: true,
    emulator: { ...calm.emulator, billDownloads: true },
    injections: calm.injections.filter(({ kind }) => kind !== "bad-hosts" && kind !== "instance"),
  };
}
