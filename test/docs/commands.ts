// The commands of both programs, read from what their --help prints. Touches a process for each.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ROOT } from "./documents.ts";

export interface CommandRow {
  program: string;
  /** As it is typed, with its arguments: `query [text..]`. */
  usage: string;
  meaning: string;
  isDefault: boolean;
  /** The flags that only this command has. */
  flags: readonly string[];
}

const PROGRAMS = ["provisioner", "reloader"] as const;

export async function commandRows(): Promise<CommandRow[]> {
  return (await Promise.all(PROGRAMS.map(rowsOf))).flat();
}

async function rowsOf(program: (typeof PROGRAMS)[number]): Promise<CommandRow[]> {
  const general = await help(program);
  const common = new Set(flagsIn(general));
  const listed = commandsIn(general, `vast-${program}`);
  return Promise.all(
    listed.map(async (command) => {
      const own = flagsIn(await help(program, `${command.usage.split(" ")[0]}`)).filter((flag) => !common.has(flag));
      return { program: `vast-${program}`, ...command, flags: own };
    }),
  );
}

const run = promisify(execFile);

async function help(program: string, ...command: string[]): Promise<string> {
  const args = ["--import", "tsx", `${ROOT}${program}/main.ts`, ...command, "--help"];
  // tsx would leave its cache behind.
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, env: { ...process.env, TSX_DISABLE_CACHE: "1" } });
  return stdout;
}

/** The list under "Commands:", whose long lines are wrapped. */
function commandsIn(text: string, name: string) {
  const listed = /^Commands:\n([\s\S]*?)\n\n/m.exec(text)?.[1] ?? "";
  const lines: string[] = [];
  for (const line of listed.split("\n")) {
    if (line.startsWith(`  ${name} `)) lines.push(line.slice(name.length + 3));
    else lines.push(`${lines.pop() ?? ""} ${line.trim()}`);
  }
  return lines.map((line) => {
    const [, usage = "", rest = ""] = /^(.+?) {2,}(.*)$/.exec(line) ?? [];
    const meaning = rest.replaceAll(/\[default\]|\(default\)/g, "").replaceAll(/\s+/g, " ");
    return { usage, meaning: meaning.trim(), isDefault: rest.includes("[default]") };
  });
}

function flagsIn(text: string): string[] {
  return [...text.matchAll(/^ {2,6}(?:-\w, )?(--[a-z-]+) /gm)].map(([, flag]) => `${flag}`);
}
