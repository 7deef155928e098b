// What clients and Kubernetes get while no instance is served, and how fast that changes.
import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

test("every request is a 503 with Retry-After and the state as JSON, whatever its method and size", async () => {
  pod = await openReloaderPod();
  await pod.startReloader();
  await pod.startNginx();
  const message = 'loading "example/app:2", 40 %';
  await pod.publish({ server: null, state: "provisioning", reason: "instance_loading", message });
  await pod.applied(1);
  const answer = await pod.get("/v1/models?x=%20");
  expect(answer.status).toBe(503);
  expect(answer.headers).toMatchObject({
    "retry-after": "10",
    "content-type": "application/json",
    "cache-control": "no-store",
  });
  expect(JSON.parse(answer.body)).toEqual({
    pod: "vast-pod-0",
    state: "provisioning",
    reason: "instance_loading",
    message,
    updatedAt: expect.any(String),
  });
  expect((await pod.get("/-/ready")).status).toBe(503);
  expect((await pod.get("/-/live")).status).toBe(200);
  const large = 20 * 1024 * 1024;
  for (const head of [
    "HEAD /x",
    "DELETE /x",
    `POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: ${large}`,
    "GET /a/../b",
  ]) {
    const first = head.includes("HTTP") ? head : `${head} HTTP/1.1\r\nHost: h`;
    const text = await pod.raw(`${first}\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 503/);
    expect(text).toContain("Retry-After: 10");
  }
});

test("readiness follows the upstream file within a second, in both directions", async () => {
  const started = await servingPod();
  pod = started.pod;
  const ready = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const outgoing = request(
        { host: "127.0.0.1", port: pod.proxyPort, path: "/-/ready", agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      outgoing.on("error", reject).end();
    });
  for (let generation = 2; generation < 8; generation += 1) {
    const server = generation % 2 === 0 ? null : started.first.server;
    await pod.publish({ generation, server });
    const turned = async () => (await ready()) === (server === null ? 503 : 200);
    const publishedAt = performance.now();
    await until(`readiness shows generation ${generation}`, turned, { everyMs: 10 });
    // The documented second.
    expect(performance.now() - publishedAt).toBeLessThan(1_000);
  }
});
