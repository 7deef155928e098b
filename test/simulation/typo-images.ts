// Draws changes to an image that cannot be pulled, each followed by its correction. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const MINUTE_MS = 60_000;
// In this part of the runs there is a typo.
const PART = 0.5;
// It must be corrected before the faults end.
const LASTS_MS = 45 * MINUTE_MS;

/** The image with the typo: every pull fails. */
export const TYPO_IMAGE = "example/app:typo";

/** The rule of the emulator that makes the image fail, and the changes. */
export function drawTypos(random: Random, faultsEndMs: number): { images: JsonObject; injections: Injection[] } {
  if (faultsEndMs < LASTS_MS || !random.chance(PART)) return { images: {}, injections: [] };
  const at = random.integer(5 * MINUTE_MS, faultsEndMs - LASTS_MS + 5 * MINUTE_MS);
  const corrected = at + random.integer(5, 35) * MINUTE_MS;
  const failure = random.pick([
    `Error response from daemon: manifest for ${TYPO_IMAGE} not found: manifest unknown`,
    `Error response from daemon: pull access denied for ${TYPO_IMAGE}, repository does not exist`,
  ]);
  return {
    images: { [TYPO_IMAGE]: { failure } },
    injections: [
      { kind: "image", at, image: TYPO_IMAGE, losesDisk: random.chance(0.3) },
      { kind: "image", at: corrected, image: "example/app:corrected", losesDisk: random.chance(0.3) },
    ],
  };
}
