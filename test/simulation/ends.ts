// Draws stops with VAST_ON_TERMINATE=destroy whose calls fail some times, or whose volumes are full: an ordered end must be carried
// through all the same. Independent random faults seldom hit these two minutes. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const HOUR_MS = 3_600_000;
const PER_POD_HOUR = 0.7;
// The end, and the start after it.
const LASTS_MS = 180_000;

const LIST = { method: "GET", path: "^/api/v1/instances/" };
const DESTROY = { method: "DELETE", path: "^/api/v0/instances/" };
/** Failures that are over after some calls. Each costs a wait of some seconds, a silent API 20 s. */
const SHORT: readonly [JsonObject, ...JsonObject[]] = [
  { status: 502 },
  { status: 429 },
  { status: 403 },
  { kind: "html" },
  { kind: "cut-before" },
  { kind: "garbage" },
];

export function drawEnds(random: Random, pods: number, faultsEndMs: number): Injection[] {
  const count = faultsEndMs < LASTS_MS ? 0 : Math.round((pods * faultsEndMs * PER_POD_HOUR) / HOUR_MS);
  return Array.from({ length: count }, (): Injection => {
    const silent = random.pick([LIST, DESTROY]);
    const rules: JsonObject[] = [
      { ...LIST, times: random.integer(1, 3), effect: random.pick(SHORT) },
      { ...DESTROY, times: random.integer(1, 2), effect: random.pick(SHORT) },
      { ...silent, times: 1, effect: { kind: random.pick(["hang-before", "hang-after"]) } },
    ];
    return {
      kind: "end",
      at: random.integer(0, faultsEndMs - LASTS_MS),
      pod: random.integer(0, pods - 1),
      rules: rules.filter(() => random.chance(0.7)),
      diskFull: random.chance(0.4),
      downMs: random.integer(1000, 30_000),
    };
  });
}
