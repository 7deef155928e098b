import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findProgram } from "../../sandbox/programs.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vast-pod-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, mode = 0o755): string {
  const at = join(folder, path);
  mkdirSync(join(at, ".."), { recursive: true });
  writeFileSync(at, "#!/bin/sh\n");
  chmodSync(at, mode);
  return at;
}

test("the first executable file in PATH is used", () => {
  put("a/some-server", 0o644);
  mkdirSync(join(folder, "b", "some-server"), { recursive: true });
  const wanted = put("c/some-server");
  put("d/some-server");
  const PATH = ["a", "b", "c", "d"].map((name) => join(folder, name)).join(":");
  expect(findProgram("some-server", { PATH })).toBe(wanted);
});

test.each([
  ["XDG_CACHE_HOME", "vast-pod/bin/some-server"],
  ["HOME", ".cache/vast-pod/bin/some-server"],
])("a program that is not in PATH is found in %s", (variable, path) => {
  const wanted = put(path);
  expect(findProgram("some-server", { PATH: "/nowhere", [variable]: folder })).toBe(wanted);
});

test("a missing program is an error that names it and says how to install it", () => {
  expect(() => findProgram("some-server", { PATH: "/nowhere", HOME: folder })).toThrow(
    /some-server is not installed: run test\/setup.sh/,
  );
});
