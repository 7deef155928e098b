// Decides when the next pass is due if nothing changes before. Pure.
import type { ApplyOutcome } from "../apply/apply.ts";
import type { ReloadInput } from "./input.ts";
import type { ReloadMemory } from "./memory.ts";
import type { ReloadPlan } from "./plan-reload.ts";

// For changes without an event, for a config that somebody edited and for a restarted nginx. A pass costs a few small
// reads and a request on loopback.
export const POLL_MS = 3_000;
// nginx starts within a second of its container: its first requests should not get the answer of "nginx is down".
const POLL_NGINX_DOWN_MS = 1_000;
// Old workers leave 100 ms after a reload; one that is stuck is checked this often.
const POLL_SETTLING_MS = 250;

/** Ms until the next pass. `before` is the memory before the outcome was folded in. */
export function nextPassMs(
  { inputs }: ReloadInput,
  plan: ReloadPlan,
  outcome: ApplyOutcome | null,
  before: ReloadMemory,
): number {
  switch (outcome?.kind) {
    case "settled": {
      // nginx started with a safer config: the desired one can be tried now.
      if (before.nginxDown !== null && !plan.isDesired) return 0;
      // nginx reports its version through a config of ours, and the next config depends on that version.
      const isNew = before.applied?.hash !== plan.config?.hash;
      return isNew && inputs.render.nginxVersion === null ? 0 : POLL_MS;
    }
    case "settling":
      return POLL_SETTLING_MS;
    case "nginx_down":
    case "nginx_unresponsive":
      return POLL_NGINX_DOWN_MS;
    default:
      return POLL_MS;
  }
}
