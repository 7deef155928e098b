// Which request headers reach the instance through the real nginx, and which ones nginx sets itself.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { type Instance, openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
let instance: Instance;

beforeAll(async () => {
  pod = await openReloaderPod();
  instance = await pod.instance("it");
  await pod.publish({ generation: 1, server: instance.server });
  await pod.startReloader();
  await pod.startNginx();
  await pod.applied(1);
  await until("the proxy answers", async () => (await pod.get("/-/ready")).status === 200);
});
afterAll(() => pod.close());
afterEach(() => {
  instance.requests.length = 0;
});

/** Sends a request with these lines; returns the answer, and what the instance saw. */
async function send(requestLine: string, ...headers: string[]) {
  const answer = await pod.raw(`${[requestLine, ...headers].join("\r\n")}\r\n\r\n`);
  const seen = instance.requests.at(-1);
  if (seen === undefined) throw new Error(`the instance saw no request: ${answer}`);
  return { answer, headers: seen.headers, raw: seen.rawHeaders };
}

describe("an Upgrade header", () => {
  test.each([
    [
      "Java's h2c",
      ["Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"],
      "Upgrade, HTTP2-Settings",
    ],
    ["h2c in capitals", ["Upgrade: H2C", "HTTP2-Settings: AAMAAABk"], "upgrade, http2-settings"],
    ["TLS", ["Upgrade: TLS/1.3"], "Upgrade"],
    ["a list with WebSocket", ["Upgrade: h2c, websocket", "HTTP2-Settings: AAMAAABk"], "Upgrade, HTTP2-Settings"],
    ["h2c before WebSocket in a second header", ["Upgrade: h2c", "Upgrade: websocket"], "Upgrade"],
    ["a word that begins like WebSocket", ["Upgrade: websocket2"], "Upgrade"],
    ["HTTP/2", ["Upgrade: HTTP/2.0"], "Upgrade"],
  ])("that offers %s becomes a plain request", async (_, offer, connection) => {
    const { answer, headers } = await send("GET / HTTP/1.1", "Host: h", ...offer, `Connection: close, ${connection}`);
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    for (const name of ["upgrade", "http2-settings"]) expect(headers).not.toHaveProperty(name);
    expect(headers.connection ?? "keep-alive").not.toMatch(/upgrade|settings/i);
  });

  test.each(["POST / HTTP/1.1", "GET / HTTP/1.0"])("for WebSocket is no offer in a %s", async (requestLine) => {
    const length = requestLine.startsWith("POST") ? ["Content-Length: 0"] : [];
    const { answer, headers } = await send(
      requestLine,
      "Host: h",
      ...length,
      "Upgrade: websocket",
      "Connection: close, Upgrade",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(headers).not.toHaveProperty("upgrade");
  });

  test.each(["websocket", "WebSocket", "WEBSOCKET"])("that says %s is passed on", async (word) => {
    instance.http.removeAllListeners("upgrade").once("upgrade", (incoming, socket) => {
      instance.requests.push(incoming);
      socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
    });
    const { answer, headers } = await send("GET /ws HTTP/1.1", "Host: h", `Upgrade: ${word}`, "Connection: Upgrade");
    expect(answer).toMatch(/^HTTP\/1\.1 101[\s\S]*hello$/);
    expect(headers).toMatchObject({ upgrade: word, connection: "upgrade" });
    instance.http.removeAllListeners("upgrade");
  });
});
