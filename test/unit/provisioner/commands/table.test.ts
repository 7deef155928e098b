// The table of commands: what it says about settings and examples is true.
import { describe, expect, test } from "vitest";
import type { Command, CommandCall, Program } from "../../../../common/command.ts";
import { runCommandLine } from "../../../../common/command-line.ts";
import {
  DESTROY_SETTINGS,
  PLAN_SETTINGS,
  readDestroySettings,
  readPlanSettings,
} from "../../../../provisioner/settings.ts";
import { PROVISIONER_VARIABLES } from "../../../../provisioner/variables.ts";
import { PROGRAMS } from "../../../docs/commands.ts";

/** Calls the program with commands that only record, and answers what was called and what was said. */
async function call(program: Program, args: readonly string[]) {
  const called: { name: string; call: CommandCall }[] = [];
  let said = "";
  const recording = (command: Command): Command => ({
    ...command,
    async run(one) {
      called.push({ name: command.usage.split(" ")[0] ?? "", call: one });
      return 0;
    },
  });
  const commands = program.commands.map(recording);
  const write = (text: string) => {
    said += text;
  };
  const terminal = { out: write, err: write, width: () => null, paint: (_: string, text: string) => text };
  await runCommandLine({ ...program, commands }, args, { terminal, env: {} });
  return { called, said };
}

/** As a shell splits them, without a redirection. */
const words = (args: string) =>
  [...(args.split(" > ")[0] ?? "").matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);

describe.each(PROGRAMS)("$name", (program) => {
  test("has examples that its command line accepts", async () => {
    for (const { usage, examples } of program.commands) {
      expect(examples.length).toBeGreaterThan(0);
      for (const { args } of examples) {
        const { called, said } = await call(program, words(args));
        expect([args, said, called.map(({ name }) => name)]).toEqual([args, "", [usage.split(" ")[0]]]);
      }
    }
  });
});

/** The environment, and the names that were read from it. */
function watched(env: Record<string, string>) {
  const read = new Set<string>();
  const proxy = new Proxy(env, {
    get(target, name) {
      if (typeof name === "string") read.add(name in PROVISIONER_VARIABLES ? name : name.replace(/_FILE$/, ""));
      return Reflect.get(target, name);
    },
  });
  return { env: proxy, read };
}

test("destroy accepts exactly the settings that it reads", () => {
  const { env, read } = watched({ POD_NAME: "vast-pod-0", VAST_API_KEY: "sekrit-key", BLACKLIST_ENABLED: "true" });
  readDestroySettings({ env, flags: {}, readFile: () => "" });
  read.delete("BLACKLIST_REDIS"); // an older name
  expect([...read].toSorted()).toEqual([...DESTROY_SETTINGS].toSorted());
});

test("plan accepts exactly the settings that it reads, and needs no login to the registry", () => {
  const { env, read } = watched({
    POD_NAME: "vast-pod-0",
    VAST_API_KEY: "sekrit-key",
    VAST_TEMPLATE_NAME: "demo",
    VAST_TEMPLATE_IMAGE: "example/app:2",
    VAST_SEARCH_QUERY: "num_gpus=1",
  });
  readPlanSettings({ env, flags: {}, readFile: () => "" });
  read.delete("BLACKLIST_REDIS"); // an older name
  expect([...read].toSorted()).toEqual([...PLAN_SETTINGS].toSorted());
});
