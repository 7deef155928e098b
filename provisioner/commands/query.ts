// `vast-provisioner query TEXT`: prints the filters that a search query means. Touches only the terminal.
import { type CommandCall, EXIT, type ExitCode, type OutputFormat } from "../../common/command.ts";
import { readSettings, type SettingsSource } from "../../common/settings.ts";
import type { Terminal } from "../../common/terminal.ts";
import { queryScreen } from "../screens/query-screen.ts";
import { OPTION_NAMES } from "../search/fields.ts";
import { readQuery } from "../search/query.ts";
import { QueryError } from "../search/query-error.ts";
import { DEFAULT_FILTERS } from "../search/query-text.ts";
import { judgeSearch } from "../search/unknown-fields.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";

export function queryCommand({ options, output, terminal }: CommandCall, source: SettingsSource): ExitCode {
  const { values } = readSettings(PROVISIONER_VARIABLES, source, ["VAST_SEARCH_ALLOW_UNKNOWN"]);
  const words = [options.text ?? []].flat().map(String);
  const allowUnknown = values.VAST_SEARCH_ALLOW_UNKNOWN;
  return showQuery(words, { noDefault: options["no-default"] === true, output, allowUnknown }, terminal);
}

/** Prints the filters on `out` and warnings on `err`. The words, which the shell has separated, are joined by blanks. */
export function showQuery(
  words: readonly string[],
  { noDefault, output, allowUnknown }: { noDefault: boolean; output: OutputFormat; allowUnknown: boolean },
  { out, err, width }: Pick<Terminal, "out" | "err" | "width">,
): ExitCode {
  if (words.length === 0) {
    err("vast-provisioner: query needs a TEXT: a query like 'gpu_name=RTX_4090 num_gpus=1', or JSON filters\n");
    return EXIT.badSettings;
  }
  try {
    const query = readQuery(words.join(" "), noDefault ? {} : DEFAULT_FILTERS);
    const { problems, warnings } = judgeSearch({ "the query": query }, allowUnknown);
    for (const problem of problems) err(`vast-provisioner: ${problem}\n`);
    if (problems.length > 0) return EXIT.badSettings;
    for (const warning of warnings) err(`Warning: ${warning}\n`);
    const rest = query.options;
    const filters = Object.fromEntries(Object.entries(query.filters).filter(([field]) => !OPTION_NAMES.has(field)));
    if (output === "json") out(`${JSON.stringify({ filters, ...rest })}\n`);
    else if (output === "name") for (const field of Object.keys(filters)) out(`${field}\n`);
    else out(queryScreen({ filters, options: rest }, output === "wide" ? null : width()));
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    err(`vast-provisioner: invalid query: ${error.message}\n`);
    return EXIT.badSettings;
  }
}
