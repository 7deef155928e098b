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
  const spellings = new Map<string, Spelling[]>();
  for (const [setting, { secret, formerly }] of Object.entries(table)) {
    for (const spelling of [setting, ...(secret ? [`${setting}_FILE`] : []), ...(formerly ? [formerly] : [])]) {
      const [word, rest] = split(spelling);
      spellings.set(word, [...(spellings.get(word) ?? []), { setting, spelling, rest }]);
    }
  }
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || value === "" || SERVICE_ADDRESS.test(value)) return [];
    const [word, rest] = split(name);
    const alike = spellings.get(word) ?? [];
    if (alike.some(({ spelling }) => spelling === name)) return [];
    const meant = alike
      .map((one) => ({ ...one, mistakes: mistakesIn(rest, one.rest) }))
      .reduce((best, one) => (one.mistakes < best.mistakes ? one : best), NOTHING_MEANT);
    if (meant.mistakes > MOST_MISTAKES || !names.includes(meant.setting)) return [];
    return [`${name} is not a setting: did you mean ${meant.spelling}? Rename it, or remove it.`];
  });
}

/** One of the names of a setting, and what follows its first word. */
interface Spelling {
  setting: string;
  spelling: string;
  rest: string;
}

const NOTHING_MEANT = { setting: "", spelling: "", rest: "", mistakes: Number.POSITIVE_INFINITY };

/** Infinite when the names are too different. */
function mistakesIn(given: string, rest: string): number {
  const most = Math.min(MOST_MISTAKES, Math.max(1, rest.length / LETTERS_PER_MISTAKE));
  const mistakes = typingMistakes(given, rest, most);
  return mistakes <= most ? mistakes : Number.POSITIVE_INFINITY;
}

function split(name: string): [string, string] {
  const at = name.indexOf("_");
  return at < 0 ? [name, ""] : [name.slice(0, at), name.slice(at + 1)];
}
