// Several real provisioners with one key, one address and one Redis, under the API's rate limits, that are all told to end at once.
import { afterEach, beforeEach, expect, test } from "vitest";
import { brokenTurns, openLimitedPod, startMember, untilReady } from "./fleet.ts";
import type { Pod } from "./pod.ts";

const PODS = 8;
// Of the clocks, as in fleet-destroys.test.ts.
const TIME_SCALE = 4;

let pod: Pod;
beforeEach(async () => {
  pod = await openLimitedPod(TIME_SCALE, { VAST_ON_TERMINATE: "destroy", VAST_DRAIN_SECONDS: "0" });
});
afterEach(() => pod.close());

test("eight pods that are all told to end destroy their instances one after another, and leave none", async () => {
  const members = await Promise.all(Array.from({ length: PODS }, (_, index) => startMember(pod, index)));
  await untilReady(members, 180_000);
  for (const { child } of members) child().signal("SIGTERM");
  const exits = await Promise.all(members.map(({ child }) => child().exited));
  const { instances } = await pod.emulator.state();
  expect(exits).toEqual(members.map(() => ({ code: 0, signal: null })));
  expect(instances.filter(({ destroyedAt }) => destroyedAt === null)).toEqual([]);
  const requests = await pod.emulator.requests();
  const destroys = requests.filter(({ method, status }) => method === "DELETE" && status === 200);
  expect(destroys).toHaveLength(PODS);
  expect(brokenTurns(members, requests)).toEqual([]);
}, 600_000);
