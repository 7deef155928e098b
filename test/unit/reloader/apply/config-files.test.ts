import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readIfExists } from "../../../../common/atomic-file.ts";
import { type ConfigDisk, ConfigFiles, systemConfigDisk } from "../../../../reloader/apply/config-files.ts";
import { diskProblem } from "../../../../reloader/disk-problem.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";
import { configFor, server } from "../samples.ts";

async function setUp() {
  const folder = await temporaryFolder();
  const paths = { configPath: join(folder, "default.conf"), goodPath: join(folder, "default.conf.good") };
  const disk = systemConfigDisk;
  return { folder, ...paths, disk, files: (on: ConfigDisk = disk) => new ConfigFiles(paths, on) };
}
const A = configFor(server(1));
const NONE = configFor(null);

describe("the config on the disk", () => {
  test("can be read by any user that nginx runs as", async () => {
    const { configPath, files } = await setUp();
    const before = process.umask(0o077);
    try {
      expect(await files().write(A)).toEqual({ ok: true, changed: true });
    } finally {
      process.umask(before);
    }
    expect((await stat(configPath)).mode & 0o777).toBe(0o644);
  });

  test("is replaced at the start by the good one when it is another", async () => {
    const { configPath, files } = await setUp();
    await files().keepAsGood(A);
    await writeFile(configPath, "half of a conf");
    const later = files();
    expect(await later.recover()).toEqual({ ok: true, changed: true });
    expect(later.good).toEqual(A);
    expect(await readFile(configPath, "utf8")).toBe(A.text);
  });

  test.each([
    ["none", null],
    ["another one", server(2)],
  ])("is not replaced at the start by the good one when %s is desired by now", async (_, desired) => {
    const { configPath, files } = await setUp();
    await files().keepAsGood(A);
    await writeFile(configPath, NONE.text);
    await files().recover({ server: desired });
    expect(await readFile(configPath, "utf8")).toBe(NONE.text);
  });

  test("has no good copy after a start at which no server is desired", async () => {
    const { goodPath, files } = await setUp();
    const first = files();
    await first.keepAsGood(A);
    await first.write(A);
    const later = files();
    await later.recover({ server: null });
    expect([later.good, later.found]).toEqual([null, null]);
    expect(await readIfExists(goodPath)).toBeNull();
  });

  test("is never restored to a server that was withdrawn, also after a restart", async () => {
    const { configPath, goodPath, files } = await setUp();
    const first = files();
    await first.keepAsGood(A);
    await first.write(NONE);
    expect(await first.withdraw()).toBeNull();
    expect(first.good).toBeNull();
    expect(await readIfExists(goodPath)).toBeNull();
    const later = files();
    await later.recover();
    expect(later.good).toBeNull();
    expect(await readFile(configPath, "utf8")).toBe(NONE.text);
  });

  test("is not changed at the start when there is no good one", async () => {
    const { configPath, files } = await setUp();
    await writeFile(configPath, "somebody's own");
    const later = files();
    expect(await later.recover()).toEqual({ ok: true, changed: false });
    expect(later.good).toBeNull();
    expect(await readFile(configPath, "utf8")).toBe("somebody's own");
  });

  test("is cleaned of the temporary files of a killed writer", async () => {
    const { folder, files } = await setUp();
    const stale = join(folder, ".default.conf.0123456789ab.tmp");
    await writeFile(stale, "half");
    await files().recover();
    expect(await readIfExists(stale)).toBeNull();
  });

  describe("on a full volume", () => {
    const noRoom = async () => {
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    test.each([
      ["without a server", NONE],
      ["with another server", configFor(server(2))],
    ])("one %s is written over the file that is there, and over its good copy", async (_, wanted) => {
      const { configPath, goodPath, disk, files } = await setUp();
      await files().write(A);
      await files().keepAsGood(A);
      const cramped = files({ ...disk, write: noRoom });
      expect(await cramped.write(wanted)).toEqual({ ok: true, changed: true });
      expect(await cramped.keepAsGood(wanted)).toEqual({ ok: true, changed: true });
      expect([await readFile(configPath, "utf8"), await readIfExists(goodPath)]).toEqual([wanted.text, wanted.text]);
    });

    test("one without a server that is too long for the file takes the room of the good copy", async () => {
      const { folder, configPath, goodPath, disk, files } = await setUp();
      // There is room for two files.
      const full: ConfigDisk = {
        ...disk,
        overwrite: noRoom,
        write: async (path, text, mode) =>
          (await readdir(folder)).length < 2 ? disk.write(path, text, mode) : noRoom(),
      };
      const roomy = files();
      await roomy.write(A);
      await roomy.keepAsGood(A);
      const cramped = files(full);
      await cramped.keepAsGood(A); // known as good, though the copy need not be written again
      expect(await cramped.write(configFor(server(2)))).toMatchObject({ ok: false });
      expect(await readIfExists(goodPath)).toBe(A.text);
      expect(await cramped.write(NONE)).toEqual({ ok: true, changed: true });
      expect(await readFile(configPath, "utf8")).toBe(NONE.text);
    });

    test("nothing is written over a file that is no config of ours", async () => {
      const { configPath, disk, files } = await setUp();
      await writeFile(configPath, "somebody's own");
      expect(await files({ ...disk, write: noRoom }).write(A)).toMatchObject({ ok: false });
      expect(await readFile(configPath, "utf8")).toBe("somebody's own");
    });
  });

  test("that cannot be written names the file and the remedy", async () => {
    const { configPath, files } = await setUp();
    const write = () => Promise.reject(Object.assign(new Error("EISDIR"), { code: "EISDIR" }));
    const written = await files({ ...systemConfigDisk, write }).write(A);
    expect(written).toEqual({
      ok: false,
      why: `${configPath} cannot be written (EISDIR): there is a folder at this path, which cannot be moved away: remove it, or mount a volume on the folder that contains it`,
    });
  });

  test.each(["EACCES", "EROFS", "ENOENT", "ENOSPC", "EFBIG", "EBUSY"])("has its own remedy for %s", (code) => {
    const message = diskProblem("/conf/default.conf", Object.assign(new Error("x"), { code }));
    expect(message).toMatch(new RegExp(`^/conf/default\\.conf cannot be written \\(${code}\\): `));
    expect(message).not.toContain("check that volume");
  });

  test("that is mounted as a single file loses its server in its place; else the problem names the folder to mount instead", async () => {
    const { configPath, folder, files, disk } = await setUp();
    await files().write(A);
    // What rename() answers for a mounted file; only root may mount one.
    const mounted = Object.assign(new Error("EBUSY: resource busy or locked"), { code: "EBUSY" });
    const on = files({ ...disk, write: () => Promise.reject(mounted) });
    expect(await on.write(NONE)).toEqual({ ok: true, changed: true });
    expect(await readFile(configPath, "utf8")).toBe(NONE.text);
    expect(await on.write(A)).toEqual({
      ok: false,
      why:
        `${configPath} cannot be written (EBUSY): mount a volume on the folder ${folder}, not on the single file: ` +
        "a mounted file cannot be replaced",
    });
    expect(await readFile(configPath, "utf8")).toBe(NONE.text);
  });

  test("is written without a change to its folder and the other files there", async () => {
    const { folder, configPath, files } = await setUp();
    await chmod(folder, 0o751);
    await writeFile(join(folder, "other.conf"), "", { mode: 0o640 });
    await files().write(A);
    expect((await stat(folder)).mode & 0o7777).toBe(0o751);
    expect((await stat(join(folder, "other.conf"))).mode & 0o777).toBe(0o640);
    expect((await readdir(folder)).sort()).toEqual([basename(configPath), "other.conf"]);
  });
});
