// `vast-provisioner query TEXT`: prints the filters that a search query means. Needs no settings; touches only the streams.
import type { Argv } from "yargs";
import { EXIT, type ExitCode, type Streams } from "../../common/command-line.ts";
import { readQuery } from "../search/query.ts";
import { QueryError } from "../search/query-error.ts";
import { DEFAULT_FILTERS } from "../search/query-text.ts";

/** A command line in two parts: the arguments for yargs, and the words of TEXT (null for any other command). */
export interface QueryWords {
  args: string[];
  text: string[] | null;
}

const OWN_FLAGS = /^(--no-default|--json|--help|-h|--version)$/;

/** Takes TEXT out of `query TEXT`: a word of it may begin with a dash, and its quotes belong to the query. */
export function takeText(args: readonly string[]): QueryWords {
  const command = args.findIndex((arg) => !arg.startsWith("-"));
  if (args[command] !== "query") return { args: [...args], text: null };
  const rest = args.slice(command + 1);
  const end = rest.includes("--") ? rest.indexOf("--") : rest.length;
  const words = rest.slice(0, end);
  return {
    args: [...args.slice(0, command + 1), ...words.filter((word) => OWN_FLAGS.test(word))],
    text: [...words.filter((word) => !OWN_FLAGS.test(word)), ...rest.slice(end + 1)],
  };
}

export function queryOptions(cli: Argv): Argv {
  return cli.option("no-default", {
    type: "boolean",
    describe: "leave out the default filters of `vastai search offers` (verified, not external, rentable)",
  });
}

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
