// `vast-provisioner query TEXT`: prints the filters that a search query means. Needs no settings; touches only the terminal.
import { EXIT, type ExitCode } from "../../common/command.ts";
import type { Streams } from "../../common/terminal.ts";
import { readQuery } from "../search/query.ts";
import { QueryError } from "../search/query-error.ts";
import { DEFAULT_FILTERS } from "../search/query-text.ts";

/** Prints the filters on `out` and warnings on `err`. The words, which the shell has separated, are joined by blanks. */
export function showQuery(
  words: readonly string[],
  options: { noDefault: boolean; json: boolean },
  { out, err }: Streams,
): ExitCode {
  if (words.length === 0) {
    err("vast-provisioner: query needs a TEXT: a query like 'gpu_name=RTX_4090 num_gpus=1', or JSON filters\n");
    return EXIT.badSettings;
  }
  try {
    const { filters, options: rest, warnings } = readQuery(words.join(" "), options.noDefault ? {} : DEFAULT_FILTERS);
    for (const warning of warnings) err(`Warning: ${warning}.\n`);
    out(`${JSON.stringify({ filters, ...rest }, null, options.json ? 0 : 2)}\n`);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    err(`vast-provisioner: invalid query: ${error.message}\n`);
    return EXIT.badSettings;
  }
}
