// From environment and flags to typed settings: all problems at once, each with its name and remedy. Pure but for
// `readFile`, which is handed in and reads the files that `<NAME>_FILE` variables point to.
import type * as z from "zod";
import { type ValueOf, type VariableName, variable } from "./variables.ts";

export interface SettingsSource {
  env: Readonly<Record<string, string | undefined>>;
  /** Values of command-line flags by variable name; they override the environment. */
  flags: Readonly<Partial<Record<VariableName, string>>>;
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

/** A container's own understanding of variables that the table knows as text. */
export type Forms = Readonly<Partial<Record<VariableName, z.ZodType<unknown, string>>>>;
type Formed<K extends VariableName, F extends Forms> =
  F[K] extends z.ZodType<infer T, string> ? T | Extract<ValueOf<K>, undefined> : ValueOf<K>;
export type Values<N extends VariableName, F extends Forms = Record<never, never>> = { [K in N]: Formed<K, F> };
export interface ReadSettings<N extends VariableName, F extends Forms = Record<never, never>> {
  values: Values<N, F>;
  warnings: string[];
}

/** Reads the named variables, those of `forms` by these. Throws one `SettingsError` that lists every problem. */
export function readSettings<const N extends VariableName, F extends Forms = Record<never, never>>(
  names: readonly N[],
  source: SettingsSource,
  forms?: F,
): ReadSettings<N, F> {
  const problems: string[] = [];
  const warnings: string[] = [];
  const values: Partial<Record<VariableName, unknown>> = {};
  for (const name of names) {
    const found = lookUp(name, source);
    if (found.warning) warnings.push(found.warning);
    if (found.problem) problems.push(found.problem);
    else values[name] = parse(name, found.text, problems, forms?.[name]);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return { values: values as Values<N, F>, warnings };
}

interface Found {
  text?: string;
  problem?: string;
  warning?: string;
}

function lookUp(name: VariableName, source: SettingsSource): Found {
  const { secret, formerly } = variable(name);
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
      const code = error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
      return {
        problem: `${name}_FILE is "${file}": ${code}. Name a readable file that holds ${variable(name).expects}.`,
      };
    }
  }
  const older = formerly === undefined ? undefined : source.env[formerly];
  if (given(older)) return { text: older, warning: `${formerly} is the older name of ${name}: rename it.` };
  return {};
}

function parse(name: VariableName, text: string | undefined, problems: string[], form?: Forms[VariableName]): unknown {
  const v = variable(name);
  const effective = text ?? (v.need === "default" ? v.default : undefined);
  if (effective === undefined || effective.trim() === "") {
    if (v.need === "required")
      problems.push(`${name} is ${text === undefined ? "missing" : "empty"}: set it to ${v.expects}.`);
    else if (effective !== undefined) problems.push(`${name} is blank: set it to ${v.expects}, or leave it out.`);
    return undefined;
  }
  const parsed = (form ?? v.schema).safeParse(effective);
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
function shorten(name: VariableName, text: string): string {
  const bare = name.endsWith("_URL") ? text.replace(/^(\w+:)?\S*@/, "$1//[secret]@") : text;
  const shown = bare.replace(/\/\/\S*@/g, "//[secret]@").replace(/([?&]password=)[^&]*/gi, "$1[secret]");
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
}
