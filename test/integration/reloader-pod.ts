// The reloader's half of a pod: the built reloader, a real nginx, and instances that run in this process. Touches its sandbox
// and its ports.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createServer, type Server as HttpServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions, type Server as TlsServer } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { formatUpstreamFile, type Server, type UpstreamFile } from "../../common/upstream-file.ts";
import type { Child } from "../sandbox/child.ts";
import { type NginxOptions, type NginxPaths, nginxPaths, type RunningNginx, startNginx } from "../sandbox/nginx.ts";
import { isFree } from "../sandbox/ports.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";

/** The fields of the reloader's `/status` that tests read. */
export interface Status {
  applied: { generation: number; server: Server | null; hash: string } | null;
  desired: { generation: number; server: Server | null } | null;
  problem: string | null;
  warnings: string[];
  reloads: number;
  refusals: number;
  upstreamSeenAt: string | null;
  lastPassAt: string | null;
  /** `at`: when nginx was signalled; the other two are measured from then. */
  lastReload: { at: string; acceptedMs: number; settledMs: number | null } | null;
}

/** A fake instance that runs in this process. */
export interface Instance {
  server: Server;
  /** Requests so far. */
  requests: IncomingMessage[];
  /** Connections so far. */
  connections: Socket[];
  http: HttpServer | TlsServer;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface ReloaderPod {
  readonly sandbox: Sandbox;
  readonly files: NginxPaths;
  readonly configPath: string;
  readonly upstreamPath: string;
  readonly proxyPort: number;
  readonly nginxStatusPort: number;
  /** The environment that `startReloader` gives it. */
  reloaderEnv(more?: Readonly<Record<string, string>>): Record<string, string>;
  /** `setpriv`: options of that program, to start the reloader with fewer rights. */
  startReloader(env?: Readonly<Record<string, string>>, setpriv?: readonly string[]): Promise<Child>;
  startNginx(options?: NginxOptions): Promise<RunningNginx>;
  /** Kills nginx and its workers, as when their container is killed. */
  killNginx(nginx: RunningNginx): Promise<void>;
  /** An instance that answers with its name, or with `answer`. With `tls` it uses https. */
  instance(name: string, answer?: Answer, tls?: ServerOptions): Promise<Instance>;
  /** Replaces the upstream file as the provisioner does. */
  publish(change: Partial<UpstreamFile>): Promise<void>;
  /** Replaces the upstream file with any text. */
  publishText(text: string): Promise<void>;
  status(): Promise<Status>;
  /** The reloader's metrics. */
  metrics(): Promise<string>;
  until(what: string, condition: (status: Status) => unknown, everyMs?: number): Promise<Status>;
  /** Waits until that many more passes have finished. */
  passes(count: number): Promise<Status>;
  /** Waits until that generation is applied; asks every `everyMs`. */
  applied(generation: number, everyMs?: number): Promise<Status>;
  /** GET through the proxy over a new connection. */
  get(path?: string): Promise<{ status: number; body: string; headers: IncomingMessage["headers"] }>;
  /** Sends bytes to the proxy and returns everything that it sends until it closes. */
  raw(bytes: string): Promise<string>;
  config(): Promise<string>;
  /** How often nginx has reloaded its config. */
  reloadsOfNginx(): Promise<number>;
  close(): Promise<void>;
}

/** Opens a pod without starting anything. */
export async function openReloaderPod(): Promise<ReloaderPod> {
  const sandbox = await openSandbox();
  const files = nginxPaths(sandbox.folder);
  await mkdir(files.confFolder, { recursive: true });
  const configPath = join(files.confFolder, "default.conf");
  const upstreamPath = join(await sandbox.subfolder("shared"), "upstream.json");
  const [proxyPort, nginxStatusPort, statusPort] = [await sandbox.port(), await sandbox.port(), await sandbox.port()];
  const servers: Instance["http"][] = [];
  const children: Child[] = [];
  const status = async () => (await fetch(`http://127.0.0.1:${statusPort}/status`)).json() as Promise<Status>;
  const pod: ReloaderPod = {
    sandbox,
    files,
    configPath,
    upstreamPath,
    proxyPort,
    nginxStatusPort,
    reloaderEnv: (more = {}) => ({
      UPSTREAM_PATH: upstreamPath,
      NGINX_CONFIG_PATH: configPath,
      NGINX_PID_FILE: files.pidFile,
      NGINX_ERROR_LOG: files.errorLog,
      NGINX_LISTEN_PORT: String(proxyPort),
      NGINX_STATUS_PORT: String(nginxStatusPort),
      RELOADER_STATUS_PORT: String(statusPort),
      UPSTREAM_ALLOW_LOCAL: "true",
      ...more,
    }),
    startReloader: async (env = {}, setpriv = []) => {
      const command = [...(setpriv.length === 0 ? [] : ["setpriv", ...setpriv]), process.execPath, "dist/reloader.mjs"];
      const [program = "", ...args] = command;
      const child = await sandbox.start({ name: "reloader", program, args, env: pod.reloaderEnv(env) });
      children.push(child);
      return child;
    },
    startNginx: (options) => startNginx(sandbox, "nginx", options),
    killNginx: async ({ master }) => {
      master.signal("SIGKILL");
      await master.exited;
      await until("the port is free", () => isFree(proxyPort));
    },
    instance: async (name, answer = (_, response) => response.end(name), tls) => {
      const requests: IncomingMessage[] = [];
      const connections: Socket[] = [];
      const listener: Answer = (incoming, response) => {
        requests.push(incoming);
        answer(incoming, response);
      };
      const http = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
      http.on("connection", (socket) => connections.push(socket));
      servers.push(http);
      const port = await sandbox.port();
      await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
      const scheme = tls === undefined ? "http" : "https";
      return { server: { scheme, host: "127.0.0.1", port }, requests, connections, http };
    },
    publish: (change) => pod.publishText(formatUpstreamFile(upstreamFile(change))),
    publishText: async (text) => {
      await writeFile(`${upstreamPath}.tmp`, text, { mode: 0o644 });
      await rename(`${upstreamPath}.tmp`, upstreamPath);
    },
    status,
    metrics: async () => (await fetch(`http://127.0.0.1:${statusPort}/metrics`)).text(),
    until: (what, condition, everyMs = 50) => {
      let last: Status | null = null;
      const seen = async () => {
        last = await status();
        return condition(last) ? last : null;
      };
      const lines = () => children.flatMap((child) => child.lines.slice(-15)).join("\n");
      return until(what, seen, { everyMs, context: () => `${JSON.stringify(last, null, 2)}\n${lines()}` });
    },
    passes: async (count) => {
      const seen = new Set([(await status()).lastPassAt]);
      return pod.until(`${count} passes have finished`, (s) => seen.add(s.lastPassAt).size > count);
    },
    applied: (generation, everyMs) =>
      pod.until(`generation ${generation} is applied`, (s) => s.applied?.generation === generation, everyMs),
    get: (path = "/") => get(proxyPort, path),
    raw: (bytes) => raw(proxyPort, bytes),
    config: () => readFile(configPath, "utf8"),
    reloadsOfNginx: async () => (await readFile(files.errorLog, "utf8")).split("signal 1 (SIGHUP) received").length - 1,
    close: async () => {
      for (const http of servers) {
        http.closeAllConnections();
        http.close();
      }
      await sandbox.close();
    },
  };
  return pod;
}

/** A pod whose proxy serves one instance. */
export async function servingPod(): Promise<{
  pod: ReloaderPod;
  reloader: Child;
  nginx: RunningNginx;
  first: Instance;
}> {
  const pod = await openReloaderPod();
  try {
    const first = await pod.instance("first");
    await pod.publish({ generation: 1, server: first.server });
    // In this order, so that no reload is left for an nginx that is still starting.
    const nginx = await pod.startNginx();
    const reloader = await pod.startReloader();
    await pod.applied(1);
    return { pod, reloader, nginx, first };
  } catch (error) {
    await pod.close();
    throw error;
  }
}

/** A valid upstream file with that change. */
export function upstreamFile(change: Partial<UpstreamFile>): UpstreamFile {
  return {
    schema: 1,
    generation: 1,
    pod: "vast-pod-0",
    state: "ready",
    reason: "instance_ready",
    message: "instance 1 is serving",
    server: null,
    instance: null,
    updatedAt: new Date().toISOString(),
    ...change,
  };
}

function get(port: number, path: string): ReturnType<ReloaderPod["get"]> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    socket.setEncoding("latin1");
    socket.on("data", (part: string) => {
      text += part;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}
