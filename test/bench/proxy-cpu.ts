// CPU time of nginx' workers for each proxied request, beside two other configs: the honest cost of the proxy, because requests per
// second depend on how the clients and the instance share the cores with it.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Server } from "../../common/upstream-file.ts";
import { systemProcesses } from "../../reloader/nginx/processes.ts";
import { listWorkers } from "../../reloader/nginx/workers.ts";
import { nginxPaths, startNginx } from "../sandbox/nginx.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { cpuSecondsOf } from "./cpu-time.ts";
import { type Contestant, contestant, interleave } from "./interleave.ts";
import { handWrittenProxy, ourProxy, plainProxy } from "./plain-proxy.ts";
import type { ResultLine } from "./result-line.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = 64;
// The kernel tells CPU time in steps of 10 ms, which is 1 % of what a turn takes.
const SECONDS = 2;
const ROUNDS = 9;

interface Turn {
  /** CPU time of the worker for each request, in microseconds. */
  cpuUs: number;
  requestsPerSecond: number;
}

/** A config of the given kind with an access log at the path, or without one. */
type Proxy = (log: string | null) => Promise<Contestant<Turn>>;

export async function proxyCpu(): Promise<ResultLine[]> {
  const sandbox = await openSandbox("vast-pod-bench-");
  try {
    const server = await startInstance(sandbox);
    const pipe = await openPipe(sandbox);
    const proxy =
      (name: string, text: (listen: number, status: number, log: string | null) => string): Proxy =>
      (log) =>
        startProxy(sandbox, `${name}-${log === null ? "quiet" : "logs"}`, (listen, status) =>
          text(listen, status, log),
        );
    const ours = proxy("ours", (listen, status, log) => ourProxy({ listen, status }, server, log).text);
    const plain = proxy("plain", (listen, _, log) => plainProxy(listen, server, log));
    const byHand = proxy("by-hand", (listen, _, log) => handWrittenProxy(listen, server, log));
    const logged = { ours: await ours(pipe), plain: await plain(pipe), byHand: await byHand(pipe) };
    const quiet = { ours: await ours(null), plain: await plain(null), byHand: await byHand(null) };
    await interleave(ROUNDS, [...Object.values(logged), ...Object.values(quiet)]);
    const what = `CPU time of nginx for a request, small body, ${CONNECTIONS} connections`;
    const once = "a connection to the instance for each request";
    const kept = "a short config written by hand, with keep-alive";
    return [
      cpuLine(what, logged.ours, { of: logged.plain, what: once }, 0.33),
      cpuLine(what, logged.ours, { of: logged.byHand, what: kept }, 1.08),
      cpuLine(`${what}, without access logs`, quiet.ours, { of: quiet.byHand, what: kept }, 1.03),
      {
        what: `proxied requests/s, small body, ${CONNECTIONS} connections`,
        ours: rate(logged.ours),
        against: { ...rate(logged.plain), what: once },
        goal: null,
      },
    ];
  } finally {
    await sandbox.close();
  }
}

function cpuLine(
  what: string,
  ours: Contestant<Turn>,
  against: { of: Contestant<Turn>; what: string },
  atMost: number,
): ResultLine {
  const cpu = ({ samples }: Contestant<Turn>) => ({ value: median(samples.map((turn) => turn.cpuUs)), unit: "us" });
  return { what, ours: cpu(ours), against: { ...cpu(against.of), what: against.what }, goal: { atMost } };
}

function rate({ samples }: Contestant<Turn>) {
  return { value: median(samples.map((turn) => turn.requestsPerSecond)), unit: "requests/s" };
}

/** An nginx with one worker and this config, and regular expressions compiled as in the nginx.conf that is shipped. */
async function startProxy(
  sandbox: Sandbox,
  name: string,
  text: (listen: number, status: number) => string,
): Promise<Contestant<Turn>> {
  const { confFolder } = nginxPaths(sandbox.folder, name);
  await mkdir(confFolder, { recursive: true });
  const [listen, status] = [await sandbox.port(), await sandbox.port()];
  await writeFile(join(confFolder, "default.conf"), text(listen, status));
  const { master } = await startNginx(sandbox, name, { workers: 1, pcreJit: true });
  return contestant(async () => {
    const [worker] = listWorkers(systemProcesses(), master.pid, []);
    if (worker === undefined) throw new Error(`${name} has no worker`);
    const before = cpuSecondsOf(worker.pid);
    const { requests, perSecond } = await load(sandbox, listen);
    return { cpuUs: (1e6 * (cpuSecondsOf(worker.pid) - before)) / requests, requestsPerSecond: perSecond };
  });
}

/** A pipe, as a container's stdout is one, that somebody reads. */
async function openPipe(sandbox: Sandbox): Promise<string> {
  const path = join(sandbox.folder, "access.pipe");
  await (await sandbox.start({ name: "mkfifo", program: "mkfifo", args: [path] })).exited;
  // Opened for writing as well, so that it outlives each of its writers.
  await sandbox.start({ name: "reader", program: "sh", args: ["-c", 'exec cat <>"$0" >/dev/null', path] });
  return path;
}

/** An instance that costs almost nothing, so that the proxy is measured: a separate nginx. */
async function startInstance(sandbox: Sandbox): Promise<Server> {
  const { confFolder } = nginxPaths(sandbox.folder, "instance");
  const port = await sandbox.port();
  await mkdir(confFolder, { recursive: true });
  const conf = `server {
  listen 127.0.0.1:${port};
  access_log off;
  keepalive_requests 1000000;
  location / {
    default_type text/plain;
    return 200 "a small answer\\n";
  }
}
`;
  await writeFile(join(confFolder, "instance.conf"), conf);
  await startNginx(sandbox, "instance", { workers: 1 });
  return { scheme: "http", host: "127.0.0.1", port };
}

/** Throws if any request failed, because the numbers would mean nothing. */
async function load(sandbox: Sandbox, port: number): Promise<{ requests: number; perSecond: number }> {
  const args = ["-t", "2", "-c", String(CONNECTIONS), "-d", `${SECONDS}s`, `http://127.0.0.1:${port}/`];
  const wrk = await sandbox.start({ name: "wrk", program: "wrk", args });
  await wrk.exited;
  const text = wrk.lines.join("\n");
  const requests = /(\d+) requests in/.exec(text)?.[1];
  const perSecond = /Requests\/sec:\s*([\d.]+)/.exec(text)?.[1];
  if (requests === undefined || perSecond === undefined || /Non-2xx|Socket errors/.test(text))
    throw new Error(`wrk failed:\n${text}`);
  return { requests: Number(requests), perSecond: Number(perSecond) };
}
