// Law 3: a healthy instance with the desired image and template is destroyed only if another one with its label lives. One that answers,
// although its probes fail, is destroyed only after its pod has seen that for a while. Pure.

import type { Breach, DestroyTruth, Truth } from "../emulator-truth.ts";
import { END_MARGIN_MS } from "./contract-ends.ts";

const ANSWERED_MS = 60_000;
// The shortest time that the program gives an instance is 60 s, seen by lists. A pod that cannot reach an instance cannot know better.
const SEEN_FAILING_MS = 45_000;

/** Judged at the first DELETE of an instance: later ones only repeat it. */
export function goodKept(truth: Truth): Breach[] {
  return truth.destroys
    .filter((destroy) => isGood(destroy) && destroy.others === 0 && !wasOrdered(truth, destroy))
    .map(({ at, pod, id }) => ({
      law: "good-kept",
      at,
      message: `pod ${pod} destroyed instance ${id}, its only one, which was right and answered`,
    }));
}

/** By a stop that ends the pod's instances, however good they are; also where the next program carries through what it had written down. */
export function wasOrdered(truth: Truth, { at, pod, id }: DestroyTruth): boolean {
  return (
    truth.pods[pod]?.ends.some(
      ({ from, to, recorded }) => from <= at && (at <= to || recorded?.includes(id) === true),
    ) ?? false
  );
}

/** An unlisted instance cannot be probed: nobody can know that it is healthy, and it is destroyed by its id. */
function isGood({ shown, rightForMs, answersForMs, failedProbeMs, failingMs, endsInMs }: DestroyTruth): boolean {
  if (endsInMs <= END_MARGIN_MS) return false; // law 14
  if (!shown || rightForMs === null || answersForMs === null) return false;
  if (failedProbeMs !== null && failedProbeMs <= ANSWERED_MS && failingMs >= SEEN_FAILING_MS) return false;
  return rightForMs >= ANSWERED_MS && answersForMs >= ANSWERED_MS;
}
