// Draws changes of image and template at times when an instance cannot be destroyed: the key has no right to, or the state cannot be
// written. Independent random faults combine too rarely for that. Pure.
import type { Random } from "../emulator/random.ts";
import { FIRST_IMAGE, type Injection } from "./scenario.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const LONGEST_MS = 60 * MINUTE_MS;
// For the account in each hour with faults.
const PER_HOUR = 0.4;

/** A key that can read only. Without the second right it can create as well. */
const RIGHTS = ["misc", "user_read", "instance_read", "billing_read"];

export function drawRefusals(random: Random, pods: number, faultsEndMs: number): Injection[] {
  const count = faultsEndMs < LONGEST_MS ? 0 : Math.round((PER_HOUR * faultsEndMs) / HOUR_MS);
  return Array.from({ length: count }, (_, i): Injection[] => {
    const at = random.integer(0, faultsEndMs - LONGEST_MS);
    const forMs = random.integer(25 * MINUTE_MS, LONGEST_MS);
    const pod = random.integer(0, pods - 1);
    const change = at + random.integer(1, 5) * MINUTE_MS;
    const back = change + random.integer(2, 15) * MINUTE_MS;
    const hold: Injection = random.chance(0.5)
      ? { kind: "account", at, forMs, set: { scopes: RIGHTS }, back: { scopes: null } }
      : { kind: "state-disk-full", at, forMs, pod };
    return [
      hold,
      { kind: "image", at: change, image: `example/app:refused-${i}`, losesDisk: false },
      ...(random.chance(0.5) ? [{ kind: "image", at: back, image: FIRST_IMAGE, losesDisk: false } as const] : []),
    ];
  }).flat();
}
