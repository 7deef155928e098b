// Writes dist/: bundles that plain `node` runs with nothing else installed. A program is more than one bundle, because what is not
// loaded costs no memory and no start time: the program itself is a few lines that load one of its parts, `run` or all other commands.
// Within a part, what it loads with `import()` is in chunks beside it, as the Redis client. Parts share no chunks: a chunk for whatever
// `run` shares with one of ten commands would be some 40 files at each start, and each costs a millisecond.
// Files are replaced one by one and only if they changed, so that a program that starts during a build gets the old or the new bundle.
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
// By the names of their files in dist/. Each comes after the bundles that it loads.
const bundles = {
  "provisioner-page": "provisioner/page/page.ts",
  "provisioner-run": "provisioner/commands/start.ts",
  "provisioner-commands": "provisioner/commands/command-line.ts",
  provisioner: "provisioner/main.ts",
  "reloader-run": "reloader/commands/run.ts",
  "reloader-commands": "reloader/commands/command-line.ts",
  reloader: "reloader/main.ts",
  emulator: "test/emulator/main.ts",
};
const isProgram = (name) => !name.includes("-");
// Bundled CommonJS packages need `require` for Node's own modules.
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

/** The file in dist/ of each source that is a bundle, as soon as it is built. */
const built = new Map();
const otherBundles = {
  name: "other-bundles",
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
      const file = kind === "dynamic-import" ? built.get(join(resolveDir, path)) : undefined;
      return file === undefined ? undefined : { path: `./${file}`, external: true };
    });
  },
};

// What packages import for features that are not used here. A form of axios would load a table of 2,000 file types.
const unused = new Map([
  ["form-data", "export default null;"], // of axios, which has the same for browsers
  ["http2", "export default {};"], // of axios
  ["debug", "const none = () => () => undefined; module.exports = Object.assign(none, { default: none });"], // of the packages for proxies, redirects and Redis
  ["thread-stream", "module.exports = null;"], // of pino
  ["worker_threads", "module.exports = { isMainThread: true };"], // of pino
]);
/** The text of each file of a package, as soon as one bundle needs it. */
const shortened = new Map();
const shorten = async (path) =>
  (await transform(await readFile(path, "utf8"), { minifyIdentifiers: true, target: "node20" })).code;
const packages = {
  name: "packages",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ path, importer }) =>
      unused.has(path) && importer.includes("/node_modules/") ? { path, namespace: "unused" } : undefined,
    );
    onLoad({ filter: /./, namespace: "unused" }, ({ path }) => ({ contents: unused.get(path) }));
    // Short names only in packages: a stack trace goes on naming the functions of this project.
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path }) => {
      if (!shortened.has(path)) shortened.set(path, shorten(path));
      return { contents: await shortened.get(path) };
    });
  },
};

const outputFiles = [];
for (const [name, source] of Object.entries(bundles)) {
  const entry = join(root, source);
  if (!existsSync(entry)) throw new Error(`${entry} is missing: cannot build dist/${name}.mjs`);
  const result = await build({
    absWorkingDir: root,
    entryPoints: { [name]: entry },
    outdir: dist,
    outExtension: { ".js": ".mjs" },
    // A new text gets a new name, except for the programs: files of two builds are never mixed.
    entryNames: isProgram(name) ? "[name]" : "[name]-[hash]",
    chunkNames: `${name}-[name]-[hash]`,
    plugins: [otherBundles, packages],
    write: false,
    metafile: true,
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
  outputFiles.push(...result.outputFiles);
  const [file] = Object.entries(result.metafile.outputs).find(([, { entryPoint }]) => entryPoint === source);
  built.set(entry, basename(file));
}
// What a program loads is written before the program.
outputFiles.sort((a, b) => Number(isProgram(basename(a.path))) - Number(isProgram(basename(b.path))));
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
