import { expect, test } from "vitest";
import { inlineCommands, shellBlocks } from "../../cluster/page.ts";

const page = [
  ...["# Page", "", "## One", "", "```sh", "first   # not a heading", "```", "", "Type `kubectl get", "pods` or `ls`."],
  ...[
    "",
    "```yaml",
    "a: `kubectl no`",
    "```",
    "",
    "```sh",
    "second",
    "third",
    "```",
    "",
    "## Two",
    "",
    "`kubectl x`",
    "",
  ],
].join("\n");

test("the shell blocks of a heading are those up to the next heading", () => {
  expect(shellBlocks(page, "One")).toEqual(["first   # not a heading\n", "second\nthird\n"]);
  expect(shellBlocks(page, "Two")).toEqual([]);
});

test("the commands within sentences are joined over the ends of lines, and those of blocks are left out", () => {
  expect(inlineCommands(page, "One")).toEqual(["kubectl get pods"]);
  expect(inlineCommands(page, "Two")).toEqual(["kubectl x"]);
});

test("a heading that the page does not have is an error", () => {
  expect(() => shellBlocks(page, "Three")).toThrow('no heading "Three"');
});
