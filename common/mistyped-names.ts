// Which variables of the environment are one of our settings with a slip in its name. Pure.
import { typingMistakes } from "./suggest.ts";
import type { VariableTable } from "./variables.ts";

// Farther away it is the name of something else, like KUBERNETES_SERVICE_HOST; in a short name two other letters are another word, like
// POD_NODE.
const MOST_MISTAKES = 2;
const LETTERS_PER_MISTAKE = 4;
// Kubernetes gives a container the variable X_PORT for each Service x of its namespace. The others of a Service are like no setting.
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;

/**
 * One sentence for each variable that is probably a mistyped setting of `names`: without it, a mistyped VAST_MAX_DPH is no limit at all.
 * Only names that begin with the first word of a setting are looked at.
 */
export function mistypedNames(
  table: VariableTable,
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const spellings = Object.entries(table).flatMap(([setting, { secret, formerly }]) =>
    [setting, ...(secret ? [`${setting}_FILE`] : []), ...(formerly === undefined ? [] : [formerly])].map(
      (spelling) => ({
        setting,
        spelling,
      }),
    ),
  );
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || value === "" || SERVICE_ADDRESS.test(value)) return [];
    const meant = spellings
      .map(({ setting, spelling }) => ({ setting, spelling, mistakes: mistakesIn(name, spelling) }))
      .reduce((best, one) => (one.mistakes < best.mistakes ? one : best), NOTHING_MEANT);
    if (meant.mistakes === 0 || meant.mistakes > MOST_MISTAKES || !names.includes(meant.setting)) return [];
    return [`${name} is not a setting: did you mean ${meant.spelling}? Rename it, or remove it.`];
  });
}

const NOTHING_MEANT = { setting: "", spelling: "", mistakes: Number.POSITIVE_INFINITY };

/** The mistakes in the part after the first word; infinite when the first word is another one or the part is too different. */
function mistakesIn(name: string, spelling: string): number {
  const [word, rest] = split(spelling);
  const [given, givenRest] = split(name);
  if (given !== word) return Number.POSITIVE_INFINITY;
  const most = Math.min(MOST_MISTAKES, Math.max(1, rest.length / LETTERS_PER_MISTAKE));
  const mistakes = typingMistakes(givenRest, rest, most);
  return mistakes <= most ? mistakes : Number.POSITIVE_INFINITY;
}

function split(name: string): [string, string] {
  const at = name.indexOf("_");
  return at < 0 ? [name, ""] : [name.slice(0, at), name.slice(at + 1)];
}
