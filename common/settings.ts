// Reads settings from environment and flags, and reports all problems at once, each with its name and what to do. Touches only
// the files that `<NAME>_FILE` variables name, through `readFile`.
import { codeOf } from "./errors.ts";
import { typingMistakes } from "./suggest.ts";
import type { Values, Variable, VariableTable } from "./variables.ts";

export interface SettingsSource {
  env: Readonly<Record<string, string | undefined>>;
  /** Values of command-line flags by variable name; they override the environment. */
  flags: Readonly<Partial<Record<string, string>>>;
  /** Reads the file of a secret as text; throws when it cannot be read. */
  readFile(path: string): string;
}

/** Settings that cannot be used. `problems` are complete sentences without secrets. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  constructor(readonly problems: readonly string[]) {
    super(
      `${problems.length} setting${problems.length === 1 ? "" : "s"} cannot be used:\n${problems.map((p) => `  - ${p}`).join("\n")}`,
    );
  }
}

export interface ReadSettings<T extends VariableTable> {
  values: Values<T>;
  warnings: string[];
}

/** Reads the settings of `table`, or only those of `names`. Throws one `SettingsError` that lists every problem. */
export function readSettings<T extends VariableTable, const N extends keyof T & string = keyof T & string>(
  table: T,
  source: SettingsSource,
  names?: readonly N[],
): ReadSettings<Pick<T, N>> {
  const problems: string[] = [];
  const warnings: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries<Variable>(table)) {
    if (names !== undefined && !names.some((one) => one === name)) continue;
    const raw = readRaw(name, variable, source);
    if (raw.warning) warnings.push(raw.warning);
    if (raw.problem) problems.push(raw.problem);
    else values[name] = parse(name, variable, raw.text, problems);
  }
  const mistyped = names === undefined ? mistypedNames(table, source.env) : [];
  if (problems.length > 0) throw new SettingsError([...problems, ...mistyped]);
  warnings.push(...mistyped);
  return { values: values as Values<Pick<T, N>>, warnings };
}

// More than two mistakes: then it is the name of something else, like KUBERNETES_SERVICE_HOST.
const MOST_MISTAKES = 2;

/** One sentence for each variable that looks like a setting and is none: without it, a mistyped VAST_MAX_DPH is no limit at all. */
function mistypedNames(table: VariableTable, env: SettingsSource["env"]): string[] {
  const known = Object.entries(table).flatMap(([name, { secret, formerly }]) => [
    name,
    ...(secret ? [`${name}_FILE`] : []),
    ...(formerly === undefined ? [] : [formerly]),
  ]);
  const beginnings = new Set(known.map((name) => name.split("_")[0]));
  return Object.keys(env).flatMap((name) => {
    if (known.includes(name) || !beginnings.has(name.split("_")[0])) return [];
    const meant = known.find((one) => typingMistakes(name, one) <= MOST_MISTAKES);
    return meant === undefined ? [] : [`${name} is not a setting: did you mean ${meant}?`];
  });
}

/** The text of a setting, or why it cannot be read. */
interface RawValue {
  text?: string;
  problem?: string;
  warning?: string;
}

function readRaw(name: string, { secret, formerly, expects }: Variable, source: SettingsSource): RawValue {
  const given = (text: string | undefined): text is string => text !== undefined && text !== "";
  if (given(source.flags[name])) return { text: source.flags[name] };
  const direct = source.env[name];
  const file = secret ? source.env[`${name}_FILE`] : undefined;
  if (given(direct) && given(file)) return { problem: `${name} and ${name}_FILE are both set: keep one of them.` };
  if (given(direct)) return { text: direct };
  if (given(file)) {
    try {
      return { text: source.readFile(file).trim() };
    } catch (error) {
      const why = codeOf(error) ?? "it cannot be read";
      return { problem: `${name}_FILE is "${file}": ${why}. Name a readable file that holds ${expects}.` };
    }
  }
  const older = formerly === undefined ? undefined : source.env[formerly];
  if (given(older)) return { text: older, warning: `${formerly} is the older name of ${name}: rename it.` };
  return {};
}

function parse(name: string, v: Variable, text: string | undefined, problems: string[]): unknown {
  const effective = text ?? (v.need === "default" ? v.default : undefined);
  if (effective === undefined || effective.trim() === "") {
    if (v.need === "required")
      problems.push(`${name} is ${text === undefined ? "missing" : "empty"}: set it to ${v.expects}.`);
    else if (effective !== undefined) problems.push(`${name} is blank: set it to ${v.expects}, or leave it out.`);
    return undefined;
  }
  const parsed = v.schema.safeParse(effective);
  if (parsed.success) return parsed.data;
  const shown = v.secret
    ? `${name} cannot be read (its value is not shown)`
    : `${name} is ${JSON.stringify(printable(name, effective))}`;
  const detail = v.secret ? "" : customMessage(parsed.error.issues);
  problems.push(`${shown}: expected ${v.expects}${detail}.`);
  return undefined;
}

function customMessage(issues: readonly { code: string; message: string }[]): string {
  const custom = issues.find(
    (issue) => issue.code === "custom" && issue.message !== "" && issue.message !== "Invalid input",
  );
  return custom ? ` (${custom.message})` : "";
}

/** A value as it may be printed: truncated, and without the password of a URL, valid or not. */
function printable(name: string, text: string): string {
  const withoutUser = name.endsWith("_URL") ? text.replace(/^(\w+:)?\S*@/, "$1//[secret]@") : text;
  const shown = withoutUser.replace(/\/\/\S*@/g, "//[secret]@").replace(/([?&]\w*password=)[^&]*/gi, "$1[secret]");
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
}
