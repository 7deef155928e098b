import { connect } from "node:net";
import axios from "axios";
import { describe, expect, onTestFinished, test } from "vitest";
import { type StatusSource, startStatusServer } from "../../../common/status-server.ts";

async function serve(over: Partial<StatusSource> = {}) {
  const server = await startStatusServer(
    0,
    {
      live: () => ({ ok: true, why: "alive" }),
      ready: () => ({ ok: false, why: "not yet" }),
      status: () => ({ a: 1 }),
      metrics: { contentType: "text/plain; version=0.0.4; charset=utf-8", metrics: async () => "up 1\n" },
      ...over,
    },
    "PROVISIONER_STATUS_PORT",
  );
  onTestFinished(() => server.close());
  const ask = (path: string, method = "GET") =>
    axios.request<string>({
      url: `http://127.0.0.1:${server.port}${path}`,
      method,
      proxy: false,
      validateStatus: () => true,
      responseType: "text",
      transformResponse: [(data: string) => data],
    });
  return { server, ask };
}

describe("many half requests", () => {
  test("are bounded in number, and a probe is answered all the same", async () => {
    const { server, ask } = await serve();
    const sockets = Array.from({ length: 400 }, () => connect(server.port, "127.0.0.1").resume());
    const closed = sockets.map(async (socket) => {
      socket.on("error", () => null); // reset by the server
      await new Promise((resolve) => socket.on("close", resolve));
    });
    for (const socket of sockets) socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n");
    await Promise.all(closed.slice(0, 200));
    expect(await ask("/livez")).toMatchObject({ status: 200 });
    // The rest are ended by time: no test waits for a half request for ever.
    await Promise.all(closed);
  });

  test("a head that is too large is refused", async () => {
    const { server } = await serve();
    const headers = { "x-long": "x".repeat(10_000) };
    const answer = await axios.get(`http://127.0.0.1:${server.port}/livez`, {
      headers,
      proxy: false,
      validateStatus: () => true,
    });
    expect(answer.status).toBe(431);
  });
});

describe("the status server", () => {
  test("answers a probe with 200 or 503 and the reason", async () => {
    const { ask } = await serve();
    expect(await ask("/livez")).toMatchObject({ status: 200, data: "alive\n" });
    expect(await ask("/readyz?verbose")).toMatchObject({ status: 503, data: "not yet\n" });
  });

  test("answers /status with a JSON document that must not be cached", async () => {
    const { ask } = await serve();
    const answer = await ask("/status");
    expect(JSON.parse(answer.data)).toEqual({ a: 1 });
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
  });

  test("answers /metrics in the text format of Prometheus", async () => {
    const answer = await (await serve()).ask("/metrics");
    expect(answer).toMatchObject({ status: 200, data: "up 1\n" });
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("answers 500 with the reason when the metrics cannot be made", async () => {
    const metrics = () => Promise.reject(new Error("broken"));
    const { ask } = await serve({ metrics: { contentType: "text/plain", metrics } });
    expect(await ask("/metrics")).toMatchObject({ status: 500, data: "broken\n" });
    expect(await ask("/livez")).toMatchObject({ status: 200 });
  });

  test("answers HEAD without a body", async () => {
    const { ask } = await serve();
    expect(await ask("/readyz", "HEAD")).toMatchObject({ status: 503, data: "" });
  });

  test("names its paths on an unknown path, and refuses other methods", async () => {
    const { ask } = await serve();
    expect(await ask("/metricsz")).toMatchObject({ status: 404, data: expect.stringContaining("/livez") });
    expect((await ask("/status", "POST")).status).toBe(405);
  });

  test("survives a document that cannot be made", async () => {
    const { ask } = await serve({
      status: () => {
        throw new RangeError("Invalid time value");
      },
    });
    expect(await ask("/status")).toMatchObject({ status: 500 });
    expect((await ask("/livez")).status).toBe(200);
  });

  test("names the setting when its port is in use", async () => {
    const { server } = await serve();
    const second = startStatusServer(
      server.port,
      {
        live: () => ({ ok: true, why: "" }),
        ready: () => ({ ok: true, why: "" }),
        status: () => null,
        metrics: { contentType: "text/plain", metrics: async () => "" },
      },
      "PROVISIONER_STATUS_PORT",
    );
    await expect(second).rejects.toThrow(new RegExp(`PROVISIONER_STATUS_PORT ${server.port} .*EADDRINUSE.*free port`));
  });

  test("stops listening when it is closed, and closes open connections", async () => {
    const { server, ask } = await serve();
    await ask("/livez");
    await server.close();
    await expect(ask("/livez")).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
  });
});
