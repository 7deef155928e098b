import { execFileSync } from "node:child_process";
import { lstat, mkdir, open, readdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { overwriteInPlace, readIfExists, removeStaleTemporaries, writeAtomic } from "../../../common/atomic-file.ts";
import { readSmallFileSync } from "../../../common/small-file.ts";
import { temporaryFolder } from "../../fakes/temporary-folder.ts";

async function place() {
  const folder = await temporaryFolder();
  return { folder, path: join(folder, "file.json") };
}

describe("reading", () => {
  test("returns null when the file or its folder does not exist", async () => {
    const { folder, path } = await place();
    expect(await readIfExists(path)).toBeNull();
    await writeFile(path, "x");
    expect(await readIfExists(path)).toBe("x");
    expect(await readIfExists(join(path, "below-a-file"))).toBeNull();
    expect(await readIfExists(join(folder, "no", "such"))).toBeNull();
  });

  test("throws every other error", async () => {
    const { folder } = await place();
    await expect(readIfExists(folder)).rejects.toThrow(/EISDIR/);
  });
});

describe("whatever lies in the file's place", () => {
  const things: [string, (path: string) => Promise<unknown>][] = [
    ["a named pipe", async (path) => execFileSync("mkfifo", [path])],
    [
      "a sparse file of 3 GB",
      async (path) => {
        await writeFile(path, "");
        await truncate(path, 3e9);
      },
    ],
    [
      "a link to a file with the same text",
      async (path) => {
        await writeFile(`${path}.other`, "x");
        await symlink(`${path}.other`, path);
      },
    ],
    ["a link to a device", (path) => symlink("/dev/zero", path)],
    ["a folder with files", (path) => mkdir(join(path, "inside"), { recursive: true })],
  ];
  test.each(things)("is replaced by a write: %s", async (_, put) => {
    const { path } = await place();
    await put(path);
    expect(await writeAtomic(path, "x", 0o644)).toEqual({ changed: true });
    expect((await lstat(path)).isFile()).toBe(true);
    expect(await readFile(path, "utf8")).toBe("x");
  });

  test("is moved aside with all that is in it when it is a folder", async () => {
    const { folder, path } = await place();
    await mkdir(join(path, "inside"), { recursive: true });
    await writeAtomic(path, "x", 0o644);
    const [aside = "", ...others] = (await readdir(folder)).filter((name) => name !== "file.json");
    expect(others).toEqual([]);
    expect(aside).toMatch(/^file\.json\.unusable-[0-9a-f]{12}$/);
    expect(await readdir(join(folder, aside))).toEqual(["inside"]);
  });

  test("lets go of a reader that waits in the open of a named pipe", async () => {
    const { path } = await place();
    execFileSync("mkfifo", [path]);
    const waiting = open(path, "r");
    await writeAtomic(path, "x", 0o644);
    const file = await waiting;
    expect(await file.readFile("utf8")).toBe("");
    await file.close();
  });

  test("makes a read fail at once", async () => {
    const { path } = await place();
    execFileSync("mkfifo", [path]);
    await expect(readIfExists(path)).rejects.toThrow("it is not a regular file");
    expect(() => readSmallFileSync(path)).toThrow("it is not a regular file");
  });
});

describe("writing", () => {
  test("writes content and mode, whatever the umask, and leaves no other file", async () => {
    const before = process.umask(0o077);
    try {
      const { folder, path } = await place();
      expect(await writeAtomic(path, "text\n", 0o644)).toEqual({ changed: true });
      expect(await readFile(path, "utf8")).toBe("text\n");
      expect((await stat(path)).mode & 0o777).toBe(0o644);
      expect(await readdir(folder)).toEqual(["file.json"]);
    } finally {
      process.umask(before);
    }
  });

  test("does not touch a file that has the same content", async () => {
    const { path } = await place();
    await writeAtomic(path, "a", 0o600);
    const { ino, mtimeMs } = await stat(path);
    expect(await writeAtomic(path, "a", 0o600)).toEqual({ changed: false });
    expect(await stat(path)).toMatchObject({ ino, mtimeMs });
  });

  test("replaces the file by a new one, so that an open reader still reads the whole old one", async () => {
    const { path } = await place();
    await writeAtomic(path, "old", 0o600);
    const { ino } = await stat(path);
    await writeAtomic(path, "new", 0o600);
    expect((await stat(path)).ino).not.toBe(ino);
  });

  test("that fails leaves the old file and no temporary file", async () => {
    const { folder } = await place();
    const name = "x".repeat(250); // with its ending, the name of the temporary file is too long
    const path = join(folder, name);
    await writeFile(path, "old");
    await expect(writeAtomic(path, "new", 0o600)).rejects.toThrow(/ENAMETOOLONG/);
    expect(await readdir(folder)).toEqual([name]);
    expect(await readFile(path, "utf8")).toBe("old");
    await expect(writeAtomic(join(folder, "missing", "file"), "x", 0o600)).rejects.toThrow(/ENOENT/);
  });

  test("by many writers at the same time leaves one complete text", async () => {
    const { folder, path } = await place();
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
    await Promise.all(texts.map((text) => writeAtomic(path, text, 0o600)));
    expect(texts).toContain(await readFile(path, "utf8"));
    expect(await readdir(folder)).toEqual(["file.json"]);
  });
});

test("only the temporary files of a killed writer are removed", async () => {
  const { folder, path } = await place();
  for (const name of [".file.json.a1.tmp", ".file.json.b2.tmp", ".other.json.a1.tmp", "file.json.tmp", "file.json"])
    await writeFile(join(folder, name), "");
  await removeStaleTemporaries(path);
  expect((await readdir(folder)).sort()).toEqual([".other.json.a1.tmp", "file.json", "file.json.tmp"]);
});

test.each([
  ["a shorter text", '{"a":1}\n'],
  ["a longer text", `{"a":"${"x".repeat(100)}"}\n`],
])("a file is overwritten in place with %s", async (_, text) => {
  const path = join(await temporaryFolder(), "file.json");
  await writeFile(path, '{"before":"something of some length"}\n', { mode: 0o640 });
  const { ino } = await stat(path);
  await overwriteInPlace(path, text);
  expect(await readIfExists(path)).toBe(text);
  expect(await stat(path)).toMatchObject({ ino });
});

test("only a file that exists is overwritten in place, and no link is followed", async () => {
  const folder = await temporaryFolder();
  await expect(overwriteInPlace(join(folder, "none"), "x")).rejects.toThrow("ENOENT");
  await writeFile(join(folder, "target"), "kept");
  await symlink(join(folder, "target"), join(folder, "link"));
  await expect(overwriteInPlace(join(folder, "link"), "x")).rejects.toThrow("ELOOP");
  expect(await readIfExists(join(folder, "target"))).toBe("kept");
});
