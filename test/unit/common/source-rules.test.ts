// Rules over the source itself that no type can hold.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { VERSION } from "../../../common/version.ts";
import { VARIABLES } from "../docs/settings-table.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** Every source file of the two programs with its text. */
async function sources(): Promise<{ path: string; text: string }[]> {
  const found: { path: string; text: string }[] = [];
  for (const folder of ["common", "provisioner", "reloader"]) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true })) {
      if (!entry.endsWith(".ts")) continue;
      const path = join(folder, entry);
      found.push({ path, text: await readFile(join(ROOT, path), "utf8") });
    }
  }
  return found;
}

test("the version is package.json's", async () => {
  expect(JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"))).toMatchObject({ version: VERSION });
});

describe("the source of both programs", () => {
  test("reads the environment in main.ts and settings.ts only", async () => {
    const files = await sources();
    const readers = files.filter(({ text }) => /process\s*\.\s*env|process\[/.test(text)).map(({ path }) => path);
    expect(files.length).toBeGreaterThan(50);
    for (const path of readers) expect(path).toMatch(/(^|\/)(main|settings)\.ts$/);
  });

  test("names in its messages only variables that the table has", async () => {
    const known = new Set([...Object.keys(VARIABLES), "BLACKLIST_REDIS", "VAST_API_KEY_FILE"]);
    for (const { path, text } of await sources()) {
      for (const [name] of text.matchAll(/\b(VAST|BLACKLIST|UPSTREAM|STATE|DOCKER)_[A-Z_]*[A-Z]\b/g)) {
        if (path === "provisioner/vast/pacing.ts" || /^UPSTREAM_SCHEMA$/.test(name)) continue;
        expect([path, name, known.has(name)]).toEqual([path, name, true]);
      }
    }
  });

  test("does not let the two programs import from each other", async () => {
    for (const { path, text } of await sources()) {
      const other = path.startsWith("provisioner/") ? "reloader/" : "provisioner/";
      if (path.startsWith("common/"))
        expect([path, /from "\.\.\/(provisioner|reloader)\//.test(text)]).toEqual([path, false]);
      else expect([path, new RegExp(`from "[./]*/${other}`).test(text)]).toEqual([path, false]);
    }
  });

  test("has at most 300 lines in each file", async () => {
    for (const { path, text } of await sources()) {
      expect([path, text.split("\n").length <= 301]).toEqual([path, true]);
    }
  });
});
