// The images of the manifests, built by a Docker engine: written to an archive for our own cluster, or given to the command that
// loads them into yours. `node --import tsx test/cluster/images.ts --archive <file> | --load <command>`. Touches the engine, the cache
// folder and temporary files.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../common/version.ts";
import { haveBaseImages, NGINX_IMAGE, NODE_IMAGE, REDIS_IMAGE } from "../containers/base-images.ts";
import { command } from "../containers/command.ts";
import { type Engine, openEngine } from "../containers/engine.ts";
import { ROOT } from "../sandbox/sandbox.ts";

const PROGRAMS = ["provisioner", "reloader", "emulator"];
/** As the manifests name them. */
const SHIPPED = PROGRAMS.map((program) => `registry.invalid/vast-pod/${program}:${VERSION}`);
/** As `own/containerd.ts` names it. */
const PAUSE = "registry.invalid/vast-pod/pause:1";

const [mode, target = "", cache = tmpdir()] = process.argv.slice(2);
if ((mode !== "--archive" && mode !== "--load") || target === "") {
  throw new Error("images.ts: use --archive <file> <cache folder>, or --load <command>");
}

const engine = await openEngine();
try {
  if (mode === "--archive") await loadCached(engine, join(cache, `base-images-${recipe()}.tar`));
  else await haveBaseImages(engine);
  await buildOurs(engine);
  const images = [NGINX_IMAGE, REDIS_IMAGE, ...SHIPPED];
  if (mode === "--archive") {
    await buildPause(engine, join(cache, "pause"));
    await engine.docker("save", "--output", target, ...images, PAUSE);
  } else {
    await command("sh", ["-c", `${target} "$@"`, "sh", ...images], { env: engine.env });
  }
} finally {
  await engine.close();
}

/** Changes with the file that says how they are made. */
function recipe(): string {
  const text = readFileSync(join(ROOT, "test/containers/base-images.ts"));
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Without a registry, making the base images takes minutes: they are kept. */
async function loadCached({ docker, ...rest }: Engine, archive: string): Promise<void> {
  if (existsSync(archive)) {
    await docker("load", "--input", archive);
    return;
  }
  await haveBaseImages({ docker, ...rest });
  await docker("save", "--output", `${archive}.part`, NGINX_IMAGE, REDIS_IMAGE, NODE_IMAGE);
  await rename(`${archive}.part`, archive);
}

async function buildOurs({ docker }: Engine): Promise<void> {
  for (const [i, program] of PROGRAMS.entries()) {
    await docker(
      ...["build", "--quiet", "--network", "host", "-f", `${ROOT}/deploy/Dockerfile`, "--target", program],
      ...["-t", SHIPPED[i] ?? "", ROOT],
    );
  }
}

async function buildPause({ docker }: Engine, program: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "vast-pod-pause-"));
  try {
    await cp(program, join(folder, "pause"));
    await writeFile(join(folder, "Dockerfile"), 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n');
    await docker("build", "--quiet", "-t", PAUSE, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
