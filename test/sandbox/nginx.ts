// Starts a real nginx in a sandbox, configured like the stock image but with all paths inside the sandbox's folder.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfExists } from "../../common/atomic-file.ts";
import type { Child } from "./child.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface NginxPaths {
  readonly folder: string;
  /** nginx includes `*.conf` from here, as in the stock image. */
  readonly confFolder: string;
  readonly pidFile: string;
  readonly errorLog: string;
  /** The file that receives nginx' stdout and stderr. */
  readonly stdout: string;
}

export interface RunningNginx extends NginxPaths {
  /** The master process. */
  readonly master: Child;
}

/** The paths of the nginx with that name in a sandbox. */
export function nginxPaths(sandboxFolder: string, name = "nginx"): NginxPaths {
  const folder = join(sandboxFolder, name);
  const at = (file: string) => join(folder, file);
  const [pidFile, errorLog, stdout] = [at("nginx.pid"), at("error.log"), at("stdout.log")];
  return { folder, confFolder: at("conf.d"), pidFile, errorLog, stdout };
}

// The error log is kept across restarts, so only its last lines belong to this start.
const LAST_LINES = 8;

export interface NginxOptions {
  /** nginx' `worker_processes`. */
  workers?: number;
  /** With `pcre_jit on`, as in the nginx.conf that is shipped. */
  pcreJit?: boolean;
  /** Absolute path of an nginx to use instead of the system's. */
  program?: string;
}

/**
 * Starts nginx on `<sandbox>/<name>/conf.d` and resolves when its pid file exists. A second call with the same name starts
 * it again on the same files. Throws with the end of the error log when nginx rejects its config.
 */
export async function startNginx(sandbox: Sandbox, name = "nginx", options: NginxOptions = {}): Promise<RunningNginx> {
  const files = nginxPaths(sandbox.folder, name);
  const conf = join(files.folder, "nginx.conf");
  await mkdir(files.confFolder, { recursive: true });
  await mkdir(join(files.folder, "temp"), { recursive: true });
  await writeFile(conf, nginxConf(files, options, process.getuid?.() === 0));
  // stdout is a file because Node's pipes are sockets: nginx cannot open /dev/stdout on a socket and rejects the config.
  // `-e` sends messages from before the config is read to the error log too.
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
  if (master.exit() !== null) throw new Error(`${name} exited at startup:\n${await logs()}`);
  return { ...files, master };
}

/** The stock image's nginx.conf with other paths. For root, workers run as root too: only the owner can read the sandbox. */
function nginxConf(
  { folder, confFolder, pidFile, errorLog }: NginxPaths,
  { workers = 2, pcreJit = false }: NginxOptions,
  asRoot: boolean,
): string {
  const temp = (kind: string) => `  ${kind}_temp_path ${folder}/temp/${kind.replace("client_", "")};\n`;
  return `${asRoot ? "user root;\n" : ""}worker_processes ${workers};
${pcreJit ? "pcre_jit on;\n" : ""}daemon off;
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
