// What is said about a field that the API does not know: it ignores a filter on it, and rents what the filter was to exclude. Pure.
import { closestWord } from "../../common/suggest.ts";
import { EXPECTED_COST, KNOWN_FIELDS, PARAMETERS, SHORT_NAMES } from "./fields.ts";

const ALLOW = "VAST_SEARCH_ALLOW_UNKNOWN=true";

/** Those of `fields` that the API does not know, each once. */
export function unknownAmong(fields: Iterable<string>): string[] {
  return [...new Set(fields)].filter((field) => !KNOWN_FIELDS.has(field));
}

/** What reading a query or an order leaves to say. */
interface Judged {
  unknown: readonly string[];
  warnings: readonly string[];
}

/** Complete sentences about query and order, by what they are called: why they are refused, and what is doubtful. */
export function judgeSearch(
  parts: Readonly<Record<string, Judged | undefined>>,
  allowUnknown: boolean,
): { problems: string[]; warnings: string[] } {
  const given = Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [] : [{ name, ...part }]));
  const doubts = given.flatMap(({ name, warnings }) => warnings.map((warning) => `${name}: ${warning}.`));
  const about = (say: (name: string, field: string) => string) =>
    given.flatMap(({ name, unknown }) => unknown.map((field) => say(name, field)));
  return allowUnknown
    ? { problems: [], warnings: [...about(unknownWarning), ...doubts] }
    : { problems: about(unknownProblem), warnings: doubts };
}

function unknownProblem(name: string, field: string): string {
  return `${name} has the field ${field}, which the API does not know and ignores: ${remedyFor(field)} ${ALLOW} sends it all the same.`;
}

function remedyFor(field: string): string {
  if (PARAMETERS.has(field)) return `it takes a plain value, as in {"${field}": 1}.`;
  const meant = SHORT_NAMES.get(field) ?? closestWord(field.toLowerCase(), [...KNOWN_FIELDS, EXPECTED_COST]);
  if (meant === null) return "correct its name, or remove it.";
  return `did you mean ${meant === EXPECTED_COST ? `VAST_SEARCH_ORDER=${EXPECTED_COST}` : meant}?`;
}

function unknownWarning(name: string, field: string): string {
  return `${name} has the field ${field}: it is sent because of ${ALLOW}, but the API may ignore it.`;
}
