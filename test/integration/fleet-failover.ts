// What five pods with one API key and address do when the pod that reads for all is killed while they start, and then the Redis that holds
// what they share, so that its replica takes over. Touches processes and the network.
import { expect } from "vitest";
import { type ReplicatedRedis, valueIn } from "../sandbox/redis-nodes.ts";
import { until } from "../sandbox/until.ts";
import {
  createsIn,
  expectOneInstanceEach,
  interruptions,
  LONGEST_WITHOUT_LEADER_MS,
  memberWithLead,
  refusedChanges,
  startMember,
  untilAnotherLeads,
  untilReady,
} from "./fleet.ts";
import { openPod, type Pod } from "./pod.ts";

const PODS = 5;

export const openFailoverPod = () =>
  openPod({ timeScale: 1, bootSeconds: 1, emulatorApart: true, emulator: { rateLimits: "on" } });

export async function expectStartInSpiteOfFailover(pod: Pod, redis: ReplicatedRedis): Promise<void> {
  const env = { FLEET_REDIS_URL: redis.url };
  const lead = () => valueIn(redis, pod.keys.lead);
  const members = await Promise.all(Array.from({ length: PODS }, (_, i) => startMember(pod, i, { env })));
  const created = async () => createsIn(await pod.emulator.requests()).length;
  const context = () => members.flatMap(({ child }) => child().lines.slice(-4)).join("\n");
  await until("one has an instance", async () => (await created()) >= 1, { timeoutMs: 90_000, context });
  const killed = memberWithLead(members, await lead());
  killed?.child().signal("SIGKILL");
  await killed?.child().exited;
  const [afterMs] = await Promise.all([untilAnotherLeads(members, lead, killed), killed?.start()]);
  expect(afterMs).toBeLessThan(LONGEST_WITHOUT_LEADER_MS);

  const { server } = await redis.primaryOf(pod.keys.lead);
  server.signal("SIGKILL");
  await server.exited;
  await untilReady(members, 90_000);
  await untilAnotherLeads(members, lead, null);
  await expectOneInstanceEach(pod, members);
  expect(interruptions(members)).toEqual([]);
  expect(refusedChanges(await pod.emulator.requests())).toEqual([]);
}
