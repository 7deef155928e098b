// Whether an instance answers. Touches the instance's endpoint.
import { connect } from "node:net";
import axios from "axios";
import { type Clock, withDeadline } from "../common/clock.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ProbeResult } from "./observation.ts";

export type Probe = (endpoint: Endpoint, signal?: AbortSignal) => Promise<ProbeResult>;

// Hosts are rented all over the world: a handshake takes up to a second, a loaded app some more.
const DEADLINE_MS = 5000;
// sshd speaks first, HTTP servers never do: who is silent for this long after the handshake is no sshd.
const BANNER_WAIT_MS = 300;
// Of a health answer only the status counts.
const LARGEST_ANSWER_BYTES = 64 * 1024;

/** Probes by TCP, and by HTTP where `healthPath` is given (2xx and 3xx pass). Never rejects. */
export function createProbe(clock: Clock, healthPath: string | undefined): Probe {
  return async (endpoint, signal) => {
    const where = `${endpoint.host}:${endpoint.port}`;
    const failed = (tcp: boolean, why: string): ProbeResult => ({ endpoint, ok: false, tcp, why: `${where}: ${why}` });
    return withDeadline(clock, DEADLINE_MS, signal, async (deadline) => {
      const tcp = await tcpTrouble(endpoint, deadline);
      if (tcp !== null) return failed(false, tcp);
      if (healthPath === undefined) return { endpoint, ok: true, tcp: true, why: "" };
      const http = await httpTrouble(endpoint, healthPath, deadline);
      return http === null ? { endpoint, ok: true, tcp: true, why: "" } : failed(true, http);
    });
  };
}

/** Null when the connection stands and no sshd greets. */
function tcpTrouble(endpoint: Endpoint, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port });
    let silence: NodeJS.Timeout | undefined;
    const end = (trouble: string | null) => {
      clearTimeout(silence);
      signal.removeEventListener("abort", giveUp);
      socket.destroy();
      resolve(trouble);
    };
    const giveUp = () => end("no connection in time");
    if (signal.aborted) return end("given up");
    signal.addEventListener("abort", giveUp);
    socket.on("error", (error) => end("code" in error ? String(error.code) : error.message));
    socket.on("close", () => end("the connection was closed at once"));
    socket.on("connect", () => {
      silence = setTimeout(() => end(null), BANNER_WAIT_MS);
    });
    socket.on("data", (chunk: Buffer) => {
      end(
        chunk.toString("latin1").startsWith("SSH-")
          ? "sshd answers there: set VAST_UPSTREAM_PORT to the app's port"
          : null,
      );
    });
  });
}

async function httpTrouble(endpoint: Endpoint, path: string, signal: AbortSignal): Promise<string | null> {
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  try {
    const response = await axios.get(`http://${host}:${endpoint.port}${path}`, {
      signal,
      proxy: false, // nginx asks the instance directly too
      maxRedirects: 0,
      validateStatus: () => true,
      responseType: "text",
      maxContentLength: LARGEST_ANSWER_BYTES,
    });
    return response.status >= 200 && response.status < 400 ? null : `GET ${path} answered ${response.status}`;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
    return `GET ${path}: ${signal.aborted ? "no answer in time" : code}`;
  }
}
