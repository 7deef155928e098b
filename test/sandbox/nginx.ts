// A real nginx in a sandbox, set up as the stock image is, but with every path inside the sandbox's folder.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfExists } from "../../common/atomic-file.ts";
import type { Child } from "./child.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface NginxPaths {
  readonly folder: string;
  /** Files named `*.conf` here belong to the configuration, as in the stock image. */
  readonly confFolder: string;
  readonly pidFile: string;
  readonly errorLog: string;
  /** The file that is nginx' stdout and stderr. */
  readonly stdout: string;
}

export interface RunningNginx extends NginxPaths {
  /** The master process. */
  readonly master: Child;
}

/** Where the nginx of that name keeps its files in a sandbox. */
export function nginxPaths(sandboxFolder: string, name = "nginx"): NginxPaths {
  const folder = join(sandboxFolder, name);
  const at = (file: string) => join(folder, file);
  const [pidFile, errorLog, stdout] = [at("nginx.pid"), at("error.log"), at("stdout.log")];
  return { folder, confFolder: at("conf.d"), pidFile, errorLog, stdout };
}

// The error log is kept when nginx is started again: its last lines are about this start.
const LAST_LINES = 8;

export interface NginxOptions {
  /** nginx' `worker_processes`. */
  workers?: number;
  /** The absolute path of another nginx than the system's. */
  program?: string;
}

/**
 * Starts nginx on `<sandbox>/<name>/conf.d` and resolves when its pid file is there. The same name again starts it anew
 * on the same files. Throws with its error log when it refuses its configuration.
 */
export async function startNginx(sandbox: Sandbox, name = "nginx", options: NginxOptions = {}): Promise<RunningNginx> {
  const files = nginxPaths(sandbox.folder, name);
  const conf = join(files.folder, "nginx.conf");
  await mkdir(files.confFolder, { recursive: true });
  await mkdir(join(files.folder, "temp"), { recursive: true });
  await writeFile(conf, nginxConf(files, options.workers ?? 2, process.getuid?.() === 0));
  // A file, not a pipe of Node's, which is a socket: nginx cannot open /dev/stdout on one and refuses the config.
  // `-e`: what it says before it has read where its error log is goes there as well.
  const args = ["-p", files.folder, "-c", conf, "-e", files.errorLog];
  const start = { name, program: options.program ?? "nginx", args, outputFile: files.stdout };
  const master = await sandbox.start(start);
  const logs = async () => {
    const text = `${(await readIfExists(files.errorLog)) ?? ""}${await readFile(files.stdout, "utf8")}`;
    return text.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  };
  await until("nginx has written its pid file", async () => {
    if (master.exit() !== null) return true;
    return (await readIfExists(files.pidFile))?.trim() === String(master.pid);
  });
  if (master.exit() !== null) throw new Error(`${name} ended at its start:\n${await logs()}`);
  return { ...files, master };
}

/** The stock image's nginx.conf with other paths. As root the workers stay root: the sandbox is its owner's alone. */
function nginxConf({ folder, confFolder, pidFile, errorLog }: NginxPaths, workers: number, asRoot: boolean): string {
  const temp = (kind: string) => `  ${kind}_temp_path ${folder}/temp/${kind.replace("client_", "")};\n`;
  return `${asRoot ? "user root;\n" : ""}worker_processes ${workers};
daemon off;
pid ${pidFile};
error_log ${errorLog} notice;
events {
  worker_connections 1024;
}
http {
${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(temp).join("")}  default_type application/octet-stream;
  access_log ${folder}/access.log;
  sendfile on;
  keepalive_timeout 65;
  include ${confFolder}/*.conf;
}
`;
}
