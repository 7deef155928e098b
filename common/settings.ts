// From environment and flags to typed settings: all problems at once, each with its name and remedy. Pure but for
// `readFile`, which is handed in and reads the files that `<NAME>_FILE` variables point to.
import { codeOf } from "./errors.ts";
import type { Values, Variable, VariableTable } from "./variables.ts";

export interface SettingsSource {
  env: Readonly<Record<string, string | undefined>>;
  /** Values of command-line flags by variable name; they override the environment. */
  flags: Readonly<Partial<Record<string, string>>>;
  /** Reads a secret's file as text; throws when it cannot. */
  readFile(path: string): string;
}

/** Settings that cannot be used. `problems` are complete sentences that print no secret. */
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
    const found = lookUp(name, variable, source);
    if (found.warning) warnings.push(found.warning);
    if (found.problem) problems.push(found.problem);
    else values[name] = parse(name, variable, found.text, problems);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return { values: values as Values<Pick<T, N>>, warnings };
}

interface Found {
  text?: string;
  problem?: string;
  warning?: string;
}

function lookUp(name: string, { secret, formerly, expects }: Variable, source: SettingsSource): Found {
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
    : `${name} is ${JSON.stringify(shorten(name, effective))}`;
  const detail = v.secret ? "" : customMessage(parsed.error.issues);
  problems.push(`${shown}: expected ${v.expects}${detail}.`);
  return undefined;
}

function customMessage(issues: readonly { code: string; message: string }[]): string {
  const own = issues.find(
    (issue) => issue.code === "custom" && issue.message !== "" && issue.message !== "Invalid input",
  );
  return own ? ` (${own.message})` : "";
}

/** A value as a message may show it: cut, and without the password that a URL may carry, well-formed or not. */
function shorten(name: string, text: string): string {
  const bare = name.endsWith("_URL") ? text.replace(/^(\w+:)?\S*@/, "$1//[secret]@") : text;
  const shown = bare.replace(/\/\/\S*@/g, "//[secret]@").replace(/([?&]password=)[^&]*/gi, "$1[secret]");
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
}
