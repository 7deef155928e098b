// HTTP for both directions that the programs ask in: the only place that knows axios. Touches the network.
import "./without-web-globals.ts";
import axios, { type AxiosAdapter, type AxiosInstance, type CreateAxiosDefaults } from "axios";
import { type Clock, withDeadline } from "./clock.ts";

export type HttpAdapter = AxiosAdapter;
export type HttpClient = AxiosInstance;

/** A client that answers every status without throwing and follows no redirect, which would carry credentials to another host. */
export function createHttpClient(options: CreateAxiosDefaults = {}): HttpClient {
  return axios.create({ validateStatus: () => true, maxRedirects: 0, ...options });
}

/**
 * GETs `url` directly, not through a proxy, and answers status and body (JSON where it is). Rejects with the client's error, whose
 * headers must not be logged, or when `deadlineMs` of `clock` are over.
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
