// Whether what was measured over a long run has stayed the same: the last quarter beside the second one. Pure.
import { median } from "./statistics.ts";

/** One look at a program. */
export interface SoakSample {
  /** Seconds since the start of the run. */
  at: number;
  memoryMb: number;
  descriptors: number;
  /** How late its event loop was, ms; null for a program that is not ours. */
  loopDelayMs: number | null;
  /** CPU time since its start, s. */
  cpuSeconds: number;
}

export type SoakMeasure = "memoryMb" | "descriptors" | "loopDelayMs";

export interface SoakFinding {
  measure: SoakMeasure;
  /** Medians of the second and of the last quarter. */
  early: number;
  late: number;
  isFlat: boolean;
}

// What may be added between the two quarters. Memory: the collector lets garbage grow by some MB before it runs. Descriptors: those of a
// call that runs at the moment. The loop's delay is that of a busy machine, which may change by so much without us.
const ALLOWED: Readonly<Record<SoakMeasure, { factor: number; more: number }>> = {
  memoryMb: { factor: 1, more: 4 },
  descriptors: { factor: 1, more: 3 },
  loopDelayMs: { factor: 1.5, more: 20 },
};

/** Null without samples of that kind. The first quarter does not count: caches fill, code is compiled. */
export function soakFinding(samples: readonly SoakSample[], measure: SoakMeasure): SoakFinding | null {
  const end = samples.at(-1)?.at ?? 0;
  const values = (from: number, to: number) =>
    samples.filter(({ at }) => at > from * end && at <= to * end).flatMap((sample) => sample[measure] ?? []);
  const [first, last] = [values(0.25, 0.5), values(0.75, 1)];
  if (first.length === 0 || last.length === 0) return null;
  const [early, late] = [median(first), median(last)];
  const { factor, more } = ALLOWED[measure];
  return { measure, early, late, isFlat: late <= early * factor + more };
}
