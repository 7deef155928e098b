// The rules over the source itself that no type can hold. The tables are in floors.ts and text-rules.ts.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../../../common/version.ts";
import { VARIABLES } from "../../docs/settings.ts";
import { checkout, ROOT } from "./checkout.ts";
import { circleOffences, floorOffences, packageOffences, type SourceFile, testImportOffences } from "./import-rules.ts";
import {
  environmentOffences,
  exportedTwiceOffences,
  fileLengthOffences,
  lineLengthOffences,
  mirrorOffences,
  privateWordOffences,
} from "./text-rules.ts";

const files = checkout();
const sources = files.filter(({ path }) => /\.(ts|mjs)$/.test(path));

test("the rules read the whole checkout", () => {
  for (const folder of ["common", "provisioner", "reloader", "deploy", "test"]) {
    expect(sources.some(({ path }) => path.startsWith(`${folder}/`))).toBe(true);
  }
  expect(sources.length).toBeGreaterThan(300);
});

test("the version is package.json's", () => {
  expect(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))).toMatchObject({ version: VERSION });
});

type Rule = (files: readonly SourceFile[]) => string[];

test.each<[string, Rule]>([
  ["rooms import from lower floors only, and every room has a floor", floorOffences],
  ["folders of test/ import what their row allows, and nobody else imports test/", testImportOffences],
  ["only one file imports axios", packageOffences],
  ["no files import each other in a circle", circleOffences],
  ["only main.ts and settings.ts read the environment", environmentOffences],
  ["unit tests lie where their source lies", mirrorOffences],
  ["an exported name exists once", exportedTwiceOffences],
  ["no file of a program has more than 300 lines", fileLengthOffences],
  ["no line to read has more than 140 characters", lineLengthOffences],
  ["names are the field's words", privateWordOffences],
])("%s", (_, rule) => {
  expect(rule(files)).toEqual([]);
});

test("messages name only variables that the table has", () => {
  const known = new Set([...Object.keys(VARIABLES), "BLACKLIST_REDIS", "VAST_API_KEY_FILE"]);
  for (const { path, text } of sources) {
    if (!/^(common|provisioner|reloader)\//.test(path)) continue;
    for (const [name] of text.matchAll(/\b(VAST|BLACKLIST|UPSTREAM|STATE|DOCKER)_[A-Z_]*[A-Z]\b/g)) {
      if (path === "provisioner/vast/pacing.ts" || /^UPSTREAM_SCHEMA$/.test(name)) continue;
      expect([path, name, known.has(name)]).toEqual([path, name, true]);
    }
  }
});
