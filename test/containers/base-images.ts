// The public images that ours and the stack are based on: present in the engine, or pulled, or substitutes built from Debian
// packages and tagged with the public names. Touches the engine and a temporary folder.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "./command.ts";
import type { Engine } from "./engine.ts";

export const NGINX_IMAGE = "nginx:1.30";
export const NODE_IMAGE = "node:24-slim";
export const REDIS_IMAGE = "redis:8";

interface StandIn {
  packages: readonly string[];
  /** Lines of a Dockerfile after FROM. */
  steps: readonly string[];
  /** Writes files beside the Dockerfile. */
  prepare?(folder: string): Promise<void>;
}

const STAND_INS: Readonly<Record<string, StandIn>> = {
  // User, folders, links and signal as in the stock image.
  [NGINX_IMAGE]: {
    packages: ["nginx-light", "ca-certificates", "curl"],
    steps: [
      `RUN sed -i '/^[^:]*:[^:]*:101:/d' /etc/passwd /etc/group \
       && echo 'nginx:x:101:101:nginx:/nonexistent:/bin/false' >>/etc/passwd && echo 'nginx:x:101:' >>/etc/group \
       && rm -rf /etc/nginx/sites-enabled /etc/nginx/sites-available /etc/nginx/modules-enabled \
       && mkdir -p /etc/nginx/conf.d /var/cache/nginx \
       && printf 'server { listen 80; root /var/www/html; }\\n' >/etc/nginx/conf.d/default.conf \
       && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log`,
      "STOPSIGNAL SIGQUIT",
      'CMD ["nginx", "-g", "daemon off;"]',
    ],
  },
  [REDIS_IMAGE]: {
    packages: ["redis-server"],
    steps: ["RUN mkdir -p /data && chown 999:999 /data", "VOLUME /data", "WORKDIR /data"],
  },
  // Debian's npm consists of hundreds of packages; this machine's npm is copied instead.
  [NODE_IMAGE]: {
    packages: ["nodejs", "ca-certificates"],
    steps: [
      "COPY npm /usr/lib/node_modules/npm",
      "COPY npmrc /usr/etc/npmrc",
      "COPY authorities.crt /etc/ssl/certs/npm-authorities.crt",
      "RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/bin/npm",
    ],
    prepare: async (folder) => {
      const modules = (await command("npm", ["root", "--global"])).trim();
      await cp(join(modules, "npm"), join(folder, "npm"), { recursive: true });
      const registry = (await command("npm", ["config", "get", "registry"])).trim();
      await writeFile(join(folder, "npmrc"), `registry=${registry}\ncafile=/etc/ssl/certs/npm-authorities.crt\n`);
      const authorities = process.env.NODE_EXTRA_CA_CERTS ?? "/etc/ssl/certs/ca-certificates.crt";
      await writeFile(join(folder, "authorities.crt"), await readFile(authorities));
    },
  },
};

// trixie has nginx 1.26 and Node 20.19.
const SUITE = "trixie";
const PATHS = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// Without a registry the answer comes at once; a slow registry is not waited for.
const PULL_MS = 120_000;

/** Makes sure that the engine has all three images. Returns the names of the substitutes. */
export async function haveBaseImages(engine: Engine): Promise<string[]> {
  const made: string[] = [];
  for (const [name, standIn] of Object.entries(STAND_INS)) {
    if (await has(engine, name)) continue;
    if (await pulled(engine, name)) continue;
    await make(engine, name, standIn);
    made.push(name);
  }
  return made;
}

async function has(engine: Engine, name: string): Promise<boolean> {
  return (await engine.docker("images", "--quiet", name)).trim() !== "";
}

async function pulled(engine: Engine, name: string): Promise<boolean> {
  try {
    await command("docker", ["pull", "--quiet", name], { env: engine.env, timeoutMs: PULL_MS });
    return true;
  } catch {
    return false; // no registry can be reached from here
  }
}

async function make(engine: Engine, name: string, { packages, steps, prepare }: StandIn): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "vast-pod-image-"));
  try {
    const archive = join(folder, "system.tar");
    await command("mmdebstrap", [
      ...["--quiet", "--variant=essential", `--include=${packages.join(",")}`, SUITE, archive],
    ]);
    const system = `vast-pod/stand-in:${name.replace(":", "-")}`;
    await engine.docker("import", "--change", `ENV ${PATHS}`, archive, system);
    const context = join(folder, "context");
    await mkdir(context);
    await prepare?.(context);
    await writeFile(join(context, "Dockerfile"), [`FROM ${system}`, ...steps, ""].join("\n"));
    await engine.docker("build", "--quiet", "--tag", name, context);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
