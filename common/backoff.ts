// Waits that double with each failure, up to a ceiling. Pure.

/** Ms to wait after `failures` in a row (1 or more): `firstMs`, twice that, and so on, at most `ceilingMs`. */
export function exponentialMs(firstMs: number, ceilingMs: number, failures: number): number {
  return Math.min(firstMs * 2 ** (failures - 1), ceilingMs);
}
