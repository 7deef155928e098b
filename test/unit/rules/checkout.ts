// The texts of the checkout as the rules read them. Reads the disk.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceFile } from "./import-rules.ts";

export const ROOT = join(import.meta.dirname, "..", "..", "..");

// Not part of the project: packages, what a build or a run writes, and Git's own files.
const SKIPPED = new Set(["node_modules", "dist", "run", "coverage", ".git"]);
// Recorded answers and the lock file are data.
const READ = /\.(ts|mjs|md|ya?ml|sh|conf)$|(^|\/)(Dockerfile|run|\.env\.example)$/;

/** Every source file, document, manifest and script, in the order of their paths. */
export function checkout(root = ROOT): SourceFile[] {
  const files: SourceFile[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(path);
      else if (entry.isFile() && READ.test(path)) files.push({ path, text: readFileSync(join(root, path), "utf8") });
    }
  };
  walk("");
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
