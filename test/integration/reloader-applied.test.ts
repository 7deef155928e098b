// "Applied" means that no connection is answered by the server before any more.
import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { systemProcesses } from "../../reloader/nginx/processes.ts";
import { until } from "../sandbox/until.ts";
import { type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

/** A connection that is silent, or has sent half a head. `finish` sends the rest and answers everything that comes back. */
async function awkward(port: number, half: boolean): Promise<{ socket: Socket; finish(): Promise<string> }> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (part) => (text += part));
  socket.on("error", () => null); // closed by nginx: what counts is what came back
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  await new Promise<void>((resolve) => socket.on("connect", resolve));
  if (half) socket.write("GET / HTTP/1.1\r\nHost: x\r\n");
  return {
    socket,
    finish: async () => {
      socket.write(half ? "Connection: close\r\n\r\n" : "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      await closed;
      return text;
    },
  };
}

test("no connection that was silent or had sent half a head gets the former server's answer once applied is said", async () => {
  const started = await servingPod();
  pod = started.pod;
  const second = await pod.instance("second");
  const connections = await Promise.all(Array.from({ length: 8 }, (_, i) => awkward(pod.proxyPort, i % 2 === 0)));
  await pod.publish({ generation: 2, server: second.server });
  await until("nginx answers with the new server", async () => (await pod.get()).body === "second");
  const status = await pod.applied(2, 20);
  expect(status.problem).toBeNull();
  const seen = started.first.requests.length;
  const answers = await Promise.all(connections.map((one) => one.finish()));
  expect(answers.filter((text) => text.includes("first"))).toEqual([]);
  expect(started.first.requests).toHaveLength(seen);
});

test("a reloader that was killed during a slow reload says nothing until nginx has loaded the config that it wants", async () => {
  const { reloader, nginx, first } = await servingPod().then((started) => {
    pod = started.pod;
    return started;
  });
  const second = await pod.instance("second");
  // nginx' master waits in the middle of its config until somebody opens the other end of this pipe.
  const pipe = join(pod.files.confFolder, "slow.conf");
  await promisify(execFile)("mkfifo", [pipe]);
  const reloads = await pod.reloadsOfNginx();
  await pod.publish({ generation: 2, server: second.server });
  await until("nginx loads the second server", async () => (await pod.reloadsOfNginx()) > reloads);
  reloader.signal("SIGKILL");
  await reloader.exited;
  await pod.publish({ generation: 3, server: first.server });
  await pod.startReloader();
  await until("nginx is signalled again", () => systemProcesses().hasPendingReload(nginx.master.pid));
  expect((await pod.status()).applied).toBeNull();
  const other = await open(pipe, "r+");
  try {
    await pod.applied(3, 20);
    const seen = second.requests.length;
    const answers = await Promise.all(Array.from({ length: 40 }, () => pod.get()));
    expect(answers.filter(({ body }) => body !== "first")).toEqual([]);
    expect(second.requests).toHaveLength(seen);
  } finally {
    await other.close();
  }
});
