// The settings of both programs as the README shows them: a heading and a table for each group. Pure.
import { GROUPS, type Variable } from "../../../common/variables.ts";
import { PROVISIONER_VARIABLES } from "../../../provisioner/variables.ts";
import { RELOADER_VARIABLES } from "../../../reloader/variables.ts";

/** Every setting of both programs. */
export const VARIABLES = { ...PROVISIONER_VARIABLES, ...RELOADER_VARIABLES };
export type VariableName = keyof typeof VARIABLES;

/** The README's settings in markdown, one row for each setting. */
export function settingsTable(): string {
  const cell = (value: string) => value.replaceAll("|", "\\|");
  const groups = Object.entries(GROUPS).map(([group, heading]) => {
    const rows = Object.entries<Variable>(VARIABLES)
      .filter(([, variable]) => variable.group === group)
      .map(([name, variable]) => {
        const shown = "default" in variable ? (variable.default ?? "") : "";
        return `| ${name} | ${cell(shown)} | ${cell(variable.meaning)}${variable.secret ? " (secret)" : ""} |`;
      });
    return [`### ${heading}`, "", "| variable | default | meaning |", "|---|---|---|", ...rows].join("\n");
  });
  return groups.join("\n\n");
}
