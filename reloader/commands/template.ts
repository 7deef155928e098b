// The command `template`: prints the built-in template, as a start for a template of the user's own. Touches stdout.
import { EXIT, type ExitCode, type Streams } from "../../common/command-line.ts";
import { DEFAULT_CONF } from "../render/default-conf.ts";

export async function templateCommand(streams: Streams): Promise<ExitCode> {
  streams.out(DEFAULT_CONF);
  return EXIT.done;
}
