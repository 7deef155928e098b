import { inspect } from "node:util";
import { AxiosError, AxiosHeaders, type AxiosRequestConfig, type InternalAxiosRequestConfig } from "axios";
import { describe, expect, test } from "vitest";
import { VastError } from "../../../../provisioner/vast/errors.ts";
import type { Pacing } from "../../../../provisioner/vast/pacing.ts";
import { type ApiCall, type CallInfo, createTransport } from "../../../../provisioner/vast/transport.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

const KEY = "sekrit-key-0123456789";
const CALL: ApiCall = {
  method: "GET",
  path: "/api/v1/instances/",
  endpoint: "list",
  query: { limit: 25, a: { b: "c d" } },
};

type Reply = { status?: number; text?: string; headers?: Record<string, string> } | Error | "hang";

const noPacing: Pacing = {
  acquire: async () => 0,
  takeTurn: async () => undefined,
  left: () => undefined,
  availableAt: () => 0,
  blockUntil: () => undefined,
  succeeded: () => undefined,
  failed: () => undefined,
};

/** A transport whose network is a function, and what reached that network. */
function transportOf(
  reply: (n: number) => Reply = () => ({ text: "{}" }),
  turnMs = 0,
  takeTurn = noPacing.takeTurn,
  clock = fakeClock(),
) {
  const requests: InternalAxiosRequestConfig[] = [];
  const recorded: string[] = [];
  const calls: CallInfo[] = [];
  let authErrors = 0;
  const send = createTransport({
    baseUrl: "http://api.example/",
    apiKey: () => KEY,
    clock,
    pacing: {
      ...noPacing,
      availableAt: () => clock.now() + turnMs,
      succeeded: (endpoint) => void recorded.push(`${endpoint} answered`),
      failed: (endpoint, error) => void recorded.push(`${endpoint} ${error.kind} ${error.thresholdMs}`),
      left: (endpoint) => void recorded.push(`${endpoint} left`),
      takeTurn,
    },
    onAuthError: () => {
      authErrors += 1;
    },
    onCall: (facts) => void calls.push(facts),
    adapter: async (config) => {
      requests.push(config);
      const answer = reply(requests.length);
      if (answer instanceof Error) throw answer;
      if (answer === "hang") {
        return new Promise((_, reject) => {
          config.signal?.addEventListener?.("abort", () => reject(new AxiosError("canceled", "ERR_CANCELED", config)));
        });
      }
      const { text = "", status = 200, headers = {} } = answer;
      return { data: text, status, statusText: "", headers, config };
    },
  });
  return { send, clock, requests, recorded, calls, authErrors: () => authErrors };
}

async function errorOf(work: Promise<unknown>): Promise<VastError> {
  const error = await work.then(
    () => null,
    (caught: unknown) => caught,
  );
  if (!(error instanceof VastError)) throw new Error(`not a VastError: ${inspect(error)}`);
  return error;
}

const network = (code: string) => {
  const config: InternalAxiosRequestConfig = { headers: new AxiosHeaders({ Authorization: `Bearer ${KEY}` }) };
  return new AxiosError(`connect ${code} with ${KEY}`, code, config, { key: KEY });
};

describe("a call", () => {
  test("sends the key only in its header", async () => {
    const { send, requests } = transportOf();
    await send(CALL);
    expect(requests[0]?.headers.get("Authorization")).toBe(`Bearer ${KEY}`);
    expect(requests[0]?.url).toBe("/api/v1/instances/");
    expect(requests[0]?.baseURL).toBe("http://api.example");
    expect(JSON.stringify([requests[0]?.params, requests[0]?.url])).not.toContain(KEY);
  });

  test("sends query values as text or compact JSON", async () => {
    const { send, requests } = transportOf();
    await send({ ...CALL, query: { after_token: "abc", limit: 25, select_filters: { label: { eq: "x" } } } });
    expect(requests[0]?.params).toEqual({
      after_token: "abc",
      limit: "25",
      select_filters: '{"label":{"eq":"x"}}',
    });
  });

  test("reads the key for each call, because it may be rotated", async () => {
    let key = "first-key";
    const seen: unknown[] = [];
    const send = createTransport({
      baseUrl: "http://api.example",
      apiKey: () => key,
      clock: fakeClock(),
      pacing: noPacing,
      adapter: async (config) => {
        seen.push(config.headers.get("Authorization"));
        return { data: "{}", status: 200, statusText: "", headers: {}, config };
      },
    });
    await send(CALL);
    key = "second-key";
    await send(CALL);
    expect(seen).toEqual(["Bearer first-key", "Bearer second-key"]);
  });

  test("follows no redirect: it would carry the key to another host", async () => {
    const { send, requests } = transportOf(() => ({ status: 308, headers: { location: "http://elsewhere.example/" } }));
    expect(await errorOf(send(CALL))).toMatchObject({ kind: "invalid", status: 308 });
    expect(requests).toHaveLength(1);
    expect((requests[0] as AxiosRequestConfig).maxRedirects).toBe(0);
  });

  test("limits the size of an answer", async () => {
    const { send, requests } = transportOf();
    await send(CALL);
    expect((requests[0] as AxiosRequestConfig).maxContentLength).toBe(8 * 1024 * 1024);
  });

  test("is not repeated after an error", async () => {
    const { send, requests } = transportOf(() => ({ status: 502 }));
    await errorOf(send(CALL));
    expect(requests).toHaveLength(1);
  });
});

describe("an error", () => {
  const cases: [string, Reply][] = [
    ["a refused connection", network("ECONNREFUSED")],
    ["a cut connection", network("ECONNRESET")],
    ["an answer that is too large", network("ERR_BAD_RESPONSE")],
    ["a refused key", { status: 404, text: JSON.stringify({ error: "auth_error", msg: `Invalid user key ${KEY}` }) }],
    ["a gateway that echoes the request", { status: 502, text: `<html>Bearer ${KEY}</html>` }],
  ];

  test.each(cases)("does not contain the key in any form: %s", async (_, reply) => {
    const error = await errorOf(transportOf(() => reply).send(CALL));
    const shown = [
      inspect(error, { depth: 10, showHidden: true }),
      JSON.stringify(error),
      String(error.stack),
      error.message,
    ];
    for (const text of shown) expect(text).not.toContain(KEY);
    expect(error.cause).toBeUndefined();
  });

  test("names method and path without the query", async () => {
    const error = await errorOf(transportOf(() => network("ECONNRESET")).send(CALL));
    expect(error.message).toBe("GET /api/v1/instances/: no answer, ECONNRESET: the connection failed");
  });

  test.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])(
    "says that the API was not reached: %s",
    async (code) => {
      const error = await errorOf(transportOf(() => network(code)).send(CALL));
      expect(error).toMatchObject({ kind: "unavailable", reached: false, status: null });
    },
  );

  test.each(["ECONNRESET", "EPIPE", "ETIMEDOUT", "ERR_NETWORK", ""])(
    "says that the API may have done something: %j",
    async (code) => {
      const error = await errorOf(transportOf(() => network(code)).send(CALL));
      expect(error).toMatchObject({ kind: "unavailable", reached: true });
    },
  );

  test("says that the outcome is unknown when the answer is too large", async () => {
    const error = await errorOf(transportOf(() => network("ERR_BAD_RESPONSE")).send(CALL));
    expect(error).toMatchObject({ kind: "malformed", reached: true });
  });

  test("retries a rate-limited read, because another pod with the same key was faster", async () => {
    const { send, requests, recorded } = transportOf((n) =>
      n < 3 ? { status: 429, text: "threshold=1.0" } : { text: '{"a":1}' },
    );
    expect(await send(CALL)).toEqual({ a: 1 });
    expect(requests).toHaveLength(3);
    expect(recorded).toEqual(["list rate_limited 1000", "list rate_limited 1000", "list answered"]);
  });

  test("fails after a read was rate-limited several times", async () => {
    const { send, requests } = transportOf(() => ({ status: 429, text: "too frequent" }));
    expect((await errorOf(send(CALL))).kind).toBe("rate_limited");
    expect(requests).toHaveLength(4);
  });

  test("does not retry a read that is allowed only in 17 s", async () => {
    const { send, requests } = transportOf(() => ({ status: 429, text: '{"detail":"too frequent","retry_after":17}' }));
    await errorOf(send(CALL));
    expect(requests).toHaveLength(1);
  });

  test("is not sent, and not counted, when the rate limit allows it later than a pass may wait", async () => {
    const { send, requests, calls, recorded } = transportOf(undefined, 10_001);
    const error = await errorOf(send(CALL));
    expect(error).toMatchObject({ kind: "rate_limited", reached: false, retryAfterMs: 10_001 });
    expect([requests, calls, recorded]).toEqual([[], [], []]);
    await transportOf(undefined, 10_000).send(CALL);
    await transportOf(undefined, 60_000).send({ ...CALL, method: "DELETE", endpoint: "destroy" });
  });

  test("never retries a rate-limited create or destroy", async () => {
    for (const method of ["PUT", "DELETE"] as const) {
      const { send, requests } = transportOf(() => ({ status: 429, text: "threshold=4.5" }));
      await errorOf(send({ ...CALL, method, path: "/api/v0/asks/1/" }));
      expect(requests).toHaveLength(1);
    }
  });

  test("is reported to the rate limiter: a 429, no answer, and every other answer", async () => {
    const limited = transportOf(() => ({ status: 429, text: "threshold=4.5*1.0" }));
    await errorOf(limited.send({ ...CALL, method: "PUT", endpoint: "create" }));
    expect(limited.recorded).toEqual(["create rate_limited 4500"]);
    const away = transportOf(() => network("ECONNREFUSED"));
    await errorOf(away.send(CALL));
    expect(away.recorded).toEqual(["list unavailable null"]);
    const refused = transportOf(() => ({ status: 400, text: "{}" }));
    await errorOf(refused.send(CALL));
    expect(refused.recorded).toEqual(["list invalid null"]);
  });

  test("is not followed by a retry when the caller turns retries off", async () => {
    const { send, requests } = transportOf(() => ({ status: 429, text: "threshold=1.0" }));
    await errorOf(send({ ...CALL, retryRateLimited: false }));
    expect(requests).toHaveLength(1);
  });

  test.each([
    ["17", 17_000],
    ["Mon, 23 Nov 2026 15:00:09 GMT", 9000],
    ["soon", null],
    ["-5", null],
  ])("reads a Retry-After header: %s", async (value, wait) => {
    const headers = { "retry-after": value };
    const { send } = transportOf(() => ({ status: 429, text: "too frequent", headers }));
    expect((await errorOf(send({ ...CALL, retryRateLimited: false }))).retryAfterMs).toBe(wait);
  });

  test("reports a refused key, and no other error", async () => {
    const refused = transportOf(() => ({ status: 401 }));
    await errorOf(refused.send(CALL));
    expect(refused.authErrors()).toBe(1);
    const poor = transportOf(() => ({ status: 402 }));
    await errorOf(poor.send(CALL));
    expect(poor.authErrors()).toBe(0);
  });
});

describe("the call counter", () => {
  test("gets each call that was sent, with its outcome", async () => {
    const { send, calls } = transportOf((n) => (n < 2 ? { status: 429, text: "threshold=1.0" } : { text: "{}" }));
    await send(CALL);
    expect(calls).toEqual([
      { endpoint: "list", outcome: "rate_limited", ms: 0 },
      { endpoint: "list", outcome: "ok", ms: 0 },
    ]);
  });

  test("gets the time that the answer took", async () => {
    const { send, clock, calls } = transportOf(() => "hang");
    await clock.drive(errorOf(send(CALL)));
    expect(calls).toEqual([{ endpoint: "list", outcome: "unavailable", ms: 20_000 }]);
  });

  test("does not get a call that was cancelled before it was sent", async () => {
    const { send, calls } = transportOf();
    await errorOf(send(CALL, AbortSignal.abort()));
    expect(calls).toEqual([]);
  });
});

describe("the deadline", () => {
  test("uses the given clock and cuts off an answer that hangs", async () => {
    const { send, clock } = transportOf(() => "hang");
    const began = clock.now();
    const error = await clock.drive(errorOf(send(CALL)));
    expect(clock.now() - began).toBe(20_000);
    expect(error).toMatchObject({ kind: "unavailable", slug: "timeout", reached: true });
    expect(error.message).toContain("20000 ms");
  });

  test("is the call's own when it has one", async () => {
    const { send, clock } = transportOf(() => "hang");
    const began = clock.now();
    await clock.drive(errorOf(send({ ...CALL, deadlineMs: 30_000 })));
    expect(clock.now() - began).toBe(30_000);
  });

  test("cancels a running call when its signal is aborted, with an unknown outcome", async () => {
    const { send } = transportOf(() => "hang");
    const stop = new AbortController();
    const work = errorOf(send(CALL, stop.signal));
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error("the program ends"));
    const error = await work;
    expect(error).toMatchObject({ kind: "unavailable", reached: true });
    expect(error.message).toContain("the program ends");
  });

  test("sends nothing when the signal was aborted before", async () => {
    const { send, requests } = transportOf();
    const error = await errorOf(send(CALL, AbortSignal.abort()));
    expect(error).toMatchObject({ kind: "unavailable", slug: "aborted", reached: false });
    expect(requests).toEqual([]);
  });

  test("cancels a call that waits for its rate limit, but not one that is sent", async () => {
    const { send, clock, requests } = transportOf(() => "hang");
    const early = new AbortController();
    early.abort();
    const refused = await errorOf(send({ ...CALL, method: "PUT", beforeSent: early.signal }));
    expect(refused).toMatchObject({ reached: false });
    expect(requests).toHaveLength(0);

    const late = new AbortController();
    const sent = errorOf(send({ ...CALL, method: "PUT", beforeSent: late.signal, deadlineMs: 1000 }));
    await clock.advance(500);
    late.abort();
    await clock.advance(500);
    expect(await sent).toMatchObject({ reached: true, slug: "timeout" });
    expect(requests).toHaveLength(1);
  });
});

describe("a call with a fence", () => {
  const CREATE: ApiCall = { method: "PUT", path: "/api/v0/asks/5/", endpoint: "create", body: {} };

  test("takes its turn last, leaves at once, and is timed from there", async () => {
    const clock = fakeClock();
    const { send, requests, recorded, calls } = transportOf(undefined, 0, () => clock.sleep(400), clock);
    const sent = send({ ...CREATE, fence: () => true });
    await clock.advance(399);
    expect([requests.length, recorded]).toEqual([0, []]);
    await clock.advance(1);
    await sent;
    expect(recorded).toEqual(["create left", "create answered"]);
    expect(calls).toEqual([{ endpoint: "create", outcome: "ok", ms: 0 }]);
  });

  test("is not sent when the fence closes while it waits for its turn", async () => {
    let open = true;
    const takeTurn = async () => {
      open = false;
    };
    const { send, requests, recorded } = transportOf(undefined, 0, takeTurn);
    expect(await errorOf(send({ ...CREATE, fence: () => open }))).toMatchObject({ kind: "not_sent", reached: false });
    expect([requests, recorded]).toEqual([[], []]);
  });

  test("is not sent when it is cancelled, or its time is up, while it waits for its turn", async () => {
    const clock = fakeClock();
    const { send, requests } = transportOf(undefined, 0, (_, signal) => clock.sleep(100_000, signal), clock);
    const slot = new AbortController();
    const cancelled = errorOf(send({ ...CREATE, fence: () => true, beforeSent: slot.signal }));
    await clock.advance(5000);
    slot.abort();
    expect(await cancelled).toMatchObject({ kind: "unavailable", slug: "aborted", reached: false });
    const late = await clock.drive(errorOf(send({ ...CREATE, fence: () => true })));
    expect(late).toMatchObject({ kind: "unavailable", slug: "timeout", reached: false });
    expect(requests).toEqual([]);
  });

  test("is not sent when the fence closes while it waits for its rate limit", async () => {
    const { send, requests, calls, recorded } = transportOf();
    const error = await errorOf(send({ ...CALL, ...CREATE, fence: () => false }));
    expect(error).toMatchObject({ kind: "not_sent", reached: false, retryable: false });
    expect(error.message).toContain("paused");
    expect([requests, calls, recorded]).toEqual([[], [], []]);
  });

  test("is not sent when the fence closes after that, before it is written; no answer is recorded", async () => {
    const { send, requests, calls, recorded } = transportOf();
    let asked = 0;
    const fence = () => {
      asked += 1;
      return asked === 1;
    };
    expect(await errorOf(send({ ...CREATE, fence }))).toMatchObject({ kind: "not_sent", reached: false });
    expect(asked).toBe(2);
    expect([requests, calls, recorded]).toEqual([[], [], []]);
  });

  test("is sent while the fence is open", async () => {
    const { send, requests } = transportOf();
    await send({ ...CREATE, fence: () => true });
    expect(requests).toHaveLength(1);
  });
});
