// One API call from request to answer: faults first, then key, rate limit and handler. Each call is recorded.
import { type Effect, type ErrorForm, faultFor } from "../control/fault-rule.ts";
import { isObject, type Json, parseJson } from "../json.ts";
import { type ApiRequest, type ApiResponse, json, refusal, text } from "../message.ts";
import type { World } from "../world.ts";
import type { Call } from "./call.ts";
import { identify, refuse } from "./identity.ts";
import { fetchLog, LOG_PATH } from "./log-calls.ts";
import { throttle } from "./rate-limits.ts";
import { remember } from "./request-record.ts";
import { ROUTES } from "./routes.ts";

/** Answers a call of the API, and records it. */
export function dispatch(world: World, request: ApiRequest): ApiResponse {
  const url = new URL(`http://emulator${request.url}`);
  const caller = identify(world, request, url.searchParams);
  const notes: string[] = [];
  const effect = faultFor(world.faults, request.method, url.pathname, (p) => world.faultRandom.chance(p));
  if (effect) notes.push(`fault ${effect.kind}`);
  const work = () => callHandler(world, request, url, caller, effect, notes);
  const answer = effect ? spoil(effect, work) : work();
  remember(world, request, url, caller.authorization, answer, notes);
  return answer;
}

function callHandler(
  world: World,
  request: ApiRequest,
  url: URL,
  caller: ReturnType<typeof identify>,
  effect: Effect | null,
  notes: string[],
): ApiResponse {
  const path = url.pathname;
  if (path.startsWith(LOG_PATH)) return fetchLog(world, path);
  const route = ROUTES.find((one) => one.method === request.method && one.pattern.test(path));
  if (!route) {
    notes.push("no such route");
    return refusal(404, "not_found", `${request.method} ${path} is not served here`);
  }
  const given = route.pattern.exec(path)?.[1];
  const id = given === undefined ? -1 : Number(given);
  const address = world.settings.sharedAddress ? "" : request.from;
  const limited = route.rate && throttle(world, route.rate, { key: caller.key, address });
  if (limited) return limited;
  const refused = refuse(world, caller, route, id);
  if (refused) return refused;
  if (!Number.isSafeInteger(id)) return refusal(route.badId.status, route.badId.error, route.badId.msg);
  const body = request.body.trim() === "" ? null : parseJson(request.body);
  if (body === undefined) return json(400, { error: "invalid_request", msg: "Invalid json body" });
  const call: Call = {
    method: request.method,
    path,
    query: url.searchParams,
    body,
    identity: caller.identity,
    id,
    base: `http://${request.headers.host ?? "emulator"}`,
    effect,
    note: (line) => notes.push(line),
  };
  return route.handler(world, call);
}

/** Applies a fault to `work`, which is the call itself. */
function spoil(effect: Effect, work: () => ApiResponse): ApiResponse {
  switch (effect.kind) {
    case "answer":
      return text(effect.status, bodyText(effect.body), effect.contentType ?? defaultType(effect.body));
    case "error":
      return errorAnswer(
        effect.status,
        effect.form,
        effect.error ?? "server_error",
        effect.msg ?? "Something went wrong",
      );
    case "html":
      return text(effect.status, GATEWAY_PAGE, "text/html");
    case "garbage": {
      const answer = work();
      return { ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) };
    }
    case "cut-before":
      return { ...text(0, ""), delivery: { kind: "cut" } };
    case "hang-before":
      return { ...text(0, ""), delivery: { kind: "hang" } };
    case "cut-after":
      return { ...work(), delivery: { kind: "cut" } };
    case "hang-after":
      return { ...work(), delivery: { kind: "hang" } };
    case "commit-then":
      work();
      return effect.body === undefined
        ? text(effect.status, GATEWAY_PAGE, "text/html")
        : text(effect.status, bodyText(effect.body), "application/json");
    case "rewrite": {
      const answer = work();
      const parsed = parseJson(answer.body);
      if (!isObject(parsed)) return answer;
      return { ...answer, status: effect.status ?? answer.status, body: JSON.stringify({ ...parsed, ...effect.set }) };
    }
    case "delay":
      return { ...work(), delivery: { kind: "whole", delayMs: effect.seconds * 1000 } };
    case "slow-body":
      return { ...work(), delivery: { kind: "slow", bytesPerSecond: effect.bytesPerSecond } };
    case "no-row":
    case "late-row":
    case "linger":
      return work(); // the handler applies it
  }
}

const GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";

function defaultType(body: Json | undefined): string {
  return typeof body === "string" ? "text/plain" : "application/json";
}

function bodyText(body: Json | undefined): string {
  return typeof body === "string" ? body : JSON.stringify(body ?? {});
}

/** The same error in each form that the API is known to use. */
export function errorAnswer(status: number, form: ErrorForm, error: string, msg: string): ApiResponse {
  switch (form) {
    case "main":
      return refusal(status, error, msg);
    case "ask":
      return refusal(status, error, msg, { ask_id: 0 });
    case "no-success":
      return json(status, { error, msg });
    case "msg":
      return json(status, { msg });
    case "message":
      return json(status, { message: msg });
    case "detail":
      return json(status, { detail: msg });
    case "text":
      return text(status, msg);
    case "html":
      return text(status, `<html><body><h1>${status}</h1></body></html>\n`, "text/html");
  }
}
