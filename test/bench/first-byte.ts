// Time to the first byte of an answer with a round trip of 40 ms to the instance: the cost of the proxy.
import { Agent, createServer, get } from "node:http";
import { openSandbox } from "../sandbox/sandbox.ts";
import { startContestants } from "./contestants.ts";
import { startRelay } from "./delaying-relay.ts";
import { contestant, interleave } from "./interleave.ts";
import type { ResultLine } from "./result-line.ts";
import { median } from "./statistics.ts";

const ONE_WAY_MS = 20;
const ROUNDS = 40;

export async function firstByte(): Promise<ResultLine[]> {
  const sandbox = await openSandbox("vast-pod-bench-");
  const instance = createServer((_, response) => response.end("a small answer\n"));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const instancePort = await sandbox.port();
  const relayPort = await sandbox.port();
  await new Promise<void>((resolve) => instance.listen(instancePort, "127.0.0.1", resolve));
  const relay = await startRelay(relayPort, instancePort, ONE_WAY_MS);
  try {
    const server = { scheme: "http", host: "127.0.0.1", port: relayPort } as const;
    const { ourPort, plainPort } = await startContestants(sandbox, server);
    // From here on every connection that can be kept is open.
    for (const port of [ourPort, relayPort, plainPort]) await timeFirstByte(agent, port);
    const ours = contestant(() => timeFirstByte(agent, ourPort));
    const direct = contestant(() => timeFirstByte(agent, relayPort));
    const plain = contestant(() => timeFirstByte(agent, plainPort));
    await interleave(ROUNDS, [ours, direct, plain]);
    const value = { value: median(ours.samples), unit: "ms" };
    const what = `first byte at ${2 * ONE_WAY_MS} ms round trip`;
    return [
      {
        what,
        ours: value,
        against: { value: median(direct.samples), unit: "ms", what: "directly, on a warm connection" },
        goal: { atMost: 1.1 },
      },
      {
        what,
        ours: value,
        against: {
          value: median(plain.samples),
          unit: "ms",
          what: "the same nginx, a connection to the instance each",
        },
        goal: null,
      },
    ];
  } finally {
    agent.destroy();
    await relay.close();
    instance.closeAllConnections();
    instance.close();
    await sandbox.close();
  }
}

/** In ms, over a connection that `agent` keeps open. */
function timeFirstByte(agent: Agent, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const request = get({ host: "127.0.0.1", port, agent }, (response) => {
      const ms = performance.now() - began;
      response.resume();
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(ms);
        else reject(new Error(`port ${port} answers ${response.statusCode}`));
      });
    });
    request.on("error", reject);
  });
}
