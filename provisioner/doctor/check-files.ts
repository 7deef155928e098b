// Whether a file's folder takes a new file, which is how the program writes: a file next to it, and a rename. Touches that folder.
import { randomBytes } from "node:crypto";
import { rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "../../common/errors.ts";
import { type Finding, fail, ok } from "./findings.ts";

// As much as a state file has, so that a full volume is noticed.
const BYTES = 16_384;

/** `check`: the file in one word. `variable`: the setting that names it. A folder that is missing is not made. */
export async function checkFolder(check: string, path: string, variable: string): Promise<Finding> {
  const folder = dirname(path);
  const existing = await nearestFolder(folder);
  const file = join(existing, `.doctor-${randomBytes(6).toString("hex")}`);
  try {
    await writeFile(file, "x".repeat(BYTES), { flag: "wx", mode: 0o600 });
    return ok(
      check,
      existing === folder ? `${folder} is writable` : `${folder} will be made in ${existing}, which is writable`,
    );
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    const user = process.geteuid?.() ?? "?";
    return fail(check, `${existing} is not writable for UID ${user} (${code})`, remedyFor(code, variable));
  } finally {
    await rm(file, { force: true }).catch(() => undefined); // a folder that takes no file has none to remove
  }
}

/** The folder itself, or the nearest one above it that exists. */
async function nearestFolder(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const above = dirname(folder);
  return isThere || above === folder ? folder : nearestFolder(above);
}

function remedyFor(code: string, variable: string): string {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return `give the folder to this user (chown, or fsGroup in Kubernetes), or set ${variable} to another path`;
    case "EROFS":
      return `mount a writable volume there, or set ${variable} to a path on one`;
    case "ENOSPC":
    case "EDQUOT":
      return "the volume is full: make it larger, or remove what does not belong there";
    default:
      return `set ${variable} to a path in a folder that can be written`;
  }
}
