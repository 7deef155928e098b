// Whether the pod is ready while a server is published. Pure.
import { isOutdated } from "../model/matches-desired.ts";
import type { Serving } from "../model/plan.ts";
import type { PlanInput } from "./input.ts";
import { isSuperseded } from "./superseded.ts";

/**
 * nginx serves an outdated instance until its replacement serves, but a pod that began with it is not ready until then: a StatefulSet goes
 * on to the next pod when this one is ready, and with a wrong image it must not. From the published instance, since the list may be
 * unknown.
 */
export function isReady(
  { server, instance }: Serving,
  { desired, limits, state, ownership }: Pick<PlanInput, "desired" | "limits" | "state" | "ownership">,
): boolean {
  const { updateStrategy, surgeReady } = limits;
  if (updateStrategy !== "surge" || server === null || instance === null || isSuperseded({ ownership })) return true;
  const outdated = isOutdated(instance, desired, state.template);
  if (outdated === false) return true;
  return (outdated === null || surgeReady === "old") && state.tracks[instance.id]?.foundOutdated === false;
}
