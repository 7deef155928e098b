// The commands of both programs, read from what their --help prints. Touches a process for each, and a temporary folder.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  // tsx compiles each file once and keeps it here: nine processes would otherwise compile all files nine times.
  const cache = await mkdtemp(join(tmpdir(), "vast-pod-docs-"));
  try {
    return (await Promise.all(PROGRAMS.map((program) => rowsOf(program, cache)))).flat();
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

async function rowsOf(program: (typeof PROGRAMS)[number], cache: string): Promise<CommandRow[]> {
  const general = await help(cache, program);
  const common = new Set(flagsIn(general));
  const listed = commandsIn(general, `vast-${program}`);
  return Promise.all(
    listed.map(async (command) => {
      const own = flagsIn(await help(cache, program, `${command.usage.split(" ")[0]}`)).filter(
        (flag) => !common.has(flag),
      );
      return { program: `vast-${program}`, ...command, flags: own };
    }),
  );
}

const run = promisify(execFile);

async function help(cache: string, program: string, ...command: string[]): Promise<string> {
  const args = ["--import", "tsx", `${ROOT}${program}/main.ts`, ...command, "--help"];
  const { TSX_DISABLE_CACHE: _, ...environment } = process.env;
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, env: { ...environment, TMPDIR: cache } });
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
