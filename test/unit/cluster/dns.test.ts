import { expect, test } from "vitest";
import { answerQuery, type Lookup } from "../../cluster/own/dns.ts";

const A = 1;
const AAAA = 28;

/** As a resolver sends it: header, the name, type and class. */
function query(name: string, type: number): Buffer {
  const header = Buffer.from([0xab, 0xcd, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

const lookup: Lookup = async (service, namespace) =>
  service === "redis" && namespace === "e2e" ? ["10.0.0.7", "10.244.0.9"] : null;
const codeOf = (reply: Buffer) => reply.readUInt8(3) & 0x0f;
const addressesOf = (reply: Buffer) =>
  Array.from({ length: reply.readUInt16BE(6) }, (_, i) => {
    const end = reply.length - 16 * (reply.readUInt16BE(6) - 1 - i);
    return [...reply.subarray(end - 4, end)].join(".");
  });

test("a Service has its addresses", async () => {
  const reply = await answerQuery(query("redis.e2e.svc.cluster.local", A), lookup);
  expect(reply.readUInt16BE(0)).toBe(0xabcd);
  expect(codeOf(reply)).toBe(0);
  expect(addressesOf(reply)).toEqual(["10.0.0.7", "10.244.0.9"]);
});

test("case does not matter", async () => {
  expect(addressesOf(await answerQuery(query("Redis.E2E.svc.Cluster.local", A), lookup))).toHaveLength(2);
});

test("a Service exists, but has no IPv6 address", async () => {
  const reply = await answerQuery(query("redis.e2e.svc.cluster.local", AAAA), lookup);
  expect([codeOf(reply), addressesOf(reply)]).toEqual([0, []]);
});

test.each(["other.e2e.svc.cluster.local", "redis.e2e", "redis.e2e.svc.cluster.local.e2e.svc.cluster.local"])(
  "%s does not exist",
  async (name) => {
    expect(codeOf(await answerQuery(query(name, A), lookup))).toBe(3);
  },
);
