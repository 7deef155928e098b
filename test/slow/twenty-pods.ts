// Twenty real provisioners with one API key and address, each in a network of its own, a real Redis, and the API's rate limits: starts
// them, and does what all forms of Redis are tested with. In real time. Touches processes and the network; needs root.
import { expect } from "vitest";
import {
  createsIn,
  expectOneInstanceEach,
  interruptions,
  LONGEST_WITHOUT_LEADER_MS,
  type Member,
  memberWithLead,
  readyCount,
  refusedChanges,
  startMember,
  untilAnotherLeads,
  untilReady,
} from "../integration/fleet.ts";
import { openPod, type Pod } from "../integration/pod.ts";
import { type Network, type NetworkHost, openNetwork } from "../sandbox/network.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";

export const PODS = 20;
/** For a wait that is in vain on a machine that has time. */
export const LONGEST_MS = 300_000;
// Between two creates.
const CREATE_MS = 4650;
// With this name a Cluster of three nodes has the keys of the account, the turns of its API key and those of the address on a node each.
const FLEET_EGRESS = "nat";
// A busy machine delays calls, so that one may arrive too early.
const MOST_REFUSED = 2;

/** The Redis of the pods. */
export interface FleetRedis {
  url: string;
  /** The value of a key now. Rejects while no server answers. */
  get(key: string): Promise<string | null>;
}

export interface TwentyPods<R extends FleetRedis> {
  readonly pod: Pod;
  readonly redis: R;
  readonly members: readonly Member[];
  /** Addresses of this machine. What a pod cannot reach is cut off by them. */
  readonly apiHost: string;
  readonly redisHost: string;
  lead(): Promise<string | null>;
  leading(): Promise<{ leader: Member; host: NetworkHost }>;
  callsSince(from: number): ReturnType<Pod["emulator"]["requests"]>;
  /** How many instances were created since then. */
  createdSince(from: number): Promise<number>;
  /** Ends the instances of some pods, as if they had vanished. */
  lose(some: readonly Member[]): Promise<void>;
  /**
   * After any fault: each pod has one instance and never had a second one, but for those whose instance was ended; no other pod has
   * stopped serving; and the pods have kept to the API's limits for creates and destroys.
   */
  expectSound(): Promise<void>;
  close(): Promise<void>;
}

/** `startIn` starts their Redis on an address of this machine that all pods reach. */
export async function startTwentyPods<R extends FleetRedis>(
  startIn: (sandbox: Sandbox, host: string) => Promise<R>,
): Promise<TwentyPods<R>> {
  const network = await openNetwork();
  const [api, instances] = network.addresses;
  const limited = { emulatorApart: true, emulator: { rateLimits: "on" }, env: { FLEET_EGRESS } } as const;
  const pod = await openPod({ addresses: { api, instances }, timeScale: 1, bootSeconds: 5, ...limited }).catch(
    async (error: unknown) => {
      await network.close();
      throw error;
    },
  );
  try {
    return await fill(network, pod, startIn);
  } catch (error) {
    await pod.close();
    await network.close();
    throw error;
  }
}

async function fill<R extends FleetRedis>(
  network: Network,
  pod: Pod,
  startIn: (sandbox: Sandbox, host: string) => Promise<R>,
): Promise<TwentyPods<R>> {
  const [apiHost, , redisHost] = network.addresses;
  await pod.emulator.send("POST", "settings", { sharedAddress: true });
  const redis = await startIn(pod.sandbox, redisHost);
  const hosts = await Promise.all(Array.from({ length: PODS }, () => network.join()));
  const env = { BLACKLIST_ENABLED: "true", BLACKLIST_REDIS_URL: redis.url };
  const members = await Promise.all(hosts.map((host, i) => startMember(pod, i, { host, env })));
  /** The pods whose instance a test has ended. */
  const lost: Member[] = [];
  const lead = () => redis.get(pod.keys.lead);
  const callsSince = async (from: number) => (await pod.emulator.requests()).filter(({ at }) => Date.parse(at) >= from);
  return {
    pod,
    redis,
    members,
    apiHost,
    redisHost,
    lead,
    async leading() {
      const leader = await until("a pod leads", async () => memberWithLead(members, await lead()));
      const host = hosts[members.indexOf(leader)];
      if (host === undefined) throw new Error(`${leader.label} has no network`);
      return { leader, host };
    },
    callsSince,
    createdSince: async (from) => createsIn(await callsSince(from)).length,
    async lose(some) {
      for (const one of some) {
        const [instance] = await pod.emulator.live(one.label);
        if (instance === undefined) throw new Error(`${one.label} has no instance`);
        await pod.emulator.event(instance.id, "kill");
        lost.push(one);
      }
    },
    async expectSound() {
      await expectOneInstanceEach(pod, members, lost);
      expect(interruptions(members.filter((one) => !lost.includes(one)))).toEqual([]);
      expect(refusedChanges(await pod.emulator.requests()).length).toBeLessThanOrEqual(MOST_REFUSED);
    },
    async close() {
      await Promise.all(members.map(({ child }) => child().stop()));
      await pod.close();
      await network.close();
    },
  };
}

type Fleet = TwentyPods<FleetRedis>;

/** While the fleet starts: waits until so many pods have got an instance. */
export const untilCreated = ({ createdSince }: Fleet, count: number): Promise<boolean> =>
  until(`${count} have an instance`, async () => (await createdSince(0)) >= count, { timeoutMs: LONGEST_MS });

export async function expectAnotherLeads({ members, lead }: Fleet, before: Member): Promise<void> {
  expect(await untilAnotherLeads(members, lead, before)).toBeLessThan(LONGEST_WITHOUT_LEADER_MS);
}

/** Kills the leader and starts its pod again: another one leads. */
export async function killLeader(fleet: Fleet): Promise<void> {
  const { leader } = await fleet.leading();
  leader.child().signal("SIGKILL");
  await leader.child().exited;
  await Promise.all([expectAnotherLeads(fleet, leader), leader.start()]);
}

/** While the fleet starts, a fault hits what the pods share: creates go on within ten seconds. */
export async function expectCreateSoonAfter(fleet: Fleet, fault: () => Promise<unknown>): Promise<void> {
  await fault();
  const faultAt = Date.now();
  const first = async () => createsIn(await fleet.callsSince(faultAt))[0];
  const next = await until("another instance is created", first, { timeoutMs: LONGEST_MS });
  expect(Date.parse(next.at) - faultAt).toBeLessThan(CREATE_MS + 10_000);
}

/** Stops the leader's process for a while: another one leads, and the stopped one knows it when it goes on. */
export async function stopLeaderForAWhile(fleet: Fleet): Promise<void> {
  const { leader } = await fleet.leading();
  leader.child().signal("SIGSTOP");
  await expectAnotherLeads(fleet, leader).finally(() => leader.child().signal("SIGCONT"));
  await untilReady(fleet.members, 30_000);
  expect((await fleet.leading()).leader).not.toBe(leader);
}

/** Cuts the leader off from all servers of Redis for a while: another one leads, and both serve. */
export async function cutLeaderOffFromRedis(fleet: Fleet): Promise<void> {
  const { leader, host } = await fleet.leading();
  await host.cutOff(fleet.redisHost);
  await expectAnotherLeads(fleet, leader).finally(() => host.reconnect(fleet.redisHost));
  await untilReady(fleet.members, 30_000);
}

/** Waits until some pods know that their instance is gone. */
export const untilNoticed = (some: readonly Member[]): Promise<boolean> =>
  until("they know that their instance is gone", async () => (await readyCount(some)) === 0, { timeoutMs: 60_000 });
