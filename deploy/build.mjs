// Writes dist/: one bundle per program, each run by plain `node` with nothing else installed.
import { existsSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const programs = {
  provisioner: "provisioner/main.ts",
  reloader: "reloader/main.ts",
  emulator: "test/emulator/main.ts",
};
// A program that is bundled from CommonJS packages needs `require` for Node's own modules.
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

await rm(`${root}dist`, { recursive: true, force: true });
for (const [name, entry] of Object.entries(programs)) {
  if (!existsSync(`${root}${entry}`)) throw new Error(`${entry} is missing: cannot build dist/${name}.mjs`);
  const outfile = `${root}dist/${name}.mjs`;
  await build({
    entryPoints: [`${root}${entry}`],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: banner },
    loader: { ".mustache": "text" },
    legalComments: "none",
    logLevel: "warning",
  });
  await chmod(outfile, 0o755);
}
