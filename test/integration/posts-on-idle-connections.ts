// Sends POSTs at the moment when idle connections to the instance are closed, and counts the lost ones. Touches the sandbox
// of a pod.
import { readFileSync } from "node:fs";
import { Agent, createServer, type IncomingMessage, request, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { systemProcesses } from "../../reloader/nginx/processes.ts";
import { listWorkers } from "../../reloader/nginx/workers.ts";
import { openReloaderPod } from "./reloader-pod.ts";

const RECHECK_MS = 5;
const LARGE = Buffer.alloc(1024 * 1024, "x");

/**
 * An instance that closes a connection `idleMs` after it has written an answer, as uvicorn does: the time starts when the
 * app is done, even if the client has not read the answer yet. `/large` answers with 1 MB. It waits a little longer while nginx waits
 * for a core of a busy machine: otherwise nginx, which wants to close the connection first, has had no time for it.
 */
function closingInstance(idleMs: number, waitsForCore: () => boolean): Server {
  const timers = new WeakMap<Socket, NodeJS.Timeout>();
  const closeLater = (socket: Socket, ms: number) => {
    const close = () => (waitsForCore() ? closeLater(socket, RECHECK_MS) : socket.destroySoon());
    timers.set(socket, setTimeout(close, ms));
  };
  const server = createServer((incoming, response) => {
    const { socket } = incoming;
    clearTimeout(timers.get(socket));
    incoming.resume().on("end", () => {
      response.end(incoming.url === "/large" ? LARGE : "ok");
      clearTimeout(timers.get(socket));
      closeLater(socket, idleMs);
    });
  });
  server.keepAliveTimeout = 0; // Node's own timeout would close connections too
  return server;
}

/** Its timer is over or something has come for it, and it has not had a core since. */
function waitsForCore(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("R");
}

interface Awkward {
  proxyPort: number;
  /** Concurrent POSTs, each from its own client. */
  clients: number;
  /** Concurrent clients that read 1 MB slowly and finish shortly before the next POSTs. */
  slowReaders: number;
  /** The pause before each round of POSTs, in ms. */
  gapsMs: readonly number[];
}

/** Rounds of POSTs to an instance whose idle limit is `idleMs`, behind an nginx whose own is `keepaliveMs`. */
export interface Limits {
  keepaliveMs: number;
  idleMs: number;
  gapsMs: readonly number[];
}

/** Opens a pod with these limits, sends 400 POSTs a round, and returns the error of each lost POST. */
export async function postsLostWith({ keepaliveMs, idleMs, gapsMs }: Limits): Promise<string[]> {
  const pod = await openReloaderPod();
  let workers: number[] = [];
  const instance = closingInstance(idleMs, () => workers.some(waitsForCore));
  try {
    const port = await pod.sandbox.port();
    await new Promise<void>((resolve) => instance.listen(port, "127.0.0.1", resolve));
    await pod.publish({ generation: 1, server: { scheme: "http", host: "127.0.0.1", port } });
    await pod.startReloader({ NGINX_UPSTREAM_KEEPALIVE_SECONDS: String(keepaliveMs / 1000) });
    const { master } = await pod.startNginx();
    await pod.applied(1);
    workers = listWorkers(systemProcesses(), master.pid, []).map(({ pid }) => pid);
    return await awkwardPosts({ proxyPort: pod.proxyPort, clients: 400, slowReaders: 16, gapsMs });
  } finally {
    workers = [];
    instance.closeAllConnections();
    instance.close();
    await pod.close();
  }
}

/** Sends the rounds one after the other; returns the error of each POST that was not answered with 200. */
async function awkwardPosts({ proxyPort, clients, slowReaders, gapsMs }: Awkward): Promise<string[]> {
  const agents = Array.from({ length: clients }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const lost: string[] = [];
  for (const gapMs of gapsMs) {
    const readers = Array.from({ length: slowReaders }, (_, i) =>
      readSlowly(proxyPort, gapMs * (0.5 + i / slowReaders / 2)),
    );
    await new Promise((resolve) => setTimeout(resolve, gapMs));
    const outcomes = await Promise.all(agents.map((agent) => post(proxyPort, agent)));
    lost.push(...outcomes.filter((outcome) => outcome !== "200").map((outcome) => `${outcome} after ${gapMs} ms`));
    const sizes = await Promise.all(readers);
    lost.push(...sizes.filter((size) => size < LARGE.length).map((size) => `a slow reader got ${size} bytes`));
  }
  for (const agent of agents) agent.destroy();
  return lost;
}

function post(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    const options = { host: "127.0.0.1", port, agent, method: "POST", path: "/post", headers: { "content-length": 4 } };
    const outgoing = request(options, (response: IncomingMessage) => {
      response.resume().on("error", failed);
      response.on("end", () => resolve(String(response.statusCode)));
    });
    outgoing.on("error", failed).end("body");
  });
}

/** Requests the large answer, does not read for a while, and returns how many bytes arrived in the end. */
function readSlowly(port: number, pauseMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const socket = connect(port, "127.0.0.1", () => {
      socket.write("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      setTimeout(() => socket.resume(), pauseMs);
    });
    socket.on("data", (part) => {
      bytes += part.length;
    });
    socket.pause();
    socket.on("error", reject).on("close", () => resolve(bytes));
  });
}
