// The way between a process and the API: latencies, answers that are cut or never come, calls of the dead that arrive all the
// same. Touches the emulator.
import type { AxiosAdapter, InternalAxiosRequestConfig } from "axios";
import type { Emulator } from "../emulator/emulator.ts";
import type { ApiRequest, ApiResponse } from "../emulator/message.ts";
import type { Random } from "../emulator/random.ts";
import { never, type Process } from "./process.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Told of every call. `sent` when it leaves the process, `arrived` after the API has worked on it. */
export interface CallObserver {
  sent(request: ApiRequest): void;
  arrived(request: ApiRequest, answer: ApiResponse): void;
}

export interface ApiConnection {
  time: VirtualTime;
  emulator: Emulator;
  random: Random;
  /** The caller's address as the API sees it: pods behind one gateway share it. */
  address: string;
  /** The code with which connections fail now, or null. */
  failureCode(): string | null;
  observer: CallObserver;
}

// One way through the internet, ms.
const FASTEST_MS = 5;
const SLOWEST_MS = 80;
// A host that does not answer at all is given up by the system after minutes; the client's own deadline comes first.
const SILENT_CODE = "ETIMEDOUT";
// Of the calls that are on the way when their process is killed about half arrive.
const ARRIVES_AFTER_KILL = 0.5;

/** The adapter that stands between axios and the API for one process. */
export function apiAdapter(connection: ApiConnection, process: Process): AxiosAdapter {
  const { time, emulator, random, observer } = connection;
  const latency = () => random.integer(FASTEST_MS, SLOWEST_MS);
  let createAnswered = false; // by whatever ended the wait for it

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
      const settle = (then: () => void) => {
        if (!open || !process.alive()) return;
        open = false;
        if (kind === "create") createAnswered = true;
        config.signal?.removeEventListener?.("abort", abort);
        then();
      };
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
        const done = kind === "create" ? "create-made" : kind === "destroy" ? "destroy-done" : null;
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

/** Which of the two calls that change something it is. */
export function kindOf(request: ApiRequest): "create" | "destroy" | null {
  if (request.method === "PUT" && request.url.startsWith("/api/v0/asks/")) return "create";
  if (request.method === "DELETE" && request.url.startsWith("/api/v0/instances/")) return "destroy";
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
