// Writes dist/: one bundle per program, which plain `node` runs with nothing else installed. Code that is rarely needed (the command
// line parser, the Redis client) is in separate chunks beside it: a chunk that is not loaded costs no memory and no start time.
// Files are replaced one by one and only if they changed, so that a program that starts during a build gets the old or the new bundle.
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
const isProgram = (path) => basename(path, ".mjs") in programs;
// Bundled CommonJS packages need `require` for Node's own modules.
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

const outputFiles = [];
for (const [name, entry] of Object.entries(programs)) {
  if (!existsSync(entry)) throw new Error(`${entry} is missing: cannot build dist/${name}.mjs`);
  const built = await build({
    entryPoints: { [name]: entry },
    outdir: dist,
    outExtension: { ".js": ".mjs" },
    chunkNames: `${name}-[name]-[hash]`,
    write: false,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: banner },
    legalComments: "none",
    // Smaller, because a program's text stays in memory while it runs. Names are kept for stack traces. Lines stay short, because Node
    // prints the line that threw.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    logLevel: "warning",
  });
  // Chunks are written before the program that loads them.
  outputFiles.push(...built.outputFiles.sort((a, b) => Number(isProgram(a.path)) - Number(isProgram(b.path))));
}
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
