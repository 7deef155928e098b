import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSmallFile, readSmallFileSync, unusableReason } from "../../../common/small-file.ts";
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

  test("of /proc, which tells no size, is read whole", async () => {
    const path = "/proc/self/limits";
    const text = readFileSync(path, "utf8");
    expect(text.length).toBeGreaterThan(1024); // more than the first read asks for
    expect((await readSmallFile(path)).text).toBe(text);
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
    await expect(readSmallFile(path)).rejects.toMatchObject({
      code: expect.stringContaining("3000000000 bytes or more"),
    });
  });
});

const LIMIT = 1024 * 1024;
/** What can lie at a path, and whether it is a small file. Links may point to any of the others. */
const things = fc.letrec<{ thing: Thing }>((tie) => ({
  thing: fc.oneof(
    { depthSize: "small" },
    fc.nat(5_000).map((length): Thing => ({ kind: "text", length })),
    fc.constantFrom(LIMIT - 1, LIMIT, LIMIT + 1, 3e9).map((size): Thing => ({ kind: "sparse", size })),
    fc.constantFrom<Thing>(
      { kind: "pipe" },
      { kind: "folder" },
      { kind: "socket" },
      { kind: "nothing" },
      { kind: "loop" },
      { kind: "file", path: "/dev/zero" },
      { kind: "file", path: "/dev/full" },
      // Files without a size. The second one never ends within the limit.
      { kind: "file", path: "/proc/self/status" },
      { kind: "file", path: "/proc/self/pagemap" },
    ),
    tie("thing").map((to): Thing => ({ kind: "link", to })),
  ),
})).thing;
type Thing =
  | { kind: "text"; length: number }
  | { kind: "sparse"; size: number }
  | { kind: "pipe" | "folder" | "socket" | "nothing" | "loop" }
  | { kind: "file"; path: string }
  | { kind: "link"; to: Thing };

/** Puts it there, and answers its text if it is a small file; null: it is refused. Undefined: either, but with bounds. */
async function put(path: string, thing: Thing, closers: (() => void)[]): Promise<string | null | undefined> {
  switch (thing.kind) {
    case "text":
      await writeFile(path, "x".repeat(thing.length));
      return "x".repeat(thing.length);
    case "sparse":
      await writeFile(path, "");
      await truncate(path, thing.size);
      return thing.size > LIMIT ? null : "\0".repeat(thing.size);
    case "pipe":
      execFileSync("mkfifo", [path]);
      return null;
    case "folder":
      await mkdir(path);
      return null;
    case "socket": {
      const server = createServer();
      closers.push(() => server.close());
      server.listen(path);
      await once(server, "listening");
      return null;
    }
    case "nothing":
      return null;
    case "loop":
      await symlink(path, path);
      return null;
    case "file":
      await symlink(thing.path, path);
      return thing.path === "/proc/self/status" ? undefined : null;
    case "link":
      await symlink(`${path}l`, path);
      return put(`${path}l`, thing.to, closers);
  }
}

test("whatever lies at the path, a read is bounded in time and size, and says what is wrong", async () => {
  await fc.assert(
    fc.asyncProperty(things, async (thing) => {
      const path = join(await temporaryFolder(), "f");
      const closers: (() => void)[] = [];
      const text = await put(path, thing, closers);
      const results = await Promise.allSettled([readSmallFile(path), (async () => readSmallFileSync(path))()]);
      for (const close of closers) close();
      for (const result of results) {
        if (text === undefined) continue;
        expect(result.status).toBe(text === null ? "rejected" : "fulfilled");
        if (result.status === "rejected") {
          const { code } = result.reason;
          expect(unusableReason(result.reason) ?? code).toMatch(
            /^(it is not a regular file|it has \d+ bytes|E[A-Z]+$)/,
          );
        } else expect(typeof result.value === "string" ? result.value : result.value.text).toBe(text);
      }
    }),
    { numRuns: 150 },
  );
});
