// The status server of both programs: /livez, /readyz, /status and /metrics. Touches one port.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { messageOf } from "./errors.ts";
import type { MetricsText } from "./metrics.ts";

/** The answer of a probe: 200 if `ok`, otherwise 503; `why` is the body. */
export interface Health {
  ok: boolean;
  why: string;
}

export interface StatusSource {
  live(): Health;
  ready(): Health;
  /** The document of `/status`, or a promise of it. It must contain no secret. */
  status(): unknown;
  metrics: MetricsText;
  /** Answers a GET or HEAD of another path. Resolves to false, with nothing written, when it does not know the path. */
  page?(path: string, response: ServerResponse): Promise<boolean>;
}

export interface StatusServer {
  port: number;
  close(): Promise<void>;
}

// The port is open to the whole cluster, and each connection costs some 20 KB. Prometheus and the probes need a handful.
const MAX_CONNECTIONS = 128;
// A probe sends its few hundred bytes at once. A half request is ended after this time.
const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 3_000,
  requestTimeout: 3_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};

/**
 * Serves `source` on all addresses, because the kubelet probes the pod's address. Port 0 means any free port.
 * Throws an error that names `variable`, the setting with the port, when the port cannot be used.
 */
export async function startStatusServer(port: number, source: StatusSource, variable: string): Promise<StatusServer> {
  const server = createServer(LIMITS, async (request, response) => {
    const [path = "/"] = (request.url ?? "/").split("?");
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const probe = (health: Health) => send(health.ok ? 200 : 503, "text/plain; charset=utf-8", `${health.why}\n`);
    if (request.method !== "GET" && request.method !== "HEAD")
      return send(405, "text/plain", "only GET and HEAD are allowed\n");
    switch (path) {
      case "/livez":
        return probe(source.live());
      case "/readyz":
        return probe(source.ready());
      case "/status":
        return send(...(await statusAnswer(source)));
      case "/metrics":
        return send(...(await metricsAnswer(source.metrics)));
      default:
        try {
          if (await source.page?.(path, response)) return;
        } catch (error) {
          if (response.headersSent) return void response.destroy();
          return send(...failure(error));
        }
        return send(
          404,
          "text/plain",
          `not found: use ${source.page ? "/, " : ""}/livez, /readyz, /status or /metrics\n`,
        );
    }
  });
  boundConnections(server);
  await listen(server, port).catch((error: unknown) => {
    throw new Error(`${variable} ${port} cannot be used (${messageOf(error)}): choose a free port`);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A document that cannot be made is a defect, but it must not stop the program. */
async function statusAnswer(source: StatusSource): Promise<[number, string, string]> {
  try {
    return [200, "application/json", `${JSON.stringify(await source.status(), null, 2)}\n`];
  } catch (error) {
    return failure(error);
  }
}

async function metricsAnswer(metrics: MetricsText): Promise<[number, string, string]> {
  try {
    return [200, metrics.contentType, await metrics.metrics()];
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): [number, string, string] {
  return [500, "text/plain; charset=utf-8", `${messageOf(error)}\n`];
}

/** A connection too many ends the oldest one: whoever holds many must not keep out a probe, which is new and short. */
function boundConnections(server: Server): void {
  const open = new Set<Socket>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    const [oldest] = open;
    if (open.size <= MAX_CONNECTIONS || oldest === undefined) return;
    open.delete(oldest);
    oldest.destroy();
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
