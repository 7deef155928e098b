// Makes HTTP requests: the only file of both programs that imports axios. Touches the network.
import "./without-web-globals.ts";
import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import axios, { type AxiosAdapter, type AxiosInstance, type AxiosRequestConfig, type CreateAxiosDefaults } from "axios";
import { type Clock, withDeadline } from "./clock.ts";

/** Replaces the network in simulations. */
export type HttpAdapter = AxiosAdapter;
export type HttpClient = AxiosInstance;

/**
 * A client that resolves for every HTTP status and follows no redirects: a redirect would send credentials to another host. It
 * uses the proxy of the environment unless `proxy` is false. What it throws holds the request with its headers: log only its code.
 */
export function createHttpClient(options: CreateAxiosDefaults = {}): HttpClient {
  return axios.create({ validateStatus: () => true, maxRedirects: 0, ...options });
}

/** Asked at the last moment: false means that the request must not be written any more. */
export type Fence = () => boolean;

/** The code of the error with which a request ends that its fence has stopped. */
export const FENCED = "ERR_FENCED";

/**
 * The options of a request that asks `fence` in the same tick in which its first byte is written: after every wait for a connection, a
 * proxy or a TLS handshake, in which the process may have been paused. `adapter` replaces the network, as in the client.
 */
export function fenced(fence: Fence, adapter?: HttpAdapter): Pick<AxiosRequestConfig, "adapter" | "transport"> {
  if (adapter === undefined) return { transport: fencedTransport(fence) };
  return { adapter: async (config) => (fence() ? adapter(config) : Promise.reject(fencedError())) };
}

const fencedError = () => Object.assign(new Error("the request was not written"), { code: FENCED });

/** Node's own transport, but head and body are kept until the socket can take them. */
function fencedTransport(fence: Fence) {
  return {
    request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest {
      const request = (options.protocol === "https:" ? requestHttps : requestHttp)(options, onResponse);
      const end: (body: Uint8Array) => void = request.end.bind(request);
      const body: Uint8Array[] = [];
      const write = () => {
        if (fence()) end(Buffer.concat(body));
        else request.destroy(fencedError());
      };
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
