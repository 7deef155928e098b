// Five pods share a real Redis behind Sentinels.
import { Redis } from "ioredis";
import { afterEach, beforeEach, test } from "vitest";
import { startSentinels } from "../sandbox/redis-sentinel.ts";
import { expectStartInSpiteOfFailover, openFailoverPod } from "./fleet-failover.ts";
import type { Pod } from "./pod.ts";

const PASSWORDS = { redis: "redis-password-3Kf", sentinel: "sentinel-password-9Lm" };

let pod: Pod;
beforeEach(async () => {
  pod = await openFailoverPod();
});
afterEach(() => pod.close());

test("all pods start, although the one that reads for all is killed, and then the primary", async () => {
  const { url, primary, replica } = await startSentinels(pod.sandbox, PASSWORDS);
  const clients = [primary, replica].map(({ port }) => {
    const client = new Redis({ host: "127.0.0.1", port, password: PASSWORDS.redis, db: 10, retryStrategy: () => 200 });
    client.on("error", () => undefined); // the primary is killed on purpose
    return client;
  });
  let [current, next] = clients;
  const lead = async () => (await current?.get(pod.keys.lead)) ?? null;
  try {
    await expectStartInSpiteOfFailover(pod, url, lead, async () => {
      primary.server.signal("SIGKILL");
      await primary.server.exited;
      [current, next] = [next, current];
    });
  } finally {
    for (const client of clients) client.disconnect();
  }
});
