// Several real provisioners with one key, one address and one Redis, under the API's rate limits, whose instances are all stopped at
// once: their
// destroys take turns.
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { brokenTurns, expectOneInstanceEach, startMember, untilReady } from "./fleet.ts";
import { openPod, type Pod } from "./pod.ts";

const PODS = 8;
// Of the clocks. A call that takes a tenth of a second counts for 0.4 s: the emulator may refuse one, but none may leave too soon.
const TIME_SCALE = 4;

let pod: Pod;
beforeEach(async () => {
  pod = await openPod({
    redis: true,
    timeScale: TIME_SCALE,
    emulatorArgs: ["--rate-limits", "scaled"],
    env: { DEBUG: "true" },
  });
});
afterEach(() => pod.close());

test("eight pods whose instances are all stopped destroy them one after another, and replace each once", async () => {
  const members = await Promise.all(Array.from({ length: PODS }, (_, index) => startMember(pod, index)));
  await untilReady(members, 180_000);
  const { instances } = await pod.emulator.state();
  await Promise.all(instances.map(({ id }) => pod.emulator.event(id, "stop")));

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
