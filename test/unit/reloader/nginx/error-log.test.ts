import { appendFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { errorLog, type LogDisk, systemLogDisk } from "../../../../reloader/nginx/error-log.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";

const line = (message: string, pid = 7, level = "emerg") =>
  `2026/11/23 15:00:00 [${level}] ${pid}#${pid}: ${message}\n`;

async function setUp() {
  const path = join(await temporaryFolder(), "error.log");
  await writeFile(path, line("an old story"));
  const warnings: string[] = [];
  return { path, warnings, log: errorLog(path, systemLogDisk, (why) => warnings.push(why)) };
}

describe("nginx' error log", () => {
  test("has the refusal since the mark, and nothing from before it", async () => {
    const { path, log } = await setUp();
    const mark = await log.mark();
    expect(await log.refusalSince(mark, 7)).toBeNull();
    await appendFile(path, line("reconfiguring", 7, "notice") + line('unknown directive "x" in /conf/a.conf:1'));
    expect(await log.refusalSince(mark, 7)).toBe('unknown directive "x" in /conf/a.conf:1');
  });

  test("ignores messages of somebody else who tests a config on the same log", async () => {
    const { path, log } = await setUp();
    const mark = await log.mark();
    await appendFile(path, line("a typo of somebody else", 99));
    expect(await log.refusalSince(mark, 7)).toBeNull();
    expect(await log.refusalSince(mark, null)).toBe("a typo of somebody else");
  });

  test("does not count a port that is in use while nginx retries", async () => {
    const { path, log } = await setUp();
    const mark = await log.mark();
    await appendFile(path, line("bind() to 0.0.0.0:80 failed (98: Address already in use)"));
    expect(await log.refusalSince(mark, 7)).toBeNull();
    await appendFile(path, line("still could not bind()"));
    expect(await log.refusalSince(mark, 7)).toBe("bind() to 0.0.0.0:80 failed (98: Address already in use)");
  });

  test("counts a port that nginx is not allowed to use at once", async () => {
    const { path, log } = await setUp();
    const mark = await log.mark();
    await appendFile(path, line("bind() to 0.0.0.0:80 failed (13: Permission denied)"));
    expect(await log.refusalSince(mark, 7)).toContain("Permission denied");
  });

  test("is read from its beginning after it was rotated or emptied", async () => {
    const { path, log } = await setUp();
    const mark = await log.mark();
    await rename(path, `${path}.1`);
    await writeFile(path, `${line("a new message")}${"x".repeat(100)}\n`);
    expect(await log.refusalSince(mark, 7)).toBe("a new message");
    await writeFile(path, line("short"));
    expect(await log.refusalSince(await log.mark().then((m) => m && { ...m, size: 9999 }), 7)).toBe("short");
  });

  test("that does not exist yet has no refusal, and is read once it exists", async () => {
    const path = join(await temporaryFolder(), "error.log");
    const log = errorLog(path, systemLogDisk, () => undefined);
    const mark = await log.mark();
    expect(mark).toBeNull();
    await writeFile(path, line("no such file"));
    expect(await log.refusalSince(mark, 7)).toBe("no such file");
  });

  test("that cannot be read leads to one warning", async () => {
    const warnings: string[] = [];
    const broken: LogDisk = {
      stat: async () => {
        throw new Error("EACCES: permission denied");
      },
      read: async () => "",
    };
    const log = errorLog("/shared/error.log", broken, (why) => warnings.push(why));
    expect(await log.mark()).toBeNull();
    expect(await log.refusalSince(null, 7)).toBeNull();
    expect(warnings).toEqual(["/shared/error.log (NGINX_ERROR_LOG) cannot be read: EACCES: permission denied"]);
  });

  test("that is not in the settings is recommended in the hint", async () => {
    const log = errorLog(undefined, systemLogDisk, () => undefined);
    expect(await log.refusalSince(await log.mark(), 7)).toBeNull();
    expect(log.hint).toContain("NGINX_ERROR_LOG");
  });
});
