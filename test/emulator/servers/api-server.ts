// The HTTP server of the emulator: socket to request, answer to socket, and a timer for what is due. Touches one TCP port.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Emulator } from "../emulator.ts";
import type { ApiRequest, ApiResponse } from "../message.ts";
import { instanceServers } from "./instance-servers.ts";
import { readBody } from "./request-body.ts";
import type { ScaledClock } from "./scaled-clock.ts";

export interface ApiServer {
  port: number;
  close(): Promise<void>;
}

export interface ApiServerOptions {
  emulator: Emulator;
  clock: ScaledClock;
  host: string;
  /** 0 chooses a free one. */
  port: number;
  /** Called with unexpected errors. */
  onError: (error: unknown) => void;
}

// A timer's delay is a 32-bit number of milliseconds; checking once an hour does no harm.
const LONGEST_TIMER_MS = 3_600_000;

/** Serves the emulator. Throws the system's error (EADDRINUSE) when the port is taken. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { emulator, clock, onError } = options;
  const instances = instanceServers(emulator);
  let timer: NodeJS.Timeout | undefined;
  let closing = false;

  /** Opens and closes servers as is due, and runs again when the next event is due. */
  const settle = async () => {
    emulator.advance();
    await instances.reconcile();
    clearTimeout(timer);
    const next = emulator.nextEventAt();
    if (closing || next === null) return;
    timer = setTimeout(() => settle().catch(onError), Math.min(clock.realMsUntil(next), LONGEST_TIMER_MS));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.destroyed) return; // the caller disconnected
      onError(error);
      if (response.headersSent) response.destroy();
      else
        response.writeHead(500, { "content-type": "text/plain" }).end("the emulator failed with an internal error\n");
    });
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const reply = emulator.handle(await readRequest(request));
    await settle(); // a port is shown only after it listens, and an end only after it is closed
    await deliver(reply, response);
  };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  await settle();
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: async () => {
      closing = true;
      clearTimeout(timer);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await instances.close();
    },
  };
}

async function readRequest(request: IncomingMessage): Promise<ApiRequest> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    method: request.method ?? "GET",
    url: request.url ?? "/",
    headers,
    body: (await readBody(request)).toString("utf8"),
    from: request.socket.remoteAddress ?? "",
  };
}

/** Sends the answer with its delivery. Seconds of a delivery are real seconds, whatever the time scale. */
async function deliver(reply: ApiResponse, response: ServerResponse): Promise<void> {
  const { delivery } = reply;
  if (delivery.kind === "hang") return; // until the caller gives up
  if (delivery.kind === "cut") {
    response.destroy();
    return;
  }
  const body = Buffer.from(reply.body);
  if (delivery.kind === "whole" && delivery.delayMs > 0) await delay(delivery.delayMs);
  response.writeHead(reply.status, { "content-type": reply.contentType, "content-length": body.length });
  if (delivery.kind === "whole") {
    response.end(body);
    return;
  }
  // Ten pieces a second, of at least one byte.
  const piece = Math.max(1, Math.floor(delivery.bytesPerSecond / 10));
  for (let at = 0; at < body.length && !response.destroyed; at += piece) {
    response.write(body.subarray(at, at + piece));
    await delay((1000 * Math.min(piece, body.length - at)) / delivery.bytesPerSecond);
  }
  response.end();
}
