// Whether an instance answers. Touches the instance's endpoint.
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import axios from "axios";
import { type Clock, withDeadline } from "../../common/clock.ts";
import type { Server } from "../../common/upstream-file.ts";
import type { Header } from "../../common/variable-parsers.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { ProbeResult } from "../model/observation.ts";

export type Probe = (endpoint: Endpoint, signal?: AbortSignal) => Promise<ProbeResult>;

export interface ProbeSettings {
  /** Path of the HTTP probe; without one a TCP connection counts. */
  healthPath: string | undefined;
  scheme: Server["scheme"];
  /** What proves to the instance who calls; asked at each probe, since it may come from a file that rotates. */
  authHeader: () => Header | null;
  /** Told when the instance refuses it: a rotated one may lie in its file. */
  onRefused: () => void;
}

// Hosts are rented all over the world: a handshake takes up to a second, a loaded app some more.
const DEADLINE_MS = 5000;
// sshd speaks first, HTTP and TLS servers never do: who is silent for this long is no sshd. A greeting is on its way for as
// long as the handshake took, so that a far host is listened to for longer, within the deadline.
const BANNER_WAIT_MS = 300;
const BANNER_WAIT_HANDSHAKES = 2;
const LONGEST_BANNER_WAIT_MS = 2000;
// sshd may say some lines before its own; whoever says more than this is none.
const LONGEST_GREETING = 4096;

/** Probes by TCP, and by HTTP where a path is given (2xx and 3xx pass). Never rejects. */
export function createProbe(clock: Clock, settings: ProbeSettings): Probe {
  const { healthPath } = settings;
  // A connection for each probe: one that is kept proves that the app listened once, and uvicorn ends it after five seconds,
  // which is how often a probe comes. Neither agent knows a proxy: nginx asks the instance directly too.
  const agents = {
    httpAgent: new HttpAgent({ keepAlive: false }),
    // Certificates are made out to names and instances have bare addresses: verifying would fail nearly everywhere. The
    // question is whether the app answers; whom nginx trusts is its own setting.
    httpsAgent: new HttpsAgent({ keepAlive: false, rejectUnauthorized: false }),
  };
  const statusOf = async (endpoint: Endpoint, path: string, auth: Header | null, signal: AbortSignal) => {
    const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
    const response = await axios.get<Readable>(`${settings.scheme}://${host}:${endpoint.port}${path}`, {
      ...agents,
      signal,
      proxy: false,
      maxRedirects: 0,
      validateStatus: () => true,
      responseType: "stream",
      decompress: false,
      headers: { "User-Agent": "vast-pod", ...(auth === null ? {} : { [auth.name]: auth.value }) },
    });
    response.data.destroy(); // only the status counts, however long the body is
    return response.status;
  };
  const httpTrouble = async (endpoint: Endpoint, path: string, signal: AbortSignal): Promise<string | null> => {
    const auth = settings.authHeader();
    try {
      let status = await statusOf(endpoint, path, auth, signal);
      if (isRefusal(status) && auth !== null) {
        settings.onRefused();
        const rotated = settings.authHeader();
        if (rotated !== null && rotated.value !== auth.value) status = await statusOf(endpoint, path, rotated, signal);
      }
      if (status >= 200 && status < 400) return null;
      return `GET ${path} answered ${status}${isRefusal(status) ? ": check UPSTREAM_AUTH_HEADER" : ""}`;
    } catch (error) {
      // Never the error itself: it holds the request with its headers.
      const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
      const remedy = code === "EPROTO" ? ", which is no TLS: check VAST_UPSTREAM_SCHEME" : "";
      return `GET ${path}: ${signal.aborted ? "no answer in time" : `${code}${remedy}`}`;
    }
  };
  return async (endpoint, signal) => {
    const where = `${endpoint.host}:${endpoint.port}`;
    const failed = (tcp: boolean, why: string): ProbeResult => ({ endpoint, ok: false, tcp, why: `${where}: ${why}` });
    return withDeadline(clock, DEADLINE_MS, signal, async (deadline) => {
      const tcp = await tcpTrouble(endpoint, clock, deadline);
      if (tcp !== null) return failed(false, tcp);
      if (healthPath === undefined) return { endpoint, ok: true, tcp: true, why: "" };
      const http = await httpTrouble(endpoint, healthPath, deadline);
      return http === null ? { endpoint, ok: true, tcp: true, why: "" } : failed(true, http);
    });
  };
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

/** Null when the connection stands and no sshd greets. */
function tcpTrouble(endpoint: Endpoint, clock: Clock, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const startedAt = clock.now();
    const socket = connect({ host: endpoint.host, port: endpoint.port });
    let silence = new AbortController();
    let greeting = "";
    const end = (trouble: string | null) => {
      silence.abort("heard enough");
      signal.removeEventListener("abort", giveUp);
      socket.destroy();
      resolve(trouble);
    };
    const giveUp = () => end("no connection in time");
    const listenFor = async (ms: number) => {
      silence.abort("listening on");
      silence = new AbortController();
      const { signal: broken } = silence;
      await clock.sleep(ms, broken);
      if (!broken.aborted) end(null);
    };
    if (signal.aborted) return end("given up");
    signal.addEventListener("abort", giveUp);
    socket.on("error", (error) => end("code" in error ? String(error.code) : error.message));
    socket.on("close", () => end("the connection was closed at once"));
    socket.on("connect", () => {
      const wait = BANNER_WAIT_MS + BANNER_WAIT_HANDSHAKES * (clock.now() - startedAt);
      void listenFor(Math.min(wait, LONGEST_BANNER_WAIT_MS));
    });
    socket.on("data", (chunk: Buffer) => {
      greeting += chunk.toString("latin1");
      if (/^SSH-/m.test(greeting)) return end("sshd answers there: set VAST_UPSTREAM_PORT to the app's port");
      if (greeting.length > LONGEST_GREETING) return end(null);
      // It comes in pieces: the rest is waited for as the first one was.
      if (/(^|\n)S(S(H)?)?$/.test(greeting)) void listenFor(BANNER_WAIT_MS);
    });
  });
}
