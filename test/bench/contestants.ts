// One nginx that proxies the same instance twice: on one port with our config, on another with a plain `proxy_pass`.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Server } from "../../common/upstream-file.ts";
import { nginxPaths, startNginx } from "../sandbox/nginx.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { ourProxy, plainProxy } from "./plain-proxy.ts";

export interface Contestants {
  ourPort: number;
  plainPort: number;
}

export async function startContestants(sandbox: Sandbox, server: Server): Promise<Contestants> {
  const { confFolder } = nginxPaths(sandbox.folder);
  await mkdir(confFolder, { recursive: true });
  const [ourPort, status, plainPort] = [await sandbox.port(), await sandbox.port(), await sandbox.port()];
  await writeFile(join(confFolder, "default.conf"), ourProxy({ listen: ourPort, status }, server).text);
  await writeFile(join(confFolder, "plain.conf"), plainProxy(plainPort, server, "/dev/null"));
  await startNginx(sandbox);
  return { ourPort, plainPort };
}
