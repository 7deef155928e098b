// The HTTP client is sockets: these tests use real ones, on loopback.
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer, Agent as TlsAgent } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../../common/clock.ts";
import { codeOf, messageOf } from "../../../common/errors.ts";
import { createHttpClient, createTextClient, FENCED, fenced, getJson, type HttpAdapter } from "../../../common/http.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";
import { SELF_SIGNED } from "../provisioner/observe/self-signed.ts";

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

describe("a fenced request", () => {
  const echo: RequestListener = (request, response) => {
    const body: Buffer[] = [];
    request.on("data", (chunk: Buffer) => body.push(chunk));
    request.on("end", () => response.end(`${request.method} ${Buffer.concat(body).toString()}`));
  };

  const gate = (): [Promise<void>, () => void] => {
    let open: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return [opened, () => open?.()];
  };

  /** A server that speaks TLS behind a relay, and the handshake that passes only after `release`. */
  async function behindSlowHandshake() {
    let came = 0;
    const server = createTlsServer(SELF_SIGNED, (request, response) => {
      came += 1;
      echo(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const [hello, helloCame] = gate();
    const [held, release] = gate();
    const relay = createTcpServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("readable", async () => {
        helloCame();
        await held;
        const onward = connect(port, "127.0.0.1");
        onward.on("error", () => onward.destroy());
        socket.pipe(onward).pipe(socket);
      });
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
      relay.close();
    });
    const url = `https://127.0.0.1:${(relay.address() as AddressInfo).port}`;
    const httpsAgent = new TlsAgent({ rejectUnauthorized: false });
    return { url, httpsAgent, hello, release, came: () => came };
  }

  test("is written with its body, on a new connection, while the fence is open", async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      echo(request, response);
    });
    const client = createHttpClient({ proxy: false });
    for (const body of ["first", "second"]) {
      const { data } = await client.put(
        url,
        body,
        fenced(() => true),
      );
      expect(data).toBe(`PUT ${body}`);
    }
    expect(ports.size).toBe(2); // each on a connection of its own
  });

  test("is not written when the fence has closed, and its error says so", async () => {
    let came = 0;
    const url = await serve((_, response) => {
      came += 1;
      response.end();
    });
    const failed = createHttpClient({ proxy: false }).put(
      url,
      "body",
      fenced(() => false),
    );
    expect(codeOf(await failed.catch((error: unknown) => error))).toBe(FENCED);
    expect(came).toBe(0);
  });

  test("is not written when the fence closes during the TLS handshake", async () => {
    const { url, httpsAgent, hello, release, came } = await behindSlowHandshake();
    let open = true;
    const failed = createHttpClient({ proxy: false, httpsAgent }).put(
      url,
      "body",
      fenced(() => open),
    );
    await hello;
    open = false;
    release();
    expect(codeOf(await failed.catch((error: unknown) => error))).toBe(FENCED);
    expect(came()).toBe(0);
  });

  test("is written after a slow TLS handshake when the fence stays open", async () => {
    const { url, httpsAgent, hello, release } = await behindSlowHandshake();
    const answered = createHttpClient({ proxy: false, httpsAgent }).put<string>(
      url,
      "body",
      fenced(() => true),
    );
    await hello;
    release();
    expect((await answered).data).toBe("PUT body");
  });

  test("waits on its open connection until it may be written", async () => {
    let came = 0;
    const url = await serve((request, response) => {
      came += 1;
      echo(request, response);
    });
    const [asked, isAsked] = gate();
    const [open, release] = gate();
    const answered = createHttpClient({ proxy: false }).put<string>(
      url,
      "body",
      fenced(async () => {
        isAsked();
        await open;
        return true;
      }),
    );
    await asked;
    expect(came).toBe(0);
    release();
    expect((await answered).data).toBe("PUT body");
  });

  test("is not written when it was cancelled during that wait, and fails with what its last wait throws", async () => {
    let came = 0;
    const url = await serve((_, response) => {
      came += 1;
      response.end();
    });
    const client = createHttpClient({ proxy: false });
    const [asked, isAsked] = gate();
    const [open, release] = gate();
    const stop = new AbortController();
    const wait = async () => {
      isAsked();
      await open;
      return true;
    };
    const cancelled = client.put(url, "body", { ...fenced(wait), signal: stop.signal });
    await asked;
    stop.abort();
    expect(codeOf(await cancelled.catch((error: unknown) => error))).toBe("ERR_CANCELED");
    release();
    const broken = client.put(
      url,
      "body",
      fenced(() => Promise.reject(new Error("no turn"))),
    );
    expect(messageOf(await broken.catch((error: unknown) => error))).toBe("no turn");
    expect(came).toBe(0);
  });

  test("asks the fence before the network's replacement too", async () => {
    const network: HttpAdapter = async (config) => ({
      data: "sent",
      status: 200,
      statusText: "",
      headers: {},
      config,
    });
    const request = createTextClient({ headers: {}, adapter: network });
    const put = (open: boolean) => request({ method: "PUT", url: "/x", data: "body", headers: {} }, () => open);
    expect((await put(true)).data).toBe("sent");
    expect(codeOf(await put(false).catch((error: unknown) => error))).toBe(FENCED);
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
