// The documents are short, their links lead somewhere, and their generated parts are those of the code.
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { generatedParts, ROOT, readDocuments, regenerate } from "../../docs/documents.ts";
import { anchors, LINE_WIDTH, relativeLinks } from "../../docs/markdown.ts";
import { generatedPart, PART_NAMES } from "../../docs/parts.ts";

const documents = await readDocuments();
const textOf = new Map(documents.map(({ path, text }) => [path, text]));

test("the README has at most 200 lines", () => {
  expect(documents[0]?.path).toBe("README.md");
  expect(documents[0]?.text.trimEnd().split("\n").length).toBeLessThanOrEqual(200);
});

test("every generated part is in exactly one document", () => {
  expect(documents.flatMap(({ text }) => generatedParts(text)).sort()).toEqual([...PART_NAMES].sort());
});

describe.each(documents)("$path", ({ path, text }) => {
  test(`has no line of more than ${LINE_WIDTH} characters`, () => {
    expect(text.split("\n").filter((line) => line.length > LINE_WIDTH)).toEqual([]);
  });

  // The commands take nine processes, which share busy cores with other tests.
  test("has the generated parts that the code gives: otherwise run `npm run docs`", { timeout: 180_000 }, async () => {
    expect(await regenerate(text, generatedPart)).toBe(text);
  });

  test("has links that lead to a file, and to a heading of it", () => {
    const broken = relativeLinks(text).filter((link) => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchors(textOf.get(target) ?? "").includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});
