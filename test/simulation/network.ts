// The network between a process and the API: latency, cut and missing answers, and calls of killed processes that still arrive.
// Touches the emulator.
import type { AxiosAdapter, InternalAxiosRequestConfig } from "axios";
import type { Emulator } from "../emulator/emulator.ts";
import type { ApiRequest, ApiResponse } from "../emulator/message.ts";
import type { Random } from "../emulator/random.ts";
import { never, type Process } from "./process.ts";
import type { VirtualTime } from "./virtual-time.ts";

/**
 * Called for every call: `sent` when it leaves the process, `arrived` after the API has executed it, `ended` when the process has its
 * answer or gives up. A dead process learns no end.
 */
export interface CallObserver {
  sent(request: ApiRequest): void;
  arrived(request: ApiRequest, answer: ApiResponse): void;
  ended(request: ApiRequest): void;
}

export interface ApiConnection {
  time: VirtualTime;
  emulator: Emulator;
  random: Random;
  /** The caller's address as the API sees it. Pods behind one gateway share it. */
  address: string;
  /** The error code of connections at the moment, or null. */
  failureCode(): string | null;
  observer: CallObserver;
}

// One way through the internet, ms.
const FASTEST_MS = 5;
const SLOWEST_MS = 80;
// The system gives up on a silent host only after minutes; the client's deadline comes first.
const SILENT_CODE = "ETIMEDOUT";
// About half of the calls in flight arrive when their process is killed.
const ARRIVES_AFTER_KILL = 0.5;

const DONE = { create: "create-made", destroy: "destroy-done", update: "update-done" } as const;

/** The adapter that stands between axios and the API for one process. */
export function apiAdapter(connection: ApiConnection, process: Process): AxiosAdapter {
  const { time, emulator, random, observer } = connection;
  const latency = () => random.integer(FASTEST_MS, SLOWEST_MS);
  let createAnswered = false; // or given up

  return async (config) => {
    if (!process.alive()) return never();
    const request = requestOf(config, connection.address);
    const kind = kindOf(request);
    if (createAnswered && !process.passes("create-over")) return never();
    createAnswered = false;
    observer.sent(request);
    const sentAlive = kind === null || process.passes(`${kind}-sent`);
    if (!sentAlive && !random.chance(ARRIVES_AFTER_KILL)) return never();

    return new Promise((resolve, reject) => {
      let open = true;
      const settle = (then: () => void) =>
        process.whenRunning(() => {
          if (!open || !process.alive()) return;
          open = false;
          observer.ended(request);
          if (kind === "create") createAnswered = true;
          config.signal?.removeEventListener?.("abort", abort);
          then();
        });
      const fail = (code: string) => settle(() => reject(Object.assign(new Error(code), { code })));
      const abort = () => fail("ERR_CANCELED");
      config.signal?.addEventListener?.("abort", abort);
      const code = connection.failureCode();
      if (code !== null) {
        if (code !== SILENT_CODE) time.after(latency(), () => fail(code));
        return;
      }
      time.after(latency(), () => {
        if (sentAlive && !process.alive() && !random.chance(ARRIVES_AFTER_KILL)) return;
        const answer = emulator.handle(request);
        observer.arrived(request, answer);
        const done = kind === null ? null : DONE[kind];
        if (!process.alive() || (done !== null && !process.passes(done))) return;
        deliver(answer, latency(), {
          whole: (ms) =>
            time.after(ms, () =>
              settle(() =>
                resolve({
                  data: answer.body,
                  status: answer.status,
                  statusText: "",
                  headers: {},
                  config,
                  request: null,
                }),
              ),
            ),
          cut: (ms) => time.after(ms, () => fail("ECONNRESET")),
        });
      });
    });
  };
}

function deliver(
  { delivery, body }: ApiResponse,
  latencyMs: number,
  ends: { whole(ms: number): void; cut(ms: number): void },
): void {
  switch (delivery.kind) {
    case "whole":
      ends.whole(latencyMs + delivery.delayMs);
      break;
    case "slow":
      ends.whole(latencyMs + (1000 * body.length) / delivery.bytesPerSecond);
      break;
    case "cut":
      ends.cut(latencyMs);
      break;
    case "hang":
      break; // until the caller gives up
  }
}

/** Which of the calls that change something it is. */
export function kindOf(request: ApiRequest): "create" | "destroy" | "update" | null {
  if (request.method === "PUT" && request.url.startsWith("/api/v0/asks/")) return "create";
  if (request.method === "DELETE" && request.url.startsWith("/api/v0/instances/")) return "destroy";
  if (request.method === "PUT" && /^\/api\/v0\/instances\/(update_template|recycle)\//.test(request.url))
    return "update";
  return null;
}

function requestOf(config: InternalAxiosRequestConfig, from: string): ApiRequest {
  const query = new URLSearchParams(config.params as Record<string, string>).toString();
  return {
    method: (config.method ?? "get").toUpperCase(),
    url: `${config.url ?? "/"}${query === "" ? "" : `?${query}`}`,
    headers: { host: "api.sim", authorization: String(config.headers.get("Authorization") ?? "") },
    body: typeof config.data === "string" ? config.data : "",
    from,
  };
}
