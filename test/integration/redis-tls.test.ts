// Leases in a Redis behind a Sentinel and in a Cluster, both over TLS alone as far as the provisioner knows: it checks the certificate of
// each server by the name that the Sentinel or the Cluster tells.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRedis } from "../sandbox/redis.ts";
import { ROOT } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

const PASSWORD = "redis-password-5Tn";
const FILES = join(ROOT, "test/integration/tls");
const TLS: readonly (readonly [name: string, value: string])[] = [
  ["tls-cert-file", `${FILES}/instance.pem`],
  ["tls-key-file", `${FILES}/instance.key`],
  ["tls-ca-cert-file", `${FILES}/ca.pem`],
  ["tls-auth-clients", "no"],
];

let pod: Pod;
beforeEach(async () => {
  pod = await openPod();
});
afterEach(() => pod.close());

/** A Redis that listens with and without TLS; `plain` is the port without. */
async function startTlsRedis(more: readonly string[]) {
  const port = await pod.sandbox.port();
  const files = TLS.flatMap(([name, value]) => [`--${name}`, value]);
  const args = ["--tls-port", String(port), ...files, "--requirepass", PASSWORD, ...more];
  const { port: plain } = await startRedis(pod.sandbox, { args });
  return { port, plain };
}

async function startTlsSentinel(primaryPort: number): Promise<number> {
  const port = await pod.sandbox.port();
  const folder = await pod.sandbox.subfolder("sentinel");
  const file = join(folder, "sentinel.conf");
  const lines = [
    ...TLS.map(([name, value]) => `${name} ${value}`),
    `dir ${folder}`,
    "bind 127.0.0.1",
    "port 0",
    `tls-port ${port}`,
    "tls-replication yes",
    "sentinel resolve-hostnames yes",
    "sentinel announce-hostnames yes",
    `sentinel monitor main localhost ${primaryPort} 1`,
    `sentinel auth-pass main ${PASSWORD}`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  await pod.sandbox.start({ name: "sentinel", program: "redis-server", args: [file, "--sentinel"] });
  return port;
}

/** Starts a provisioner with that URL, and expects its lease in the Redis that listens on the port. */
async function expectLease(url: string, plain: number, db: number): Promise<void> {
  const env = { FLEET_REDIS_URL: url, FLEET_REDIS_PASSWORD: PASSWORD, NODE_EXTRA_CA_CERTS: `${FILES}/ca.pem` };
  const provisioner = await pod.provision(env);
  const context = () => provisioner.lines.join("\n");
  const redis = new Redis({ host: "127.0.0.1", port: plain, password: PASSWORD, db });
  try {
    const hasLease = async () => (await redis.exists(pod.keys.lease(pod.label))) === 1;
    await until("the provisioner has its lease", hasLease, { timeoutMs: 60_000, context });
  } finally {
    redis.disconnect();
  }
  await pod.ready(60_000);
  expect(context()).not.toContain(PASSWORD);
}

test("with rediss+sentinel the Sentinel and the primary that it names are used over TLS", async () => {
  const { port, plain } = await startTlsRedis([]);
  const sentinel = await startTlsSentinel(port);
  await expectLease(`rediss+sentinel://localhost:${sentinel}/main/10`, plain, 10);
});

test("with rediss+cluster each node of the Cluster is used over TLS", async () => {
  const bus = String(await pod.sandbox.port());
  const named = ["--cluster-announce-hostname", "localhost", "--cluster-preferred-endpoint-type", "hostname"];
  const cluster = ["--cluster-enabled", "yes", "--cluster-port", bus, "--tls-cluster", "yes", ...named];
  const { port, plain } = await startTlsRedis(cluster);
  const node = new Redis({ host: "127.0.0.1", port: plain, password: PASSWORD });
  try {
    await node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
    const isComplete = async () => String(await node.call("CLUSTER", "INFO")).includes("cluster_state:ok");
    await until("the Cluster is complete", isComplete, { timeoutMs: 30_000 });
  } finally {
    node.disconnect();
  }
  await expectLease(`rediss+cluster://localhost:${port}`, plain, 0);
});
