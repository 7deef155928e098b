// The body of the 503 answers, a file of its own: a new message changes it and reloads nothing. Touches that file.

import type { StatePage } from "../inputs/upstream.ts";
import { type Disk, diskProblem } from "./config-files.ts";

// nginx' workers read it at each request as the image's own user (101 in the stock image), not as ours.
const READABLE = 0o644;

/** Writes the page. Answers null, or why it could not be written. */
export async function writeStatePage(path: string, page: StatePage, disk: Disk): Promise<string | null> {
  try {
    await disk.write(path, `${JSON.stringify(page)}\n`, READABLE);
    return null;
  } catch (error) {
    return diskProblem(path, error);
  }
}
