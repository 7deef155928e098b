// Scripts that complete commands and options in bash and zsh, made from the commands. Pure.
import { type Command, EXIT, type Program } from "./command.ts";
import { flagsOf, takesValue } from "./command-options.ts";
import { commandName } from "./command-words.ts";
import type { VariableTable } from "./variables.ts";

const SHELLS = ["bash", "zsh"] as const;

/** The command `completion` of a program. */
export function completionCommand({ name, variables, commands: others }: Program): Command {
  const command: Command = {
    usage: "completion <shell>",
    meaning: "print a script that completes commands and options in bash or zsh",
    examples: [
      { args: "completion bash", meaning: `complete in this shell: source <(${name} completion bash)` },
      { args: "completion zsh", meaning: `the same in zsh, after compinit: source <(${name} completion zsh)` },
    ],
    settings: [],
    positionals: { shell: { choices: SHELLS, describe: "the shell that reads the script" } },
    async run({ options, terminal }) {
      const commands = [...others, command];
      terminal.out(completionScript(options.shell, name, commands, variables));
      return EXIT.done;
    },
  };
  return command;
}

/** The shell function that prints which words may follow `$1`: the command and the word before. Names need no quotes. */
function wordsFunction(fn: string, commands: readonly Command[], table: VariableTable): string {
  const lines = commands.flatMap((command) => linesOf(command, table));
  const first = [...commands.map(commandName), "--help", "--version"].join(" ");
  return `${fn}() {\n  case "$1" in\n${lines.map((line) => `    ${line} ;;`).join("\n")}\n    *) echo "${first}" ;;\n  esac\n}`;
}

function linesOf(command: Command, table: VariableTable): string[] {
  const name = commandName(command);
  const flags = Object.entries(flagsOf(command, table));
  const afterFlag = flags.filter(([, option]) => takesValue(option));
  const patterns = (flag: string, alias: unknown) =>
    [`"${name} --${flag}"`, ...(typeof alias === "string" ? [`"${name} -${alias}"`] : [])].join("|");
  const fixed = afterFlag.filter(([, { choices }]) => choices !== undefined);
  const free = afterFlag.filter(([, { choices }]) => choices === undefined);
  const values = Object.values(command.positionals ?? {}).flatMap(({ choices }) => listed(choices));
  return [
    ...fixed.map(([flag, { choices, alias }]) => `${patterns(flag, alias)}) echo "${listed(choices).join(" ")}"`),
    // Nothing: the shell offers files then.
    ...(free.length === 0 ? [] : [`${free.map(([flag, { alias }]) => patterns(flag, alias)).join("|")}) echo ""`]),
    `"${name} "*) echo "${[...values, ...flags.map(([flag]) => `--${flag}`)].join(" ")}"`,
  ];
}

const listed = (choices: unknown): string[] => (Array.isArray(choices) ? choices.map(String) : []);

function completionScript(shell: unknown, name: string, commands: readonly Command[], table: VariableTable): string {
  const fn = `_${name.replaceAll("-", "_")}`;
  return `${wordsFunction(`${fn}_words`, commands, table)}\n${shell === "zsh" ? zshPart(fn, name) : bashPart(fn, name)}`;
}

function bashPart(fn: string, name: string): string {
  return `${fn}() {
  local place=""
  [ "$COMP_CWORD" -le 1 ] || place="\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=($(compgen -W "$(${fn}_words "$place")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${fn} ${name}
`;
}

function zshPart(fn: string, name: string): string {
  return `${fn}() {
  local place="" offered
  (( CURRENT <= 2 )) || place="$words[2] $words[CURRENT-1]"
  offered="$(${fn}_words "$place")"
  if [[ -n "$offered" ]]; then compadd -- \${=offered}; else _files; fi
}
compdef ${fn} ${name}
`;
}
