// Exponential backoff. Pure.

/** Ms to wait after `failures` in a row (1 or more): `firstMs`, then twice as long after each further failure, at most `maxMs`. */
export function exponentialMs(firstMs: number, maxMs: number, failures: number): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs);
}
