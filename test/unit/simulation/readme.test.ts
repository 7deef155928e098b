// The README of test/ lists the laws that the simulation judges by.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LAWS } from "../../simulation/laws/all.ts";

test("every law of the simulation is in the README", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.split("## Simulation\n")[1]?.split("\n## ")[0] ?? "";
  expect([...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, law]) => law)).toEqual(Object.keys(LAWS));
});
