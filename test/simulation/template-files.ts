// Draws pods that have a template file, and its edits: each of them starts the pods one after another, and the first one writes the
// account's template. Pure.
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
// In this part of the runs the pods have a file.
const PART = 0.35;
const PER_HOUR = 0.8;
// What is written late changes instances later; all of that must be over before the state at rest is judged.
const BEFORE_END_MS = 20 * MINUTE_MS;

/** Null: the pods have no file. */
export function drawTemplateFiles(random: Random, faultsEndMs: number): Injection[] | null {
  if (!random.chance(PART) || faultsEndMs < BEFORE_END_MS) return null;
  const count = Math.max(1, Math.round((PER_HOUR * faultsEndMs) / HOUR_MS));
  return Array.from({ length: count }, (_, i): Injection => {
    const at = random.integer(0, faultsEndMs - BEFORE_END_MS);
    return { kind: "template-file", at, readme: `file ${i}`, losesDisk: random.chance(0.3) };
  });
}
