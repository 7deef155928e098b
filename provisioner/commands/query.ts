// `vast-provisioner query TEXT`: what a search query means, without a setting and without a call. Touches only the streams.
import { EXIT, type ExitCode, type Streams } from "../../common/command-line.ts";
import { readQuery } from "../search/query.ts";
import { QueryError } from "../search/query-error.ts";
import { DEFAULT_FILTERS } from "../search/query-text.ts";

/** A command line, cut in two: what is parsed as one, and the words of TEXT; null where the command is another. */
export interface Words {
  args: string[];
  text: string[] | null;
}

const OWN_FLAGS = /^(--no-default|--json|--help|-h|--version)$/;

/** Takes TEXT out of `query TEXT` word by word: it may begin with a dash, and quotes in it are the query's own. */
export function takeText(args: readonly string[]): Words {
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

/** Prints the filters on `out` and what is doubtful on `err`. Several words are joined by a blank, as a shell parts them. */
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
    const { filters, options: beside, warnings } = readQuery(words.join(" "), options.noDefault ? {} : DEFAULT_FILTERS);
    for (const warning of warnings) err(`Warning: ${warning}.\n`);
    out(`${JSON.stringify({ filters, ...beside }, null, options.json ? 0 : 2)}\n`);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    err(`vast-provisioner: the query cannot be used: ${error.message}\n`);
    return EXIT.badSettings;
  }
}
