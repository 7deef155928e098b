// Writes dist/: one bundle per program, each run by plain `node` with nothing else installed. A program that runs from
// dist/ meanwhile, or starts, finds the old bundle or the new one: files are replaced one by one, and only when changed.
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const programs = {
  provisioner: join(root, "provisioner/main.ts"),
  reloader: join(root, "reloader/main.ts"),
  emulator: join(root, "test/emulator/main.ts"),
};
// A program that is bundled from CommonJS packages needs `require` for Node's own modules.
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

for (const [name, entry] of Object.entries(programs)) {
  if (!existsSync(entry)) throw new Error(`${entry} is missing: cannot build dist/${name}.mjs`);
}
const { outputFiles } = await build({
  entryPoints: programs,
  outdir: dist,
  outExtension: { ".js": ".mjs" },
  write: false,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  banner: { js: banner },
  loader: { ".mustache": "text" },
  legalComments: "none",
  logLevel: "warning",
});
await mkdir(dist, { recursive: true });
for (const { path, contents } of outputFiles) {
  if (existsSync(path) && (await readFile(path)).equals(contents)) continue;
  const temporary = join(dist, `.${basename(path)}.${process.pid}.tmp`);
  try {
    await writeFile(temporary, contents);
    await chmod(temporary, 0o755);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
const written = new Set(outputFiles.map(({ path }) => basename(path)));
for (const name of await readdir(dist)) {
  if (!written.has(name) && !name.startsWith(".")) await rm(join(dist, name), { recursive: true });
}
