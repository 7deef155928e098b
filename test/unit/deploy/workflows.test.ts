// The workflows of .github: valid for GitHub, and they call only scripts that exist.
import { readdirSync, readFileSync } from "node:fs";
import { validateWorkflow } from "@action-validator/core";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const root = new URL("../../../", import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, root), "utf8");
const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };

interface Step {
  uses?: string;
  run?: string;
}
interface Job {
  uses?: string;
  steps?: Step[];
}
const files = readdirSync(new URL(".github/workflows/", root));
const workflows = files.map((file) => {
  const text = textOf(`.github/workflows/${file}`);
  const jobs = Object.values((parse(text) as { jobs: Record<string, Job> }).jobs);
  return { file, text, jobs, steps: jobs.flatMap(({ steps }) => steps ?? []) };
});

/** What GitHub would refuse in a workflow. */
const problemsOf = (text: string) => validateWorkflow(text).errors;

test("there are workflows for changes, releases and the cluster", () => {
  expect(files.sort()).toEqual(["ci.yml", "cluster.yml", "release.yml"]);
});

/** A digest, which Renovate sets, has its version beside it. */
const hasVersion = (action: string) => /^[\w-]+\/[\w-]+@(v\d+(\.\d+)*|[\da-f]{40} # v\d+(\.\d+)*)$/.test(action);

test("an action has a version as a tag or beside its digest, and no branch", () => {
  const digest = "0123456789abcdef0123456789abcdef01234567";
  const named = ["a/b@v4", "a/b@v4.2.2", `a/b@${digest} # v4`, "a/b@main", "a/b", `a/b@${digest}`, "a/b@4"];
  expect(named.map(hasVersion)).toEqual([true, true, true, false, false, false, false]);
});

describe.each(workflows)("$file", ({ text, jobs, steps }) => {
  test("is valid", () => {
    expect(problemsOf(text)).toEqual([]);
  });

  test("runs only scripts of package.json and files that exist", () => {
    const commands = steps.flatMap(({ run = "" }) => run.split("\n"));
    for (const command of commands) {
      const script = /\bnpm (?:run ([\w:]+)|(test)\b)/.exec(command);
      if (script) expect(scripts).toHaveProperty([script[1] ?? "test"]);
      const file = /\bsh (\.github\/\S+)/.exec(command)?.[1];
      if (file) expect(textOf(file)).toContain("set -eu");
    }
    const called = jobs.flatMap(({ uses }) => (uses?.startsWith("./") ? [uses.slice(2)] : []));
    for (const path of called) expect(textOf(path)).toContain("workflow_call:");
  });

  test("has only actions with a version", () => {
    const actions = [...text.matchAll(/^\s*(?:- )?uses: (?!\.\/)(.+)$/gm)].map(([, action = ""]) => action);
    expect(actions).toHaveLength(steps.filter(({ uses }) => uses !== undefined).length);
    expect(actions.filter((action) => !hasVersion(action))).toEqual([]);
  });
});

describe("a workflow that GitHub would refuse", () => {
  const [first] = workflows;
  test.each([
    [
      "a job that needs a job that does not exist",
      (text: string) => text.replace("timeout-minutes: 30", "needs: nothing"),
    ],
    ["a step with a key that steps do not have", (text: string) => text.replace("with:", "wiht:")],
    ["an unknown event", (text: string) => text.replace("pull_request:", "pull_rekwest:")],
  ])("%s is found", (_, damage) => {
    const text = damage(first?.text ?? "");
    expect(text).not.toBe(first?.text);
    expect(problemsOf(text)).not.toEqual([]);
  });
});
