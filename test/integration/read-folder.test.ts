// What tests read of the files of running programs.
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readFolder } from "../sandbox/read-folder.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await openSandbox();
});
afterEach(() => sandbox.close());

test("a file that is replaced again and again is read each time, under its final name", async () => {
  const folder = await sandbox.subfolder("deep/er");
  const path = join(folder, "file.json");
  await writeFile(path, "text 0");
  let isOver = false;
  const write = async () => {
    for (let i = 1; !isOver; i++) {
      await writeFile(`${path}.tmp`, `text ${i}`);
      await turn();
      await rename(`${path}.tmp`, path);
      await turn();
    }
  };
  const writing = write();
  try {
    for (let i = 0; i < 300; i++) expect((await readFolder(sandbox.folder)).get(path)).toMatch(/^text \d+$/);
  } finally {
    isOver = true;
    await writing;
  }
});
