// Law 11: a server that does not answer is dropped by nginx within 20 s, whatever the API does. Pure.
import type { Breach, PodTruth, Span, Truth } from "../emulator-truth.ts";
import { withoutAll } from "./two-instances.ts";

// 17.5 s until the third failed probe counts, and the reload.
const DROPPED_MS = 20_000;

/** Counted while the pod's newest provisioner and its reloader run and are not frozen; a full volume is no excuse. */
export function deadDropped(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    const able = ableSpans(truth, pod, index);
    return pod.dead.flatMap((dead) =>
      able.flatMap((span) => {
        const from = Math.max(dead.from, span.from);
        const ms = Math.min(dead.to, span.to) - from;
        if (ms <= DROPPED_MS) return [];
        const message = `${pod.name} routed to a dead server for ${(ms / 1000).toFixed(1)} s`;
        return [{ law: "dead-dropped", at: from, message }];
      }),
    );
  });
}

function ableSpans(truth: Truth, pod: PodTruth, index: number): Span[] {
  const newest = pod.running.map((span, i) => ({
    from: span.from,
    to: Math.min(span.to, pod.running[i + 1]?.from ?? span.to),
  }));
  const holes = truth.disturbances.filter(
    ({ pod: hit, what }) => (hit === null || hit === index) && ["reloader", "freeze"].includes(what),
  );
  return withoutAll(newest, holes);
}
