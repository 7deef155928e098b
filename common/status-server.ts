// The HTTP server that each container answers its probes with: /livez, /readyz, /status, /metrics. Touches one port.
import { createServer, type Server } from "node:http";
import type { MetricsText } from "./metrics.ts";

/** A probe's answer: `ok` decides between 200 and 503, `why` is the body. */
export interface Health {
  ok: boolean;
  why: string;
}

export interface StatusSource {
  live(): Health;
  ready(): Health;
  /** The `/status` document; must be safe to print. */
  status(): unknown;
  metrics: MetricsText;
}

export interface StatusServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Serves `source` on all addresses, as the kubelet asks on the pod's own. Port 0 takes a free one.
 * Throws a sentence that names `variable`, the setting the port came from, when the port cannot be had.
 */
export async function startStatusServer(port: number, source: StatusSource, variable: string): Promise<StatusServer> {
  const server = createServer(async (request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const probe = (health: Health) => send(health.ok ? 200 : 503, "text/plain; charset=utf-8", `${health.why}\n`);
    if (request.method !== "GET" && request.method !== "HEAD") return send(405, "text/plain", "only GET and HEAD\n");
    switch (path) {
      case "/livez":
        return probe(source.live());
      case "/readyz":
        return probe(source.ready());
      case "/status":
        return send(...statusAnswer(source));
      case "/metrics":
        return send(...(await metricsAnswer(source.metrics)));
      default:
        return send(404, "text/plain", "here are /livez, /readyz, /status and /metrics\n");
    }
  });
  await listen(server, port).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${variable} ${port} cannot be served (${reason}): choose a free port`);
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

/** A document that cannot be made is a defect, but none that may end the program. */
function statusAnswer(source: StatusSource): [number, string, string] {
  try {
    return [200, "application/json", `${JSON.stringify(source.status(), null, 2)}\n`];
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
  return [500, "text/plain; charset=utf-8", `${error instanceof Error ? error.message : String(error)}\n`];
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
