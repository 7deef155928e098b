import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { alertFiles } from "../../docs/alert-files.ts";
import { ROOT } from "../../docs/documents.ts";

test.each([...(await alertFiles())])(
  "%s is as made from the rules: if not, run `npm run docs`",
  async (path, content) => {
    expect(await readFile(`${ROOT}${path}`, "utf8")).toBe(content);
  },
);
