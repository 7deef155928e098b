// How commands that change something print what they do: sentences for people, or only the result for a script. Touches the terminal.
import type { CommandCall } from "../../common/command.ts";

type Target = Pick<CommandCall, "terminal" | "output">;

const isForScripts = ({ output }: Target) => output === "json" || output === "name";

/** Prints one sentence: where a script reads the result on stdout, to stderr. */
export function printFor(target: Target): (text: string) => void {
  const { out, err } = target.terminal;
  return (text) => (isForScripts(target) ? err : out)(`${text}\n`);
}

/** `instances`: those that `-o name` names. */
export function printOutcome(target: Target, outcome: object, instances: readonly number[]): void {
  if (target.output === "json") target.terminal.out(`${JSON.stringify(outcome)}\n`);
  if (target.output === "name") target.terminal.out(instances.map((id) => `${id}\n`).join(""));
}
