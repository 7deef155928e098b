// Proxied requests per second with many clients and a small answer: the gain of keep-alive connections to the instance.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Server } from "../../common/upstream-file.ts";
import { nginxPaths, startNginx } from "../sandbox/nginx.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { startContestants } from "./contestants.ts";
import { contestant, interleave } from "./interleave.ts";
import type { ResultLine } from "./result-line.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = 64;
const SECONDS = 3;
const ROUNDS = 5;
const UNIT = "requests/s";

export async function throughput(): Promise<ResultLine[]> {
  const sandbox = await openSandbox("vast-pod-bench-");
  try {
    const server = await startInstance(sandbox);
    const { ourPort, plainPort } = await startContestants(sandbox, server);
    const ours = contestant(() => load(sandbox, ourPort));
    const plain = contestant(() => load(sandbox, plainPort));
    await interleave(ROUNDS, [ours, plain]);
    return [
      {
        what: `proxied requests/s, small body, ${CONNECTIONS} connections`,
        ours: { value: median(ours.samples), unit: UNIT },
        against: {
          value: median(plain.samples),
          unit: UNIT,
          what: "the same nginx, a connection to the instance each",
        },
        goal: { atLeast: 3 },
      },
    ];
  } finally {
    await sandbox.close();
  }
}

/** An instance that costs almost nothing, so that the proxy is measured: a separate nginx. */
async function startInstance(sandbox: Sandbox): Promise<Server> {
  const { confFolder } = nginxPaths(sandbox.folder, "instance");
  const port = await sandbox.port();
  await mkdir(confFolder, { recursive: true });
  const conf = `server {
  listen 127.0.0.1:${port};
  access_log off;
  keepalive_requests 1000000;
  location / {
    default_type text/plain;
    return 200 "a small answer\\n";
  }
}
`;
  await writeFile(join(confFolder, "instance.conf"), conf);
  await startNginx(sandbox, "instance", { workers: 1 });
  return { scheme: "http", host: "127.0.0.1", port };
}

/** Requests per second. Throws if any of them failed, because the rate would mean nothing. */
async function load(sandbox: Sandbox, port: number): Promise<number> {
  const args = ["-t", "2", "-c", String(CONNECTIONS), "-d", `${SECONDS}s`, `http://127.0.0.1:${port}/`];
  const wrk = await sandbox.start({ name: "wrk", program: "wrk", args });
  await wrk.exited;
  const text = wrk.lines.join("\n");
  const rate = /Requests\/sec:\s*([\d.]+)/.exec(text)?.[1];
  if (rate === undefined || /Non-2xx|Socket errors/.test(text)) throw new Error(`wrk failed:\n${text}`);
  return Number(rate);
}
