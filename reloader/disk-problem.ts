// Describes why a file could not be written, with the remedy. Pure.
import { dirname } from "node:path";
import { codeOf } from "../common/errors.ts";

/** A sentence that names the file, the error's code and the remedy. */
export function diskProblem(path: string, error: unknown): string {
  const code = codeOf(error) ?? String(error);
  const mountFolder = `mount a volume on the folder ${dirname(path)}, not on the single file: a mounted file cannot be replaced`;
  const remedies: Readonly<Record<string, string>> = {
    EACCES: "let the reloader's user write in that folder",
    EPERM: "let the reloader's user write in that folder",
    EROFS: "mount a writable volume there",
    ENOENT: "mount a volume for that folder",
    ENOTDIR: "its folder is a file: correct the path",
    ENOSPC: "free some space on that volume",
    EDQUOT: "free some space on that volume",
    EFBIG: "raise the limit of file sizes (ulimit -f)",
    EBUSY: mountFolder,
    EXDEV: mountFolder,
    EISDIR:
      "there is a folder at this path, which cannot be moved away: remove it, or mount a volume on the folder that contains it",
  };
  return `${path} cannot be written (${code}): ${remedies[code] ?? "check that volume"}`;
}
