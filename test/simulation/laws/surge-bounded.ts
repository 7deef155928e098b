// Law 17: a pod that surges has two instances for a bounded time and never more, and gives up what serves only for what serves. Pure.
import type { Breach, DestroyTruth, PodTruth, Truth } from "../emulator-truth.ts";
import { END_MARGIN_MS } from "./contract-ends.ts";
import { wasOrdered } from "./good-kept.ts";
import { AT_A_STRETCH_MS, calmSpans, longer, spansOf } from "./two-instances.ts";

const LAW = "surge-bounded";
const ANSWERED_MS = 60_000;
// As in the law of the good instances: what a pod could see of an instance that does not answer it.
const SEEN_FAILING_MS = 45_000;

/**
 * Two instances: for the deadline of a start and the drain, and the time to notice and destroy that any second instance may take. Three:
 * for that time only, because somebody else can create one.
 */
export function surgeBounded(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    if (pod.surgesForMs === null) return [];
    const calm = calmSpans(truth, pod, index);
    const tooMany = (count: number, ms: number) =>
      longer(
        spansOf(truth, pod, (found) => found >= count),
        calm,
        ms,
      ).map(({ from, to }) => {
        const message = `${pod.name} had ${count} instances for ${Math.round((to - from) / 1000)} s`;
        return { law: LAW, at: from, message };
      });
    return [
      ...tooMany(2, pod.surgesForMs + AT_A_STRETCH_MS),
      ...tooMany(3, AT_A_STRETCH_MS),
      ...givenUp(truth, pod, index),
    ];
  });
}

/** A pod that runs twice, or whose nginx takes no new config, cannot do better. */
function givenUp(truth: Truth, pod: PodTruth, index: number): Breach[] {
  return truth.destroys.flatMap((destroy) => {
    const { at, id } = destroy;
    if (destroy.pod !== index || !isServing(destroy, pod) || wasOrdered(truth, destroy)) return [];
    if (pod.serving.some((span) => span.id !== id && span.from <= at && at <= span.to)) return [];
    if (pod.running.filter((span) => span.from <= at && at < span.to).length > 1) return [];
    if (
      truth.disturbances.some(
        ({ what, pod: hit, from, to }) => what === "reloader" && hit === index && from <= at && at <= to,
      )
    )
      return [];
    return [
      { law: LAW, at, message: `${pod.name} gave up instance ${id}, which served, and nothing served in its place` },
    ];
  });
}

/** It answers, and it is what nginx routed to last. */
function isServing({ at, id, endsInMs, ...destroy }: DestroyTruth, pod: PodTruth): boolean {
  const { shown, answersForMs, failedProbeMs, failingMs } = destroy;
  if (endsInMs <= END_MARGIN_MS) return false; // law 14
  if (!shown || answersForMs === null || answersForMs < ANSWERED_MS) return false;
  if (failedProbeMs !== null && failedProbeMs <= ANSWERED_MS && failingMs >= SEEN_FAILING_MS) return false;
  return pod.serving.findLast((span) => span.from <= at)?.id === id;
}
