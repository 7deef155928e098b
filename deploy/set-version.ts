// `npm version <version>` runs this after it has set the version in package.json: writes it to every other place that names it, and
// begins the section of CHANGELOG.md. Touches these files only.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the version stands besides package.json and its lock file: every match of the pattern's second group. */
export const VERSION_PLACES = [
  { file: "common/version.ts", pattern: /(VERSION = ")([^"]+)/g },
  { file: "deploy/Dockerfile", pattern: /(ARG VERSION=)(\S+)/g },
  ...["base", "components/reaper", "overlays/demo", "overlays/example"].map((folder) => ({
    file: `deploy/kubernetes/${folder}/kustomization.yaml`,
    pattern: /(vast-pod\/\w+\n(?: +newName: .*\n)? +newTag: )(\S+)/g,
  })),
  { file: "deploy/kubernetes/README.md", pattern: /(vast-pod\/[\w$]+:)(\d[\w.-]*)/g },
];

/** The text with the version in its places. */
export function withVersion(text: string, pattern: RegExp, version: string): string {
  return text.replaceAll(pattern, (_, before: string) => `${before}${version}`);
}

/** What CHANGELOG.md gathered as unreleased becomes the version's section. `day`: YYYY-MM-DD. */
export function withRelease(changelog: string, version: string, day: string): string {
  return changelog.replace(/^## Unreleased$/m, `## Unreleased\n\n## ${version} (${day})`);
}

function main(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const change = (file: string, edit: (text: string) => string) =>
    writeFileSync(join(root, file), edit(readFileSync(join(root, file), "utf8")));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  for (const { file, pattern } of VERSION_PLACES) change(file, (text) => withVersion(text, pattern, version));
  change("CHANGELOG.md", (text) => withRelease(text, version, new Date().toISOString().slice(0, 10)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
