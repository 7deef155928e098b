// The server of one published port of a running instance: returns its id, echoes, streams, supports WebSocket. Touches one TCP
// port.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { answerOf, type Endpoint, SSH_BANNER } from "../instances/endpoints.ts";
import type { Instance } from "../instances/instance.ts";
import { readBody } from "./request-body.ts";
import { echoWebSocket } from "./websocket-echo.ts";

/** Like uvicorn, which serves most models: an idle connection is closed after 5 s. */
const KEEP_ALIVE_MS = 5000;
/** The largest body that is echoed; of a larger one only the size is returned. */
const MOST_ECHOED_BYTES = 1024 * 1024;

export interface InstanceServer {
  close(): Promise<void>;
}

/** Listens on the endpoint. Throws the system's error (EADDRINUSE) when its port is taken. */
export async function openInstanceServer(endpoint: Endpoint, instance: Instance): Promise<InstanceServer> {
  const server = endpoint.container === 22 ? sshServer() : httpServer(instance);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(endpoint.port, bindAddress(endpoint.ip), () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Listens on a loopback address itself; any other address belongs to a container or machine in front. */
function bindAddress(ip: string): string {
  return /^127\./.test(ip) || ip === "::1" ? ip : "0.0.0.0";
}

function sshServer(): Server {
  return createTcpServer((socket) => {
    socket.on("error", () => socket.destroy()); // the other side disconnected: nothing is left to do
    socket.write(SSH_BANNER);
  });
}

function httpServer(instance: Instance): Server {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    respond(instance, request, response).catch(() => response.destroy()); // the caller notices the cut connection
  });
  server.on("upgrade", (request, socket, head) => {
    echoWebSocket(request, socket, head, answerOf(instance, visitOf(request, "")).body());
  });
  return server;
}

function visitOf(request: IncomingMessage, body: string) {
  return { method: request.method ?? "GET", url: request.url ?? "/", headers: request.headers, body };
}

async function respond(instance: Instance, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = await readBody(request);
  const shown = bytes.length > MOST_ECHOED_BYTES ? `${bytes.length} bytes` : bytes.toString("utf8");
  const answer = answerOf(instance, visitOf(request, shown));
  if (answer.delayMs > 0) await delay(answer.delayMs);
  const url = new URL(request.url ?? "/", "http://instance");
  if (url.pathname === "/stream" && answer.status === 200) return stream(url, instance, response);
  const body = Buffer.from(answer.body());
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": body.length,
    "x-instance": String(instance.id),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** `/stream?chunks=5&delayMs=100`: one line at a time, like a model that generates. */
async function stream(url: URL, instance: Instance, response: ServerResponse): Promise<void> {
  const chunks = Number(url.searchParams.get("chunks") ?? 5);
  const delayMs = Number(url.searchParams.get("delayMs") ?? 100);
  response.writeHead(200, { "content-type": "text/event-stream", "x-instance": String(instance.id) });
  for (let n = 0; n < chunks && !response.destroyed; n++) {
    response.write(`data: ${JSON.stringify({ instance: instance.id, chunk: n })}\n\n`);
    if (n < chunks - 1) await delay(delayMs);
  }
  response.end();
}
