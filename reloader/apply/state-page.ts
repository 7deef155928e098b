// Writes the body of the 503 answers to a separate file, so that a new message needs no reload. Touches that file.
import type { Disk } from "../../common/disk.ts";
import { diskProblem } from "../disk-problem.ts";
import type { StatePage } from "../inputs/upstream.ts";

// nginx' workers read it at each request as the image's own user (101 in the stock image), not as the reloader's user.
const READABLE = 0o644;

/** Writes the page. Answers null, or why it could not be written. */
export async function writeStatePage(path: string, page: StatePage, disk: Pick<Disk, "write">): Promise<string | null> {
  try {
    await disk.write(path, `${JSON.stringify(page)}\n`, READABLE);
    return null;
  } catch (error) {
    return diskProblem(path, error);
  }
}
