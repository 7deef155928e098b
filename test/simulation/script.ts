// What a script of the simulated Redis is: it reads and writes the values of its keys at one instant. Pure.

/** The keys that scripts use; each holds what its scripts put there, and until when (epoch ms). */
export type ScriptValues = Map<string, unknown>;

export type Script = (
  values: ScriptValues,
  keys: readonly string[],
  args: readonly (string | number)[],
  now: number,
) => unknown;

/** A value with a time to live. */
interface Expiring<T> {
  value: T;
  until: number;
}

/** What a key holds while its time to live lasts, or null. Its own scripts are the only ones that put something there. */
export function heldValue<T>(values: ScriptValues, key: string | undefined, now: number): T | null {
  const held = values.get(key ?? "") as Expiring<T> | undefined;
  return held === undefined || held.until <= now ? null : held.value;
}

export function putValue<T>(values: ScriptValues, key: string | undefined, value: T, until: number): void {
  values.set(key ?? "", { value, until } satisfies Expiring<T>);
}

/** The same, or else what `empty` makes; what is changed in it stays changed. */
export function heldBy<T>(values: ScriptValues, key: string | undefined, now: number, empty: () => T): T {
  const known = heldValue<T>(values, key, now);
  if (known !== null) return known;
  const value = empty();
  putValue(values, key, value, Number.POSITIVE_INFINITY);
  return value;
}
