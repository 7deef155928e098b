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

/** The scenario of `seed`. */
export function qualityMix(seed: number, { hours, pods }: { hours: number; pods: number }): Scenario {
  const calm = calmMix(seed, { hours, pods });
  return {
    ...calm,
    env: {
      ...calm.env,
      VAST_SEARCH_QUERY: JSON.stringify(QUERY),
      VAST_SEARCH_ORDER: "dph_total",
      VAST_MAX_CREATES_PER_HOUR: "10",
    },
    qualities: true,
    injections: calm.injections.filter(({ kind }) => kind !== "bad-hosts" && kind !== "instance"),
  };
}
