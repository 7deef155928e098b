// The settings of both programs as the documents show them. The only place here that knows the tables in code. Pure.
import { GROUPS, type Variable } from "../../common/variables.ts";
import { PROVISIONER_VARIABLES } from "../../provisioner/variables.ts";
import { RELOADER_VARIABLES } from "../../reloader/variables.ts";

/** Every setting of both programs. */
export const VARIABLES = { ...PROVISIONER_VARIABLES, ...RELOADER_VARIABLES };
export type VariableName = keyof typeof VARIABLES;

export interface SettingRow {
  name: string;
  group: string;
  isSecret: boolean;
  /** Empty: there is none. */
  shownDefault: string;
  meaning: string;
  /** What a valid value is. */
  expects: string;
  /** The programs that read it. */
  programs: readonly string[];
  /** An older name that is still read. */
  formerly: string | undefined;
}

/** Every setting, group after group. */
export function settingRows(): SettingRow[] {
  const table = Object.entries<Variable>(VARIABLES);
  return Object.entries(GROUPS).flatMap(([group, heading]) =>
    table
      .filter(([, variable]) => variable.group === group)
      .map(([name, variable]) => ({
        name,
        group: heading,
        isSecret: variable.secret === true,
        shownDefault: "default" in variable ? (variable.default ?? "") : "",
        meaning: variable.meaning,
        expects: variable.expects,
        programs: [
          ...(name in PROVISIONER_VARIABLES ? ["provisioner"] : []),
          ...(name in RELOADER_VARIABLES ? ["reloader"] : []),
        ],
        formerly: variable.formerly,
      })),
  );
}

/** Every name that may be set, those of secret files and older names included. */
export function settingNames(): Set<string> {
  return new Set(
    settingRows().flatMap(({ name, isSecret, formerly }) => [
      name,
      ...(isSecret ? [`${name}_FILE`] : []),
      ...(formerly === undefined ? [] : [formerly]),
    ]),
  );
}
