// A temporary folder that is removed after the test, also when the test fails. Touches the system's temporary folder.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "vast-pod-unit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
