// A clock that runs faster than the one it is made from. Touches nothing else.

export interface ScaledClock {
  now(): number;
  /** Real milliseconds until the emulated instant `at`. */
  realMsUntil(at: number): number;
}

export function scaledClock(real: { now(): number }, scale: number): ScaledClock {
  const start = real.now();
  const now = () => start + (real.now() - start) * scale;
  return { now, realMsUntil: (at) => Math.max(0, (at - now()) / scale) };
}
