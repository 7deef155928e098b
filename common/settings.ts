// Reads settings from environment and flags, and reports all problems at once, each with its name and what to do. Touches only
// the files that `<NAME>_FILE` variables name, through `readFile`.
import { codeOf } from "./errors.ts";
import { mistypedNames } from "./mistyped-names.ts";
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
  const all = Object.keys(table);
  const read = names === undefined ? all : all.filter((name) => names.some((one) => one === name));
  for (const name of read) {
    const { value, problem, warning } = readOne(table, source, name);
    if (warning) warnings.push(warning);
    if (problem) problems.push(problem);
    else values[name] = value;
  }
  problems.push(...mistypedNames(table, read, source.env));
  if (problems.length > 0) throw new SettingsError(problems);
  return { values: values as Values<Pick<T, N>>, warnings };
}

/** One setting, whatever else is wrong. Throws a `SettingsError`. */
export function readSetting<T extends VariableTable, N extends keyof T & string>(
  table: T,
  source: SettingsSource,
  name: N,
): Values<T>[N] {
  const { value, problem } = readOne(table, source, name);
  if (problem) throw new SettingsError([problem]);
  return value as Values<T>[N];
}

interface OneSetting {
  value?: unknown;
  problem?: string;
  warning?: string;
}

function readOne(table: VariableTable, source: SettingsSource, name: string): OneSetting {
  const variable = table[name];
  if (variable === undefined) return {};
  const { text, problem, warning } = readRaw(name, variable, source);
  if (problem !== undefined) return { problem };
  return { ...parse(name, variable, text), ...(warning === undefined ? {} : { warning }) };
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

function parse(name: string, v: Variable, text: string | undefined): Pick<OneSetting, "value" | "problem"> {
  const effective = text ?? (v.need === "default" ? v.default : undefined);
  if (effective === undefined || effective.trim() === "") {
    if (v.need === "required")
      return { problem: `${name} is ${text === undefined ? "missing" : "empty"}: set it to ${v.expects}.` };
    return effective === undefined ? {} : { problem: `${name} is blank: set it to ${v.expects}, or leave it out.` };
  }
  const parsed = v.schema.safeParse(effective);
  if (parsed.success) return { value: parsed.data };
  const shown = v.secret
    ? `${name} cannot be read (its value is not shown)`
    : `${name} is ${JSON.stringify(printable(name, effective))}`;
  const detail = v.secret ? "" : customMessage(parsed.error.issues);
  return { problem: `${shown}: expected ${v.expects}${detail}.` };
}

function customMessage(issues: readonly { code: string; message: string }[]): string {
  const custom = issues.find(
    (issue) => issue.code === "custom" && issue.message !== "" && issue.message !== "Invalid input",
  );
  return custom ? ` (${custom.message})` : "";
}

/** A value as it may be printed: truncated, and without the password of a URL, valid or not. */
function printable(name: string, text: string): string {
  const withoutUser = name.endsWith("_URL") ? text.replace(/^([\w+]+:)?\S*@/, "$1//[secret]@") : text;
  const shown = withoutUser.replace(/\/\/\S*@/g, "//[secret]@").replace(/([?&]\w*password=)[^&]*/gi, "$1[secret]");
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
}
