// What a table, the links and the anchors of a document are.
import { describe, expect, test } from "vitest";
import { generatedParts, regenerate } from "../../docs/documents.ts";
import { anchors, LINE_WIDTH, relativeLinks, table } from "../../docs/markdown.ts";

describe("a table", () => {
  test("has one line for each row that fits", () => {
    expect(table(["a", "b"], [["1", "x|y"]])).toBe("| a | b |\n|---|---|\n| 1 | x\\|y |");
  });

  test("continues a long cell in further rows, and breaks no code", () => {
    const code = "`some code of four words`";
    const lines = table(["a", "b"], [["1", Array(12).fill(code).join(" ")]]).split("\n");
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(LINE_WIDTH);
    for (const line of lines.slice(2)) expect(line).toMatch(/^\| 1? \| `.*` \|$/);
    expect(lines.join("").split(code)).toHaveLength(13);
  });
});

test("links in code blocks and links to other sites are no links of the project", () => {
  expect(relativeLinks("[a](b.md) [c](https://c.example)\n```\n[d](e.md)\n```\n[f](#g)")).toEqual(["b.md", "#g"]);
});

test("a heading's anchor is its text in lower case, with hyphens and without punctuation", () => {
  expect(anchors("# The loop\n## `/status`, or: why?\n```sh\n# a comment\n```")).toEqual(["the-loop", "status-or-why"]);
});

test("only the parts between markers are written again", async () => {
  const text = "a\n<!-- generated: one -->\nold\n<!-- end -->\nb\n<!-- generated: two -->\nkept\n<!-- end -->\n";
  expect(generatedParts(text)).toEqual(["one", "two"]);
  expect(await regenerate(text, async (name) => (name === "one" ? "new" : null))).toBe(
    "a\n<!-- generated: one -->\n\nnew\n\n<!-- end -->\nb\n<!-- generated: two -->\nkept\n<!-- end -->\n",
  );
});
