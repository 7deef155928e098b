// Answers that clients read slowly take a limited part of nginx' disk.
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openReloaderPod } from "./reloader-pod.ts";

const MB = 1024 * 1024;

/** The bytes of the files without a name that nginx' workers have open. */
async function namelessBytes(master: number): Promise<number> {
  const workers = (await readFile(`/proc/${master}/task/${master}/children`, "utf8")).trim().split(" ");
  const sizes = workers.map(async (pid) => {
    let bytes = 0;
    for (const fd of await readdir(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${fd}`;
      const target = await readlink(path).catch(() => "");
      if (target.endsWith("(deleted)") && target.includes("/temp/")) bytes += (await stat(path)).size;
    }
    return bytes;
  });
  return (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
}

test("two slow readers of 200 MB keep at most 64 MB each on nginx' disk", async () => {
  const pod = await openReloaderPod();
  const sockets: ReturnType<typeof connect>[] = [];
  try {
    const piece = Buffer.alloc(MB, "x");
    const instance = await pod.instance("it", (incoming, response) => {
      if (incoming.url === "/small") return response.end("ok");
      let left = 200;
      const more = () => {
        for (; left > 0; left -= 1) if (!response.write(piece)) return;
        response.end();
      };
      response.on("drain", () => {
        left -= 1;
        more();
      });
      return more();
    });
    await pod.publish({ generation: 1, server: instance.server });
    await pod.startReloader();
    const { master } = await pod.startNginx();
    await pod.applied(1);
    for (let i = 0; i < 2; i += 1) {
      const socket = connect(pod.proxyPort, "127.0.0.1", () => socket.write("GET /large HTTP/1.1\r\nHost: h\r\n\r\n"));
      socket.pause().on("error", () => undefined);
      sockets.push(socket);
    }
    await until("both files are full", async () => (await namelessBytes(master.pid)) >= 2 * 63 * MB);
    for (let i = 0; i < 200; i += 1) expect((await pod.get("/small")).body).toBe("ok");
    expect(await namelessBytes(master.pid)).toBeLessThanOrEqual(2 * 65 * MB);
  } finally {
    for (const socket of sockets) socket.destroy();
    await pod.close();
  }
});
