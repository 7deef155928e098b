// Checks whether an instance answers, by TCP or HTTP. Touches the instance's endpoint.
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect } from "node:net";
import { type Clock, withDeadline } from "../../common/clock.ts";
import { codeOf, messageOf } from "../../common/errors.ts";
import { createHttpClient } from "../../common/http.ts";
import type { Server } from "../../common/upstream-file.ts";
import type { Header } from "../../common/variable-parsers.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { ProbeResult } from "../model/observation.ts";
import { holdsText, type StreamedAnswer } from "./expected-text.ts";

/** Probes the instance at its endpoint. */
export type Probe = (endpoint: Endpoint, instanceId: number, signal?: AbortSignal) => Promise<ProbeResult>;

export interface ProbeSettings {
  /** Path of the HTTP probe. Without a path, an open TCP connection is enough. */
  healthPath: string | undefined;
  /** What the answer must hold, so that another server at the address does not pass; see expected-text.ts. */
  healthExpect: string | undefined;
  scheme: Server["scheme"];
  /** Authenticates the provisioner at the instance. Read for each probe, because it may come from a file that is rotated. */
  authHeader: () => Header | null;
  /** Called when the instance refuses the header: the file may already hold a new one. */
  onRefused: () => void;
}

// Hosts are all over the world: a handshake takes up to a second, a loaded app needs more.
const PROBE_DEADLINE_MS = 5000;
// sshd sends its banner first, HTTP and TLS servers wait for the client: a server that is silent for this long is not sshd. The
// banner travels as long as the handshake did, so the wait is longer for a distant host, within the deadline.
const BANNER_WAIT_MS = 300;
const BANNER_WAIT_HANDSHAKES = 2;
const MAX_BANNER_WAIT_MS = 2000;
// sshd may send some lines before its banner. A server that sends more than this is not sshd.
const MAX_BANNER_LENGTH = 4096;

interface HttpAnswer {
  status: number;
  expected: boolean;
}

/** Probes by TCP, and also by HTTP when there is a path (2xx and 3xx pass, if the expected text is there). Never rejects. */
export function createProbe(clock: Clock, settings: ProbeSettings): Probe {
  const { healthPath, healthExpect } = settings;
  const client = createHttpClient({
    // A new connection for each probe: a kept one proves only that the app listened earlier, and uvicorn closes it after five
    // seconds, which is the interval between probes. No proxy: nginx connects to the instance directly too.
    httpAgent: new HttpAgent({ keepAlive: false }),
    // Certificates are issued for names, and instances have only addresses: verifying would fail nearly everywhere. The probe
    // only checks whether the app answers; which certificates nginx trusts is a setting of the reloader.
    httpsAgent: new HttpsAgent({ keepAlive: false, rejectUnauthorized: false }),
    proxy: false,
    responseType: "stream",
    decompress: false,
  });
  const get = async (target: Target, auth: Header | null, signal: AbortSignal): Promise<HttpAnswer> => {
    const { endpoint, path, instanceId } = target;
    const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
    const response = await client.get<StreamedAnswer["data"]>(`${settings.scheme}://${host}:${endpoint.port}${path}`, {
      signal,
      headers: {
        "User-Agent": "vast-pod",
        "Accept-Encoding": "identity",
        ...(auth === null ? {} : { [auth.name]: auth.value }),
      },
    });
    try {
      const expected = healthExpect === undefined || (await holdsText(response, healthExpect, instanceId));
      return { status: response.status, expected };
    } finally {
      response.data.destroy(); // the rest is not needed, however long the body is
    }
  };
  const httpFailure = async (target: Target, signal: AbortSignal): Promise<string | null> => {
    const { path } = target;
    const auth = settings.authHeader();
    try {
      let answer = await get(target, auth, signal);
      if (isRefusal(answer.status) && auth !== null) {
        settings.onRefused();
        const rotated = settings.authHeader();
        if (rotated !== null && rotated.value !== auth.value) answer = await get(target, rotated, signal);
      }
      const { status, expected } = answer;
      if (status >= 200 && status < 400)
        return expected
          ? null
          : `GET ${path} answered ${status} without the text of VAST_HEALTH_EXPECT: another server has the address, or the setting is wrong`;
      return `GET ${path} answered ${status}${isRefusal(status) ? ": check UPSTREAM_AUTH_HEADER" : ""}`;
    } catch (error) {
      // Never the error itself: it holds the request with its headers.
      const code = codeOf(error) ?? "failed";
      const remedy = code === "EPROTO" ? ", the app does not speak TLS: check VAST_UPSTREAM_SCHEME" : "";
      return `GET ${path}: ${signal.aborted ? "no answer in time" : `${code}${remedy}`}`;
    }
  };
  return async (endpoint, instanceId, signal) => {
    const where = `${endpoint.host}:${endpoint.port}`;
    const startedAt = clock.now();
    const failed = (tcp: boolean, why: string, refused = false): ProbeResult => ({
      endpoint,
      startedAt,
      at: clock.now(),
      ok: false,
      tcp,
      ...(refused ? { refused } : {}),
      why: `${where}: ${why}`,
    });
    const passed = (): ProbeResult => ({ endpoint, startedAt, at: clock.now(), ok: true, tcp: true, why: "" });
    return withDeadline(clock, PROBE_DEADLINE_MS, signal, async (deadline) => {
      const tcp = await tcpFailure(endpoint, startedAt, clock, deadline);
      if (tcp !== null) return failed(false, tcp, tcp === "ECONNREFUSED");
      if (healthPath === undefined) return passed();
      const http = await httpFailure({ endpoint, path: healthPath, instanceId }, deadline);
      return http === null ? passed() : failed(true, http);
    });
  };
}

interface Target {
  endpoint: Endpoint;
  path: string;
  instanceId: number;
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

/** Null when the connection is open and the server is not sshd. */
function tcpFailure(endpoint: Endpoint, startedAt: number, clock: Clock, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port });
    let bannerWait = new AbortController();
    let received = "";
    const finish = (failure: string | null) => {
      bannerWait.abort("finished");
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(failure);
    };
    const onAbort = () => finish("no connection in time");
    const waitForBanner = async (ms: number) => {
      bannerWait.abort("replaced by a new wait");
      bannerWait = new AbortController();
      const { signal: replaced } = bannerWait;
      await clock.sleep(ms, replaced);
      if (!replaced.aborted) finish(null);
    };
    if (signal.aborted) return finish("aborted");
    signal.addEventListener("abort", onAbort);
    socket.on("error", (error) => finish(codeOf(error) ?? messageOf(error)));
    socket.on("close", () => finish("the connection was closed immediately"));
    socket.on("connect", () => {
      const wait = BANNER_WAIT_MS + BANNER_WAIT_HANDSHAKES * (clock.now() - startedAt);
      void waitForBanner(Math.min(wait, MAX_BANNER_WAIT_MS));
    });
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (/^SSH-/m.test(received)) return finish("sshd answers there: set VAST_UPSTREAM_PORT to the app's port");
      if (received.length > MAX_BANNER_LENGTH) return finish(null);
      // The banner may come in pieces: wait for the rest.
      if (/(^|\n)S(S(H)?)?$/.test(received)) void waitForBanner(BANNER_WAIT_MS);
    });
  });
}
