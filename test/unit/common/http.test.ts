// The HTTP client is sockets: these tests use real ones, on loopback.
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../../common/clock.ts";
import { codeOf } from "../../../common/errors.ts";
import { createHttpClient, getJson } from "../../../common/http.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";

const DEADLINE_MS = 5000;

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("an HTTP client", () => {
  test.each([204, 404, 500, 503])("resolves for status %i", async (status) => {
    const url = await serve((_, response) => response.writeHead(status).end());
    expect((await createHttpClient({ proxy: false }).get(url)).status).toBe(status);
  });

  test("follows no redirect, which would send the credentials to another host", async () => {
    const visited: unknown[] = [];
    const other = await serve((request, response) => {
      visited.push(request.headers.authorization);
      response.end();
    });
    const url = await serve((_, response) => response.writeHead(302, { location: other }).end());
    const headers = { Authorization: "Bearer sekrit" };
    expect((await createHttpClient({ proxy: false }).get(url, { headers })).status).toBe(302);
    expect(visited).toEqual([]);
  });

  test("uses the options that it is given", async () => {
    const url = await serve((request, response) => response.end(request.url));
    const { data } = await createHttpClient({ baseURL: url, proxy: false, responseType: "text" }).get<string>("/path");
    expect(data).toBe("/path");
  });
});

describe("getting JSON", () => {
  test("returns status and parsed body, whatever the status", async () => {
    const url = await serve((_, response) =>
      response.writeHead(503, { "content-type": "application/json" }).end('{"ready":false}'),
    );
    expect(await getJson(url, systemClock, DEADLINE_MS)).toEqual({ status: 503, data: { ready: false } });
  });

  test("returns a body that is not JSON as text", async () => {
    const url = await serve((_, response) => response.end("<html>"));
    expect(await getJson(url, systemClock, DEADLINE_MS)).toEqual({ status: 200, data: "<html>" });
  });

  test("rejects when nothing listens", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const error = await getJson(`http://127.0.0.1:${port}/`, systemClock, DEADLINE_MS).catch((e: unknown) => e);
    expect(codeOf(error)).toBe("ECONNREFUSED");
  });

  test("rejects at the deadline of the given clock", async () => {
    const clock = fakeClock();
    const arrived = new AbortController();
    const url = await serve(() => arrived.abort());
    const pending = getJson(url, clock, DEADLINE_MS).catch((e: unknown) => e);
    await once(arrived.signal, "abort");
    await clock.advance(DEADLINE_MS - 1);
    expect(await Promise.race([pending, Promise.resolve("pending")])).toBe("pending");
    await clock.advance(1);
    expect(codeOf(await pending)).toBe("ERR_CANCELED");
  });

  test("rejects when it is aborted", async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort());
    const error = await getJson(url, systemClock, DEADLINE_MS, stop.signal).catch((e: unknown) => e);
    expect(codeOf(error)).toBe("ERR_CANCELED");
  });

  test("does not use the proxy of the environment", async () => {
    const proxied: unknown[] = [];
    const proxy = await serve((request, response) => {
      proxied.push(request.url);
      response.end();
    });
    for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]) vi.stubEnv(name, proxy);
    for (const name of ["NO_PROXY", "no_proxy"]) vi.stubEnv(name, "");
    onTestFinished(() => void vi.unstubAllEnvs());
    const url = await serve((_, response) => response.end("direct"));
    expect((await getJson(url, systemClock, DEADLINE_MS)).data).toBe("direct");
    expect(proxied).toEqual([]);
  });
});
