import { createHash } from "node:crypto";
import axios from "axios";
import { expect, onTestFinished, test } from "vitest";
import { startStatusServer } from "../../../../common/status-server.ts";
import { createStatusPage } from "../../../../provisioner/page/page.ts";
import type { StatusDocument } from "../../../../provisioner/report/status-document.ts";
import { LOADING, READY } from "./sample-status.ts";

/** A page on a real status server; `show` changes what it shows, and `clock` stands still but for its steps. */
async function servePage() {
  let current: StatusDocument | Error = READY;
  let ticks = 0;
  const waiting = new Set<() => void>();
  const clock = {
    now: () => 0,
    monotonic: () => ticks,
    sleep: (_: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        waiting.add(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
  const document = async () => {
    if (current instanceof Error) throw current;
    return current;
  };
  const page = createStatusPage(document, clock);
  const health = () => ({ ok: true, why: "fine" });
  const metrics = { contentType: "text/plain", metrics: async () => "" };
  const source = { live: health, ready: health, status: document, metrics, page: page.answer };
  const server = await startStatusServer(0, source, "PROVISIONER_STATUS_PORT");
  onTestFinished(() => server.close());
  const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;
  const ask = (path: string, method = "GET") =>
    axios.request<string>({ url: url(path), method, proxy: false, validateStatus: () => true, responseType: "text" });
  return {
    server,
    ask,
    show: (status: StatusDocument | Error) => {
      current = status;
    },
    step: (ms: number) => {
      ticks += ms;
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
    isWaiting: () => waiting.size > 0,
    /** Opens a stream. `next` resolves to its next event, or to null at its end. */
    listen: async () => {
      const leave = new AbortController();
      onTestFinished(() => leave.abort());
      const response = await fetch(url("/events"), { signal: leave.signal });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const next = async (): Promise<string | null> => {
        for (;;) {
          const end = text.indexOf("\n\n");
          if (end >= 0) {
            const event = text.slice(0, end);
            text = text.slice(end + 2);
            return event;
          }
          const chunk = await reader?.read().catch(() => undefined);
          if (chunk?.value === undefined) return null;
          text += chunk.value;
        }
      };
      return { response, next, leave: () => leave.abort() };
    },
  };
}

test("the page allows only its own style and script, by their hashes, and may not be framed or cached", async () => {
  const { ask } = await servePage();
  const { headers, data, status } = await ask("/");
  expect([status, headers["content-type"], headers["cache-control"]]).toEqual([
    200,
    "text/html; charset=utf-8",
    "no-store",
  ]);
  const hash = (element: string) => {
    const text = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(data)?.[1] ?? "";
    return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  };
  expect(headers["content-security-policy"]).toBe(
    `default-src 'none'; style-src ${hash("style")}; script-src ${hash("script")}; connect-src 'self'; img-src data:; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(data.match(/<style/g)).toHaveLength(1);
  expect(data.match(/<script/g)).toHaveLength(1);
  expect(data).not.toMatch(/ (style|on\w+)=/);
});

test("the page has every link relative, and asks nobody else", async () => {
  const { ask } = await servePage();
  const { data } = await ask("/");
  const links = [...data.matchAll(/ (?:href|src|action)="([^"]*)"/g)].map(([, link]) => link);
  expect(links.filter((link) => !link?.startsWith("data:"))).toEqual(["status", "metrics"]);
});

test("the page says everything without JavaScript, and loads itself again", async () => {
  const { ask } = await servePage();
  const { data } = await ask("/");
  expect(data).toContain("<title>vast-pod-0: ready</title>");
  expect(data).toContain('<noscript><meta http-equiv="refresh" content="10"></noscript>');
  expect(data).toMatch(/3d 4h<\/time>/);
});

test("HEAD gets the headers only, and ends a stream at once", async () => {
  const { ask } = await servePage();
  expect(await ask("/", "HEAD")).toMatchObject({ status: 200, data: "" });
  expect(await ask("/events", "HEAD")).toMatchObject({ status: 200, data: "" });
});

test("other paths are not found, and the answer names the page", async () => {
  const { ask } = await servePage();
  expect(await ask("/event")).toMatchObject({ status: 404, data: expect.stringContaining("use /, /livez") });
});

test("a page that cannot be made is an error with its reason, and the stream ends", async () => {
  const { ask, listen, show, step, isWaiting } = await servePage();
  const stream = await listen();
  await stream.next();
  await expect.poll(isWaiting).toBe(true);
  show(new Error("broken"));
  step(1000);
  expect(await stream.next()).toBe(null);
  expect(await ask("/")).toMatchObject({ status: 500, data: "broken\n" });
  expect(await ask("/events")).toMatchObject({ status: 500, data: "broken\n" });
});

test("a stream sends what there is, then only what has changed, and a tick while nothing does", async () => {
  const { listen, show, step, isWaiting } = await servePage();
  const { next, response } = await listen();
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(await next()).toMatch(/^retry: 1000\ndata: \{.*"title":"vast-pod-0: ready"/);
  await expect.poll(isWaiting).toBe(true);
  step(1000); // nothing has changed: nothing is sent
  await expect.poll(isWaiting).toBe(true);
  step(4000);
  expect(await next()).toBe(`event: tick\ndata: ${READY.at}`);
  await expect.poll(isWaiting).toBe(true);
  show(LOADING);
  step(1000);
  expect(await next()).toMatch(/^data: \{.*"title":"vast-pod-0: provisioning"/);
});

test("the 17th stream is refused, and taken when another one has left", async () => {
  const { ask, listen } = await servePage();
  const streams = await Promise.all(Array.from({ length: 16 }, listen));
  expect(streams.map(({ response }) => response.status)).toEqual(Array.from({ length: 16 }, () => 200));
  expect(await ask("/events")).toMatchObject({ status: 503, data: "16 pages are open already: close one of them\n" });
  expect((await ask("/")).status).toBe(200);
  streams[3]?.leave();
  await expect.poll(async () => (await listen()).response.status).toBe(200);
});

test("a stream ends when the server is closed", async () => {
  const { listen, server } = await servePage();
  const { next } = await listen();
  await next();
  await server.close();
  expect(await next()).toBe(null);
});
