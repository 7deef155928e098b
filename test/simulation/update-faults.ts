// Draws changes of image and template together with what goes wrong with the two calls of an update in place. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
// For the account in each hour with faults: a change every 40 min, and most of them meet a fault.
const PER_HOUR = 1.5;
const LASTS_MS = 20 * MINUTE_MS;

export function drawUpdateFaults(random: Random, faultsEndMs: number): Injection[] {
  const count = faultsEndMs < LASTS_MS ? 0 : Math.round((PER_HOUR * faultsEndMs) / HOUR_MS);
  return Array.from({ length: count }, (_, i): Injection[] => {
    const at = random.integer(0, faultsEndMs - LASTS_MS);
    const change = at + random.integer(0, 5) * MINUTE_MS;
    const changed: Injection = random.chance(0.5)
      ? { kind: "image", at: change, image: `example/app:update-${i}`, losesDisk: false }
      : { kind: "template", at: change, readme: `update ${i}` };
    if (random.chance(0.2)) return [changed];
    return [{ kind: "api-fault", at, forMs: LASTS_MS, rule: drawRule(random) }, changed];
  }).flat();
}

function drawRule(random: Random): JsonObject {
  const call = random.pick(["update_template", "recycle"] as const);
  const method = "PUT";
  const path = `^/api/v0/instances/${call}/`;
  const often = random.chance(0.5) ? { times: random.integer(1, 3) } : { times: 0, probability: random.pick([0.5, 1]) };
  const effect = random.pick(EFFECTS);
  return { method, path, ...often, effect };
}

const EFFECTS: readonly [JsonObject, ...JsonObject[]] = [
  { kind: "error", status: 400, form: "main", error: "invalid_args", msg: "refused" },
  { kind: "error", status: 200, form: "main", error: "invalid_id", msg: "Invalid instance id." },
  { kind: "error", status: 404, form: "main", error: "not_found", msg: "Instance not found" },
  { kind: "error", status: 502, form: "text" },
  { kind: "answer", status: 429, body: "API requests too frequent" },
  { kind: "answer", status: 404, body: { detail: "Not Found" } },
  // It says that it was done, and the row never shows it.
  { kind: "answer", status: 200, body: { success: true } },
  { kind: "answer", status: 200, body: { success: true } },
  { kind: "commit-then", status: 502 },
  { kind: "cut-after" },
  { kind: "hang-before" },
  { kind: "hang-after" },
];
