// Makes HTTP requests: the only file of both programs that imports axios. Touches the network.
import "./without-web-globals.ts";
import axios, { type AxiosAdapter, type AxiosInstance, type CreateAxiosDefaults } from "axios";
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
