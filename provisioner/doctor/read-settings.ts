// Reads each setting by itself, so that one that cannot be used does not keep the others from being checked. Touches the files with
// secrets.
import { readSetting, SettingsError, type SettingsSource } from "../../common/settings.ts";
import type { Values } from "../../common/variables.ts";
import { readProvisionerSettings } from "../settings.ts";
import { readTemplateFile, type WantedTemplate } from "../template/file.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";
import { type Finding, fail, ok, warn } from "./findings.ts";

// A problem is "X is missing: set it to ...": what to do stands behind the first colon that is not in a quoted value.
const PROBLEM = /^((?:[^":]|"(?:[^"\\]|\\.)*"|:(?! ))+): (.+)$/s;

type Table = typeof PROVISIONER_VARIABLES;

export interface CheckedSettings {
  /** Without those that cannot be used. */
  values: Partial<Values<Table>>;
  findings: Finding[];
}

export function checkSettings(source: SettingsSource): CheckedSettings {
  let values: Partial<Values<Table>> = {};
  for (const name of Object.keys(PROVISIONER_VARIABLES) as (keyof Table)[]) {
    try {
      values = { ...values, [name]: readSetting(PROVISIONER_VARIABLES, source, name) };
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error; // it is reported below, with all others
    }
  }
  return { values, findings: judgeSettings(source) };
}

function judgeSettings(source: SettingsSource): Finding[] {
  try {
    const { warnings } = readProvisionerSettings(source);
    const doubts = warnings.map((text) => warn("settings", text, "correct it, or leave it if it is meant so"));
    return [ok("settings", given(source)), ...doubts];
  } catch (error) {
    return problemsOf(error);
  }
}

/** What VAST_TEMPLATE_FILE says; null without one, or with one that cannot be used. */
export async function checkTemplateFile(
  path: string | undefined,
  { env, readFile }: SettingsSource,
): Promise<{ wanted: WantedTemplate | null; findings: Finding[] }> {
  if (path === undefined) return { wanted: null, findings: [] };
  try {
    return { wanted: await readTemplateFile({ path, env, readFile }), findings: [] };
  } catch (error) {
    return { wanted: null, findings: problemsOf(error) };
  }
}

function problemsOf(error: unknown): Finding[] {
  if (!(error instanceof SettingsError)) throw error;
  return error.problems.map((problem) => {
    const [, message = problem, remedy = "correct it"] = PROBLEM.exec(problem) ?? [];
    return fail("settings", message, remedy);
  });
}

function given({ env, flags }: SettingsSource): string {
  const names = Object.keys(PROVISIONER_VARIABLES);
  const set = (text: string | undefined) => text !== undefined && text !== "";
  const files = names.filter((name) => set(env[`${name}_FILE`]));
  const direct = names.filter((name) => set(env[name]) || set(flags[name as keyof Table]));
  const fromFiles = files.length === 0 ? "" : `, ${files.length} of them from files`;
  return `${direct.length + files.length} given${fromFiles}; the others have their defaults`;
}
