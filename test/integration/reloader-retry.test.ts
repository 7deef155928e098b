// An instance that closes kept connections loses no GET, and gets no other request twice.
import { Agent, request } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

/** What the instance does with a request: how many it has seen on this connection, this one included. */
type Rule = (onThisConnection: number) => "answer" | "close";

let pod: ReloaderPod;
let server: Server;
let rule: Rule;
/** Each request that reached the instance: method and path. */
const seen: string[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  pod = await openReloaderPod();
  server = createServer((socket) => {
    let count = 0;
    let text = "";
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (part: Buffer) => {
      text += part.toString("latin1");
      const end = text.indexOf("\r\n\r\n") + 4;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 4 || text.length < end + length) return;
      const [method, path] = text.split(" ");
      text = "";
      count += 1;
      seen.push(`${method} ${path}`);
      if (rule(count) === "close") socket.destroy();
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${method === "HEAD" ? "" : "ok"}`);
    });
  });
  const port = await pod.sandbox.port();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await pod.publish({ generation: 1, server: { scheme: "http", host: "127.0.0.1", port } });
  await pod.startReloader();
  await pod.startNginx();
  await pod.applied(1);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await pod.close();
});
afterEach(() => {
  seen.length = 0;
});

function send(method: string, path: string, agent: Agent, body = ""): Promise<string> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    const headers = body === "" ? {} : { "content-length": body.length };
    const outgoing = request({ host: "127.0.0.1", port: pod.proxyPort, method, path, agent, headers }, (response) => {
      response.resume().on("error", failed);
      response.on("end", () => resolve(String(response.statusCode)));
    });
    outgoing.on("error", failed).end(body);
  });
}

/** Sends that many requests from 8 clients; returns the outcomes. */
async function sendMany(count: number, method: (i: number) => string, body = ""): Promise<string[]> {
  const outcomes: string[] = [];
  const client = async (n: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = n; i < count; i += 8) outcomes.push(await send(method(i), `/${i}`, agent, body));
    agent.destroy();
  };
  await Promise.all(Array.from({ length: 8 }, (_, n) => client(n)));
  return outcomes;
}

const repeated = () => seen.filter((one, i) => seen.indexOf(one) !== i);

describe("an instance that closes a connection instead of answering its third request", () => {
  const third: Rule = (count) => (count === 3 ? "close" : "answer");

  test("loses none of 1,000 GETs", async () => {
    rule = third;
    expect((await sendMany(1_000, () => "GET")).filter((outcome) => outcome !== "200")).toEqual([]);
    expect(repeated().length).toBeGreaterThan(50);
  });

  test.each(["HEAD", "OPTIONS"])("loses no %s", async (method) => {
    rule = third;
    expect((await sendMany(100, () => method)).filter((outcome) => outcome !== "200")).toEqual([]);
  });

  test("gets no POST and no PATCH twice, with a body or without", async () => {
    rule = third;
    for (const body of ["", "body"]) {
      const outcomes = await sendMany(200, (i) => (i % 2 === 0 ? "POST" : "PATCH"), body);
      expect(outcomes.filter((outcome) => outcome === "502").length).toBeGreaterThan(10);
      expect(repeated()).toEqual([]);
      seen.length = 0;
    }
  });

  test.each(["DELETE", "PUT", "PROPFIND", "PURGE", "MKCOL"])("loses no %s and gets none twice", async (method) => {
    rule = third;
    expect((await sendMany(50, () => method)).filter((outcome) => outcome !== "200")).toEqual([]);
    expect(repeated()).toEqual([]);
  });

  test("gets no GET with a body twice", async () => {
    rule = third;
    await sendMany(100, () => "GET", "body");
    expect(repeated()).toEqual([]);
  });
});

test.each(["GET", "DELETE", "POST"])(
  "a %s is sent once over a new connection, and its failure is a 502",
  async (method) => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    rule = () => "close";
    const agent = new Agent();
    // A connection that was destroyed just now may still be in nginx' pool: only the path that came last counts.
    for (const i of Array.from({ length: 8 }, (_, n) => n))
      expect(await send(method, `/first-${i}`, agent)).toBe("502");
    seen.length = 0;
    expect(await send(method, "/once", agent)).toBe("502");
    expect(seen).toEqual([`${method} /once`]);
  },
);
