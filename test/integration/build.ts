// Builds the bundles once before the integration tests, which run what users run.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export default function build(): void {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  execFileSync(process.execPath, ["deploy/build.mjs"], { cwd: root, stdio: "inherit" });
}
