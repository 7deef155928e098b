// Law 12: a difference that a replacement does not mend is not replaced again and again. Pure.
import type { Breach, DestroyTruth, PodTruth, Truth } from "../emulator-truth.ts";
import { END_MARGIN_MS } from "./contract-ends.ts";
import { wasOrdered } from "./good-kept.ts";

const HOUR_MS = 3_600_000;
// The budget of replacements for a difference.
const PER_HOUR = 2;
const ANSWERED_MS = 60_000;

/**
 * No pod destroys more than two instances within an hour that answer and are its only ones, besides one for each change of its image and
 * one for each loss of its disk, with which it loses its memory.
 */
export function noLoop(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    const given = truth.destroys.filter(
      (destroy) => destroy.pod === index && isGivenUp(destroy) && !wasOrdered(truth, destroy),
    );
    return given.flatMap(({ at }) => {
      const count = given.filter((other) => other.at <= at && other.at > at - HOUR_MS).length;
      const allowed = PER_HOUR + excuses(pod, at);
      if (count <= allowed) return [];
      const message = `${pod.name} gave up ${count} instances that answered within an hour, ${allowed} are allowed`;
      return [{ law: "no-loop", at, message }];
    });
  });
}

function isGivenUp({ shown, answersForMs, failedProbeMs, others, endsInMs }: DestroyTruth): boolean {
  if (endsInMs <= END_MARGIN_MS) return false; // law 14
  return shown && answersForMs !== null && (failedProbeMs === null || failedProbeMs > ANSWERED_MS) && others === 0;
}

function excuses({ imageChanges, replacedAt }: PodTruth, at: number): number {
  return [...imageChanges, ...replacedAt].filter((other) => other <= at && other > at - 2 * HOUR_MS).length;
}
