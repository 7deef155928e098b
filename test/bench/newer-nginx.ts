// A newer nginx than Debian stable has: the one of Debian unstable with its libraries, unpacked into ~/.cache/vast-pod and not
// installed. Touches that folder, the network and a sandbox.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachedPrograms } from "../sandbox/programs.ts";
import { openSandbox } from "../sandbox/sandbox.ts";
import { nginxVersion } from "./machine.ts";

export interface NewerNginx {
  version: string;
  /** Absolute path. */
  program: string;
  close(): Promise<void>;
}

const run = promisify(execFile);
const MIRROR = "http://deb.debian.org/debian";
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";
// The libraries that nginx is linked with; its other dependencies are not needed to run it.
const PACKAGES = ["nginx", "libc6", "libcrypt1", "libgcc-s1", "libpcre2-8-0", "libssl3t64", "libzstd1", "zlib1g"];

/** Downloads it unless an earlier run did (some 20 MB, 5 s). Throws apt-get's message on failure. */
export async function openNewerNginx(): Promise<NewerNginx> {
  const root = join(cachedPrograms(process.env), "..", "nginx-sid");
  if (!(await isFolder(root))) await fetchNginx(root);
  const libraries = (await find(root, /\.so\.\d/)).map((path) => join(path, ".."));
  const [program] = await find(root, /^nginx$/, "sbin");
  const [loader] = await find(root, /^ld-linux[\w-]*\.so\.\d$/);
  if (program === undefined || loader === undefined)
    throw new Error(`${root} has no nginx: remove the folder and try again`);
  const { folder, close } = await openSandbox("vp-");
  try {
    const [start, nginx, ld] = [join(folder, "start"), join(folder, "nginx"), join(folder, "ld")];
    await symlink(loader, ld);
    await writeFile(nginx, withLoader(await readFile(program), ld), { mode: 0o755 });
    const path = [...new Set(libraries)].join(":");
    await writeFile(start, `#!/bin/sh\nLD_LIBRARY_PATH="${path}" exec "${nginx}" "$@"\n`, { mode: 0o755 });
    return { version: nginxVersion(start), program: start, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Patches the program to use another dynamic loader, because the system's C library is too old for it. Starting that loader
 * with the program as an argument would also work, but then the master's command line would not be recognised as nginx.
 */
function withLoader(program: Buffer, loader: string): Buffer {
  const text = program.toString("latin1");
  const own = /\/lib(64)?\/ld-linux[\w-]*\.so\.\d\0/.exec(text);
  if (own === null) throw new Error("nginx of Debian's unstable release names no dynamic loader");
  const [{ length }] = own;
  if (loader.length >= length)
    throw new Error(`${loader} is longer than ${length - 1} letters: set TMPDIR to a shorter path`);
  const copy = Buffer.from(program);
  copy.write(loader.padEnd(length, "\0"), own.index, "latin1");
  return copy;
}

async function fetchNginx(root: string): Promise<void> {
  await mkdir(join(root, ".."), { recursive: true });
  const work = await mkdtemp(`${root}.`);
  try {
    const at = (path: string) => join(work, path);
    for (const path of ["state/lists/partial", "cache/archives/partial", "packages", "root"]) {
      await mkdir(at(path), { recursive: true });
    }
    await writeFile(at("status"), "");
    await writeFile(at("sources.list"), `deb [signed-by=${KEYS}] ${MIRROR} sid main\n`);
    const options = Object.entries({
      "Dir::State": at("state"),
      "Dir::State::status": at("status"),
      "Dir::Cache": at("cache"),
      "Dir::Etc::SourceList": at("sources.list"),
      "Dir::Etc::SourceParts": "/dev/null",
      "Dir::Etc::PreferencesParts": "/dev/null",
      "Debug::NoLocking": "1",
      "Acquire::Languages": "none",
      // A mirror can be some days behind. Its files are signed all the same.
      "Acquire::Check-Valid-Until": "false",
    }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const cwd = at("packages");
    await run("apt-get", [...options, "-q", "update"], { cwd });
    await run("apt-get", [...options, "-q", "download", ...PACKAGES], { cwd });
    for (const file of await readdir(cwd)) await run("dpkg-deb", ["-x", file, at("root")], { cwd });
    await rename(at("root"), root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Paths of the files below `root` whose name matches, limited to paths that contain `folder` if it is given. */
async function find(root: string, name: RegExp, folder?: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && name.test(entry.name))
    .filter((entry) => folder === undefined || entry.parentPath.split("/").includes(folder))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function isFolder(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}
