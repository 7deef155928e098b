// Twenty real provisioners with one API key and address, each in a network of its own, a real Redis, and the API's rate limits: the pod
// that reads for all is killed, stopped and cut off, and Redis is paused, restarted and emptied. In real time. Needs root.
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  createsIn,
  expectOneInstanceEach,
  interruptions,
  LONGEST_WITHOUT_LEADER_MS,
  type Member,
  memberWithLead,
  patientRedis,
  readyCount,
  refusedChanges,
  startMember,
  untilAnotherLeads,
  untilReady,
} from "../integration/fleet.ts";
import { openPod, type Pod } from "../integration/pod.ts";
import { type Network, type NetworkHost, openNetwork } from "../sandbox/network.ts";
import { startRedis } from "../sandbox/redis.ts";
import { until } from "../sandbox/until.ts";

const PODS = 20;
const LONGEST_MS = 300_000;
// A busy machine delays calls, so that one may arrive too early.
const MOST_REFUSED = 2;
// Between two creates.
const CREATE_MS = 4650;

// A pod notices within this time that its instance is gone, and wants a list.
const NOTICED_MS = 20_000;

let network: Network;
let pod: Pod;
let redis: Redis;
let hosts: NetworkHost[] = [];
let members: Member[] = [];
/** The pods whose instance a test has ended. */
const lost: Member[] = [];

// The tests share the fleet: it takes two minutes to start.
beforeAll(async () => {
  network = await openNetwork();
  const [api, instances, redisHost] = network.addresses;
  pod = await openPod({
    redis: true,
    addresses: { api, instances, redis: redisHost },
    timeScale: 1,
    bootSeconds: 5,
    emulatorApart: true,
    emulator: { rateLimits: "on" },
  });
  await pod.emulator.send("POST", "settings", { sharedAddress: true });
  redis = patientRedis(pod.redis?.url ?? "");
  hosts = await Promise.all(Array.from({ length: PODS }, () => network.join()));
  members = await Promise.all(hosts.map((host, i) => startMember(pod, i, { host })));
}, LONGEST_MS);
afterAll(async () => {
  redis?.disconnect();
  await Promise.all(members.map(({ child }) => child().stop()));
  await pod?.close();
  await network?.close();
}, LONGEST_MS);

afterEach(async () => {
  await expectOneInstanceEach(pod, members, lost);
  expect(interruptions(members.filter((one) => !lost.includes(one)))).toEqual([]);
  expect(refusedChanges(await pod.emulator.requests()).length).toBeLessThanOrEqual(MOST_REFUSED);
});

const lead = () => redis.get(pod.keys.lead);
const callsSince = async (from: number) => (await pod.emulator.requests()).filter(({ at }) => Date.parse(at) >= from);
const createdSince = async (from: number) => createsIn(await callsSince(from)).length;
const seconds = async (count: number) => {
  const from = performance.now();
  await until(`${count} s have passed`, () => performance.now() - from >= count * 1000, { timeoutMs: count * 2000 });
};

async function leading(): Promise<{ leader: Member; host: NetworkHost }> {
  const leader = await until("a pod leads", async () => memberWithLead(members, await lead()));
  const host = hosts[members.indexOf(leader)];
  if (host === undefined) throw new Error(`${leader.label} has no network`);
  return { leader, host };
}

async function expectAnotherLeads(before: Member): Promise<void> {
  expect(await untilAnotherLeads(members, lead, before)).toBeLessThan(LONGEST_WITHOUT_LEADER_MS);
}

/** Ends the instances of some pods, as if they had vanished. */
async function lose(some: readonly Member[]): Promise<void> {
  for (const one of some) {
    const [instance] = await pod.emulator.live(one.label);
    if (instance === undefined) throw new Error(`${one.label} has no instance`);
    await pod.emulator.event(instance.id, "kill");
    lost.push(one);
  }
}

test(
  "all pods start, although the leader is killed, and Redis is paused and forgets everything",
  async () => {
    const count = (most: number) =>
      until(`${most} have an instance`, async () => (await createdSince(0)) >= most, { timeoutMs: LONGEST_MS });
    await count(3);
    const { leader } = await leading();
    leader.child().signal("SIGKILL");
    await leader.child().exited;
    await Promise.all([expectAnotherLeads(leader), leader.start()]);
    await count(6);
    await redis.flushall();
    const flushedAt = Date.now();
    await count(9);
    const [next = Number.POSITIVE_INFINITY] = createsIn(await callsSince(flushedAt)).map(({ at }) => Date.parse(at));
    expect(next - flushedAt).toBeLessThan(CREATE_MS + 10_000);
    await redis.call("CLIENT", "PAUSE", "5000", "ALL");
    await untilReady(members, LONGEST_MS);
  },
  2 * LONGEST_MS,
);

test(
  "another pod leads when the leader is stopped, and the stopped one knows it when it goes on",
  async () => {
    const { leader } = await leading();
    leader.child().signal("SIGSTOP");
    try {
      await expectAnotherLeads(leader);
    } finally {
      leader.child().signal("SIGCONT");
    }
    await untilReady(members, 30_000);
    expect((await leading()).leader).not.toBe(leader);
  },
  LONGEST_MS,
);

test(
  "another pod leads when the leader is cut off from Redis, and both serve",
  async () => {
    const [, , redisHost] = network.addresses;
    const { leader, host } = await leading();
    await host.cutOff(redisHost);
    await expectAnotherLeads(leader).finally(() => host.reconnect(redisHost));
    await untilReady(members, 30_000);
  },
  LONGEST_MS,
);

test(
  "another pod leads when the leader is cut off from the API, and reads for one that needs a new instance",
  async () => {
    const [api] = network.addresses;
    const { leader, host } = await leading();
    const needy = members.filter((one) => one !== leader).slice(-1);
    await host.cutOff(api);
    try {
      await lose(needy);
      const noticed = until("it knows", async () => (await readyCount(needy)) === 0, { timeoutMs: 60_000 });
      const [afterMs] = await Promise.all([untilAnotherLeads(members, lead, leader), noticed]);
      expect(afterMs).toBeLessThan(NOTICED_MS + LONGEST_WITHOUT_LEADER_MS);
      await untilReady(needy, 60_000);
    } finally {
      await host.reconnect(api);
    }
    await untilReady(members, 30_000);
  },
  LONGEST_MS,
);

test(
  "pods that lose their instance while Redis is away, and then has forgotten everything, get one each",
  async () => {
    const from = Date.now();
    pod.redis?.server.signal("SIGKILL");
    await lose(members.slice(0, 3));
    await seconds(15);
    await startRedis(pod.sandbox, { host: network.addresses[2], port: pod.redis?.port ?? 0 });
    const back = Date.now();
    await until("all have another instance", async () => (await createdSince(from)) === 3, { timeoutMs: LONGEST_MS });
    await untilReady(members, 60_000);
    const atOnce = (await callsSince(back)).filter(({ at }) => Date.parse(at) < back + 10_000);
    expect(atOnce.length).toBeLessThanOrEqual(2 * PODS);
  },
  LONGEST_MS,
);
