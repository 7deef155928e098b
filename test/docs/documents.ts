// The project's documents: which there are, and the parts of them that are generated. Touches the *.md files.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const SKIPPED = new Set(["node_modules", "dist", ".git", "run", "coverage"]);

/** A document: its path from the project's root, and its text. */
export interface Document {
  path: string;
  text: string;
}

/** Every *.md file of the project, README.md first. */
export async function readDocuments(folder = ""): Promise<Document[]> {
  const found: Document[] = [];
  for (const entry of await readdir(`${ROOT}${folder}`, { withFileTypes: true })) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) found.push(...(await readDocuments(`${path}/`)));
    if (entry.isFile() && path.endsWith(".md")) found.push({ path, text: await readFile(`${ROOT}${path}`, "utf8") });
  }
  return found.sort((a, b) => Number(b.path === "README.md") - Number(a.path === "README.md"));
}

const GENERATED = /^<!-- generated: ([a-z-]+) -->\n[\s\S]*?^<!-- end -->$/gm;

/** The names of the generated parts of a document. */
export function generatedParts(text: string): string[] {
  return [...text.matchAll(GENERATED)].map(([, name]) => `${name}`);
}

/** The text with every generated part written again. `partOf` returns null for a part that has to stay as it is. */
export async function regenerate(text: string, partOf: (name: string) => Promise<string | null>): Promise<string> {
  const parts = new Map<string, string | null>();
  for (const name of generatedParts(text)) parts.set(name, await partOf(name));
  return text.replaceAll(GENERATED, (whole, name: string) => {
    const part = parts.get(name) ?? null;
    return part === null ? whole : `<!-- generated: ${name} -->\n\n${part}\n\n<!-- end -->`;
  });
}
