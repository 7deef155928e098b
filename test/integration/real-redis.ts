// A connection of the program to a real Redis, for the tests that compare it with the simulated one. Touches processes and the network.
import { afterAll, beforeAll } from "vitest";
import { systemClock } from "../../common/clock.ts";
import { createLogger } from "../../common/logging.ts";
import { connectRedis, type RedisConnection } from "../../provisioner/redis/connection.ts";
import { startRedis } from "../sandbox/redis.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { addressOf } from "./redis-address.ts";

/** A command waits a second for the connection, which a busy machine may need longer for. */
export async function untilConnected(connection: RedisConnection): Promise<void> {
  await until("Redis is connected", () => connection.mget(["any"]).then(() => true));
}

/** Starts a Redis for all tests of the file that calls this, and answers how to get the connection in a test. */
export function useRealRedis(): () => RedisConnection {
  let sandbox: Sandbox;
  let real: RedisConnection;
  beforeAll(async () => {
    sandbox = await openSandbox();
    const { url } = await startRedis(sandbox);
    real = connectRedis(addressOf(url), createLogger({ app: "test", debug: false, secrets: () => [] }), systemClock);
    await untilConnected(real);
  });
  afterAll(async () => {
    real.close();
    await sandbox.close();
  });
  return () => real;
}
