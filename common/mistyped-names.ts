// Which variables of the environment are one of our settings with a slip in its name. Pure.
import { typingMistakes } from "./suggest.ts";
import type { VariableTable } from "./variables.ts";

// Farther away it is the name of something else, like KUBERNETES_SERVICE_HOST; in a short name two other letters are another word, like
// POD_NODE.
const MOST_MISTAKES = 2;
const LETTERS_PER_MISTAKE = 4;
// Kubernetes gives a container the variable X_PORT for each Service x of its namespace. The others of a Service are like no setting.
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;
// One letter more or less makes another word of LOG or POD.
const LEAST_FIRST_WORD = 4;

/**
 * One sentence for each variable that is probably a mistyped setting of `names`: without it, a mistyped VAST_MAX_DPH is no limit at all.
 * Of names that do not begin with the first word of a setting, only those count that are one mistake away from all of it, or that are in
 * small letters or with hyphens.
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
      .map((one) => ({ ...one, mistakes: one.rest === `${rest}_URL` ? 0 : mistakesIn(rest, one.rest) }))
      .reduce((best, one) => (one.mistakes < best.mistakes ? one : best), NOTHING_MEANT);
    if (meant.mistakes <= MOST_MISTAKES) return names.includes(meant.setting) ? [sentence(name, meant)] : [];
    const other = alike.find(({ spelling }) => name === `${spelling}_FILE`) ?? otherFirstWord(name, spellings);
    if (other === undefined || !names.includes(other.setting)) return [];
    return [sentence(name, other)];
  });
}

/** One of the names of a setting, and what follows its first word. */
interface Spelling {
  setting: string;
  spelling: string;
  rest: string;
}

const NOTHING_MEANT = { setting: "", spelling: "", rest: "", mistakes: Number.POSITIVE_INFINITY };

function sentence(name: string, { spelling }: Spelling): string {
  return name === `${spelling}_FILE`
    ? `${name} is not a setting: only secrets are read from a file. Write the value into ${spelling}.`
    : `${name} is not a setting: did you mean ${spelling}? Rename it, or remove it.`;
}

/** The setting that is meant by a name with a slip in its first word, as VATS_MAX_DPH and vast_max_dph. */
function otherFirstWord(name: string, spellings: ReadonlyMap<string, readonly Spelling[]>): Spelling | undefined {
  const written = name.toUpperCase().replaceAll(/[-.]/g, "_");
  for (const [word, alike] of spellings) {
    if (word.length < LEAST_FIRST_WORD) continue;
    for (const one of alike) {
      if (one.rest === "") continue;
      const isAlike = written === one.spelling || name.endsWith(one.rest.slice(1)); // else more than one mistake
      if (isAlike && (written === one.spelling || typingMistakes(name, one.spelling, 1) <= 1)) return one;
    }
  }
  return undefined;
}

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
