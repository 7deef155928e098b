// Reads what running programs have written into a folder.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../common/errors.ts";

/**
 * The text of all files below a folder, by path. Programs write a file under a temporary name and rename it then: where a file has gone
 * since the folder was listed, the folder is listed anew, so that the file is read under its final name.
 */
export async function readFolder(folder: string): Promise<Map<string, string>> {
  for (;;) {
    try {
      return await readOnce(folder);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}

async function readOnce(folder: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) texts.set(path, await readFile(path, "utf8"));
  }
  return texts;
}
