// Several real provisioners with one key, one address and one Redis, under the API's rate limits, whose instances are all stopped at once:
// their destroys take turns, and a pod waits for its turn in a state of its own.
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { brokenTurns, expectOneInstanceEach, type Member, openLimitedPod, startMember, untilReady } from "./fleet.ts";
import type { Pod } from "./pod.ts";

const PODS = 8;
// Of the clocks. A call that takes a tenth of a second counts for 0.4 s: the emulator may refuse one, but none may leave too soon.
const TIME_SCALE = 4;
// When the gate of the destroys opens, in ms: far in the future, until all pods wait for it.
const FAR = 9e15;

let pod: Pod;
beforeEach(async () => {
  pod = await openLimitedPod(TIME_SCALE);
});
afterEach(() => pod.close());

test("eight pods whose instances are all stopped destroy them one after another, and replace each once", async () => {
  const members = await Promise.all(Array.from({ length: PODS }, (_, index) => startMember(pod, index)));
  await untilReady(members, 180_000);
  const { instances } = await pod.emulator.state();
  const redis = new Redis(pod.redis?.url ?? "");
  const [gate = ""] = await redis.keys("vast-pod:*:gate:destroy");
  expect(gate).toMatch(/gate:destroy$/);
  await redis.hset(gate, "tat", FAR);
  await Promise.all(instances.map(({ id }) => pod.emulator.event(id, "stop")));

  const waits = async ({ status }: Member) => (await status()).reason === "waiting_for_turn";
  for (const member of members)
    await until(`${member.label} waits for its turn`, () => waits(member), { timeoutMs: 60_000 });
  expect((await pod.emulator.requests()).filter(({ method }) => method === "DELETE")).toEqual([]);
  await redis.hset(gate, "tat", 0);
  redis.disconnect();

  const live = async () => (await pod.emulator.state()).instances.filter(({ destroyedAt }) => destroyedAt === null);
  const old = new Set(instances.map(({ id }) => id));
  await until("all stopped instances are destroyed", async () => (await live()).every(({ id }) => !old.has(id)), {
    timeoutMs: 240_000,
    everyMs: 250,
  });
  await untilReady(members, 180_000);
  await expectOneInstanceEach(pod, members, members);

  expect(brokenTurns(members, await pod.emulator.requests())).toEqual([]);
}, 600_000);
