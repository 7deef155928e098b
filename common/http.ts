// Makes HTTP requests: the only file of both programs that imports axios. Touches the network.
import "./without-web-globals.ts";
import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import axios, {
  type AxiosAdapter,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
  type CreateAxiosDefaults,
} from "axios";
import { type Clock, withDeadline } from "./clock.ts";

/** Replaces the network in simulations. */
export type HttpAdapter = AxiosAdapter;
export type HttpClient = AxiosInstance;

const DEFAULTS = { validateStatus: () => true, maxRedirects: 0 };

/**
 * A client that resolves for every HTTP status and follows no redirects: a redirect would send credentials to another host. It
 * uses the proxy of the environment unless `proxy` is false. What it throws holds the request with its headers: log only its code.
 */
export function createHttpClient(options: CreateAxiosDefaults = {}): HttpClient {
  return axios.create({ ...DEFAULTS, ...options });
}

/** Asked at the last moment: false means that the request must not be written any more. */
export type Fence = () => boolean;

/** Asked when the connection is open; the request waits for the answer and is written in the same tick. False as above. */
export type LastWait = () => boolean | Promise<boolean>;

/** The code of the error with which a request ends that its fence has stopped. */
export const FENCED = "ERR_FENCED";

/**
 * The options of a request whose first byte is written in the same tick in which `mayBeWritten` answers: after every wait for a
 * connection, a proxy or a TLS handshake, in which the process may have been paused.
 */
export function fenced(mayBeWritten: LastWait): Pick<AxiosRequestConfig, "transport"> {
  return { transport: fencedTransport(mayBeWritten) };
}

const fencedError = () => Object.assign(new Error("the request was not written"), { code: FENCED });

/**
 * Node's own transport, but head and body are kept until the socket can take them. The connection is a new one: a server closes one that
 * was used before after some seconds, perhaps while the request waits or is written, and then nobody knows what became of it.
 */
function fencedTransport(mayBeWritten: LastWait) {
  return {
    request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest {
      const own = options.agent === undefined ? { ...options, agent: false } : options;
      const request = (own.protocol === "https:" ? requestHttps : requestHttp)(own, onResponse);
      const end: (body: Uint8Array) => void = request.end.bind(request);
      const body: Uint8Array[] = [];
      const asked = async () => {
        if (!(await mayBeWritten())) request.destroy(fencedError());
        else if (!request.destroyed) end(Buffer.concat(body));
      };
      const write = () => void asked().catch((error: Error) => request.destroy(error));
      request.once("socket", (socket: Socket & { secureConnecting?: boolean }) => {
        if (socket.secureConnecting === true) socket.once("secureConnect", write);
        else if (socket.connecting) socket.once("connect", write);
        else write();
      });
      return Object.assign(request, {
        write: (chunk: Uint8Array) => body.push(chunk) > 0,
        end: () => request,
      });
    },
  };
}

type TextOptions = Omit<CreateAxiosDefaults, "adapter" | "headers"> & {
  headers: Record<string, string>;
  /** Replaces the network, and gets each request at once: to merge what it does not read would take a tenth of a simulation. */
  adapter?: HttpAdapter;
};
type TextRequest = AxiosRequestConfig & { headers: Record<string, string> };

/** Sends requests whose answers are kept as text, whatever they are: errors also come as HTML. Fenced requests are as above. */
export function createTextClient({
  adapter,
  ...options
}: TextOptions): (request: TextRequest, mayBeWritten?: LastWait) => Promise<AxiosResponse<unknown>> {
  const all = { ...DEFAULTS, ...options, responseType: "text" as const, transformResponse: (data: unknown) => data };
  if (adapter === undefined) {
    const client = createHttpClient(all);
    return (request, mayBeWritten) =>
      client.request<unknown>(mayBeWritten === undefined ? request : { ...request, ...fenced(mayBeWritten) });
  }
  return async (request, mayBeWritten) => {
    const written = mayBeWritten === undefined || (await mayBeWritten());
    if (request.signal?.aborted) throw Object.assign(new Error("cancelled"), { code: "ERR_CANCELED" });
    if (!written) throw fencedError();
    const headers = AxiosHeaders.concat(all.headers, request.headers);
    return adapter(Object.assign({}, all, request, { headers }));
  };
}

/**
 * GETs `url` without a proxy and returns status and body; the body is parsed when it is JSON, else it is text. Rejects when there is
 * no answer, or none within `deadlineMs` of `clock`.
 */
export async function getJson(
  url: string,
  clock: Clock,
  deadlineMs: number,
  signal?: AbortSignal,
): Promise<{ status: number; data: unknown }> {
  return withDeadline(clock, deadlineMs, signal, async (deadline) => {
    const { status, data } = await createHttpClient({ proxy: false }).get<unknown>(url, { signal: deadline });
    return { status, data };
  });
}
