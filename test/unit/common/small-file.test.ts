import { execFileSync } from "node:child_process";
import { truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSmallFile } from "../../../common/small-file.ts";
import { temporaryFolder } from "../../fakes/temporary-folder.ts";

describe("a file that another program writes", () => {
  test("is read with the time of its last write", async () => {
    const path = join(await temporaryFolder(), "file");
    await writeFile(path, "text");
    await utimes(path, 5, 7);
    expect(await readSmallFile(path)).toEqual({ text: "text", writtenAt: 7_000 });
  });

  test("loses its byte order mark, which Windows editors add and nginx refuses", async () => {
    const path = join(await temporaryFolder(), "file");
    await writeFile(path, "\uFEFFtext");
    expect((await readSmallFile(path)).text).toBe("text");
  });

  test("that is a named pipe is refused at once, although no program writes to it", async () => {
    const path = join(await temporaryFolder(), "pipe");
    execFileSync("mkfifo", [path]);
    await expect(readSmallFile(path)).rejects.toMatchObject({ code: "it is not a regular file" });
  });

  test("that is missing, a folder or a device is refused", async () => {
    const folder = await temporaryFolder();
    await expect(readSmallFile(folder)).rejects.toMatchObject({ code: "it is not a regular file" });
    await expect(readSmallFile("/dev/zero")).rejects.toMatchObject({ code: "it is not a regular file" });
    await expect(readSmallFile(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("that is too large is refused with its size", async () => {
    const path = join(await temporaryFolder(), "file");
    await writeFile(path, "");
    await truncate(path, 1024 * 1024);
    expect((await readSmallFile(path)).text).toHaveLength(1024 * 1024);
    await truncate(path, 3e9);
    await expect(readSmallFile(path)).rejects.toMatchObject({ code: expect.stringContaining("3000000000 bytes") });
  });
});
