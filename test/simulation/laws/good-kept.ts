// Law 3: an instance that is right and answers is destroyed for one reason only: another one of the same label lives. Pure.
import type { Breach, DestroyTruth, Truth } from "../emulator-truth.ts";

const ANSWERED_MS = 60_000;

/** Judged when the first DELETE of an instance leaves its pod: later ones only repeat it. */
export function goodKept(truth: Truth): Breach[] {
  return truth.destroys
    .filter((destroy) => isGood(destroy) && destroy.others === 0)
    .map(({ at, pod, id }) => ({
      law: "good-kept",
      at,
      message: `pod ${pod} destroyed instance ${id}, its only one, which was right and answered`,
    }));
}

/** What no list shows cannot be probed: nobody knows that it is good, and it is ended by its id. */
function isGood({ shown, rightForMs, answersForMs, failedProbeMs }: DestroyTruth): boolean {
  if (!shown || rightForMs === null || answersForMs === null) return false;
  if (failedProbeMs !== null && failedProbeMs <= ANSWERED_MS) return false;
  return rightForMs >= ANSWERED_MS && answersForMs >= ANSWERED_MS;
}
