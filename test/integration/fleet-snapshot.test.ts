// Five pods with one API key and one address, a real Redis, and the API's rate limits on: one of them reads the instance list for all.
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import {
  expectOneInstanceEach,
  interruptions,
  LONGEST_WITHOUT_LEADER_MS,
  type Member,
  memberWithLead,
  patientRedis,
  startMember,
  untilAnotherLeads,
  untilReady,
} from "./fleet.ts";
import { openPod, type Pod } from "./pod.ts";

const PODS = 5;
// Redis' clock is real: with faster clocks of the pods its 10 s of a lead would last too long.
const LONGEST_MS = 180_000;

let pod: Pod;
let redis: Redis;
let members: Member[] = [];

beforeEach(async () => {
  pod = await openPod({
    redis: true,
    timeScale: 1,
    bootSeconds: 1,
    emulatorApart: true,
    emulator: { rateLimits: "on" },
  });
  redis = patientRedis(pod.redis?.url ?? "");
  members = await Promise.all(Array.from({ length: PODS }, (_, i) => startMember(pod, i)));
}, LONGEST_MS);
afterEach(async () => {
  redis.disconnect();
  await pod.close();
});

const lists = async () =>
  (await pod.emulator.requests()).filter(({ method, path }) => method === "GET" && path === "/api/v1/instances/");
const lead = () => redis.get(pod.keys.lead);
const leader = () => until("a pod leads", async () => memberWithLead(members, await lead()));

test(
  "all become ready by the list of one of them, which then hardly calls the API, and another one follows when it is killed or paused",
  async () => {
    await untilReady(members, LONGEST_MS);
    await expectOneInstanceEach(pod, members);
    const byOthers = (await lists()).filter(({ query }) => /"eq"/.test(query.select_filters ?? ""));
    expect(byOthers).toEqual([]);

    const first = await leader();
    first.child().signal("SIGKILL");
    await first.child().exited;
    expect(await untilAnotherLeads(members, lead, first)).toBeLessThan(LONGEST_WITHOUT_LEADER_MS);

    const second = await leader();
    second.child().signal("SIGSTOP");
    expect(await untilAnotherLeads(members, lead, second)).toBeLessThan(LONGEST_WITHOUT_LEADER_MS);
    // The paused one learns that it does not lead any more, and what it had read has no effect.
    const third = await leader();
    second.child().signal("SIGCONT");
    await until(
      "it knows that another one leads",
      () => second.log().some(({ msg }) => /^another pod reads/.test(String(msg))),
      {
        timeoutMs: 60_000,
      },
    );
    expect(await leader()).toBe(third);
    await untilReady(
      members.filter((one) => one !== first),
      60_000,
    );
    await expectOneInstanceEach(pod, members);
    expect(interruptions(members)).toEqual([]);

    const before = (await lists()).length;
    const [from] = await redis.time();
    await until("20 s have passed", async () => Number((await redis.time())[0]) - Number(from) >= 20, {
      timeoutMs: 60_000,
    });
    expect((await lists()).length - before).toBeLessThanOrEqual(6);
  },
  LONGEST_MS,
);

test(
  "a row that cannot be read concerns its own pod only: another pod still replaces the instance that it lost",
  async () => {
    await untilReady(members, LONGEST_MS);
    const [damaged, lost] = await Promise.all(
      members.slice(0, 2).map(async ({ label }) => (await pod.emulator.live(label))[0]?.id ?? 0),
    );
    await pod.emulator.event(damaged ?? 0, "row", { id: "damaged" });
    await pod.emulator.event(lost ?? 0, "kill");
    const second = members[1]?.label ?? "";
    await until(
      "the lost one is replaced",
      async () => (await pod.emulator.live(second)).some(({ id }) => id !== lost),
      { timeoutMs: 60_000 },
    );
    await untilReady(members, LONGEST_MS);
    expect(await pod.emulator.live(members[0]?.label ?? "")).toMatchObject([{ id: "damaged" }]);
  },
  LONGEST_MS,
);
