import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { completionCommand } from "../../../common/completion.ts";
import { PROGRAMS } from "../../docs/commands.ts";

const [provisioner] = PROGRAMS;

async function script(shell: string): Promise<string> {
  if (provisioner === undefined) throw new Error("the programs are missing");
  let text = "";
  const terminal = {
    out: (part: string) => {
      text += part;
    },
    err: () => undefined,
    width: () => null,
    paint: (_: string, part: string) => part,
  };
  const command = completionCommand(provisioner);
  await command.run({ flags: {}, options: { shell }, output: "text", terminal, env: {} });
  return text;
}

/** What a real bash offers for the last of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const typed = words.map((word) => `'${word}'`).join(" ");
  const ask = `COMP_WORDS=(vast-provisioner ${typed}); COMP_CWORD=${words.length}; _vast_provisioner; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync("bash", ["--norc", "-c", `${await script("bash")}\n${ask}`], { encoding: "utf8" });
  return printed.split("\n").filter((word) => word !== "");
}

describe("completion in bash", () => {
  test("offers the commands first", async () => {
    expect(await offered("de")).toEqual(["destroy"]);
    expect(await offered("")).toEqual(expect.arrayContaining(["run", "query", "reap", "completion", "--help"]));
  });

  test("offers a command's own options, and only settings that it reads", async () => {
    expect(await offered("destroy", "--y")).toEqual(["--yes"]);
    expect(await offered("destroy", "--vast-l")).toEqual(["--vast-label"]);
    expect(await offered("destroy", "--vast-max")).toEqual([]);
    expect(await offered("run", "--vast-max-d")).toEqual(["--vast-max-dph"]);
  });

  test("offers no secret", async () => {
    expect(await offered("run", "--vast-api")).toEqual([]);
  });

  test("offers the values of an option and of a positional", async () => {
    expect(await offered("destroy", "-o", "")).toEqual(["table", "wide", "json", "name"]);
    expect(await offered("destroy", "--output", "j")).toEqual(["json"]);
    expect(await offered("completion", "z")).toEqual(["zsh"]);
  });

  test("leaves the value of another option to the shell, which offers files", async () => {
    expect(await offered("destroy", "--state-path", "")).toEqual([]);
  });
});

test("the zsh script offers the same words, by zsh's own means", async () => {
  const text = await script("zsh");
  expect(text.split("_vast_provisioner() {")[0]).toBe((await script("bash")).split("_vast_provisioner() {")[0]);
  expect(text).toContain("compdef _vast_provisioner vast-provisioner");
});
