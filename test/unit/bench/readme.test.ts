// The bench's README lists what can be measured.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const bench = new URL("../../bench/", import.meta.url);

test("every measurement of the bench is in its README", () => {
  const main = readFileSync(new URL("main.ts", bench), "utf8");
  const table = main.slice(main.indexOf("const ROWS"), main.indexOf("};", main.indexOf("const ROWS")));
  const names = [...table.matchAll(/^ {2}"?([a-z-]+)"?(?:: .+)?,$/gm)].map(([, name]) => name);
  const rows = [...readFileSync(new URL("README.md", bench), "utf8").matchAll(/^\| `([a-z-]+)` \|/gm)];
  expect(rows.map(([, name]) => name)).toEqual(names);
});
