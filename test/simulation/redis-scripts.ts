// What the scripts of the program do to the simulated Redis, in JavaScript: one function for each script, by its name. Pure.

/** The keys that scripts use; each holds what its scripts put there. */
export type ScriptValues = Map<string, unknown>;

type Script = (
  values: ScriptValues,
  keys: readonly string[],
  args: readonly (string | number)[],
  now: number,
) => unknown;

export const SCRIPTS: Readonly<Record<string, Script>> = {};
