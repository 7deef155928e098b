// A real nginx in a sandbox, set up as the stock image is, but with every path inside the sandbox's folder.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfExists } from "../../common/atomic-file.ts";
import type { Child } from "./child.ts";
import type { Sandbox } from "./processes.ts";
import { until } from "./until.ts";

export interface Nginx {
  readonly folder: string;
  /** Files named `*.conf` here belong to the configuration, as in the stock image. */
  readonly confFolder: string;
  readonly pidFile: string;
  readonly errorLog: string;
  /** The file that is nginx' stdout and stderr. */
  readonly stdout: string;
  /** The master process. */
  readonly master: Child;
}

/** `workers` is nginx' `worker_processes`. */
export interface NginxOptions {
  workers?: number;
}

/**
 * Starts nginx on `<sandbox>/<name>/conf.d` and resolves when its pid file is there. The same name again starts it anew
 * on the same files. Throws with its error log when it refuses its configuration.
 */
export async function startNginx(sandbox: Sandbox, name = "nginx", options: NginxOptions = {}): Promise<Nginx> {
  const folder = await sandbox.subfolder(name);
  const at = (file: string) => join(folder, file);
  const confFolder = at("conf.d");
  await mkdir(confFolder, { recursive: true });
  await mkdir(at("temp"), { recursive: true });
  await writeFile(at("nginx.conf"), nginxConf(folder, options.workers ?? 2, process.getuid?.() === 0));
  const stdout = at("stdout.log");
  // A file, not a pipe of Node's, which is a socket: nginx cannot open /dev/stdout on one and refuses the config.
  const start = { name, program: "nginx", args: ["-p", folder, "-c", at("nginx.conf")], outputFile: stdout };
  const master = await sandbox.start(start);
  const logs = async () => `${(await readIfExists(at("error.log"))) ?? ""}${await readFile(stdout, "utf8")}`;
  await until("nginx has written its pid file", async () => {
    if (master.exit() !== null) return true;
    return (await readIfExists(at("nginx.pid")))?.trim() === String(master.pid);
  });
  if (master.exit() !== null) throw new Error(`${name} ended at its start:\n${await logs()}`);
  return { folder, confFolder, pidFile: at("nginx.pid"), errorLog: at("error.log"), stdout, master };
}

/** The stock image's nginx.conf with other paths. As root the workers stay root: the sandbox is its owner's alone. */
function nginxConf(folder: string, workers: number, asRoot: boolean): string {
  const temp = (kind: string) => `  ${kind}_temp_path ${folder}/temp/${kind.replace("client_", "")};\n`;
  return `${asRoot ? "user root;\n" : ""}worker_processes ${workers};
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log notice;
events {
  worker_connections 1024;
}
http {
${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(temp).join("")}  default_type application/octet-stream;
  access_log ${folder}/access.log;
  sendfile on;
  keepalive_timeout 65;
  include ${folder}/conf.d/*.conf;
}
`;
}
