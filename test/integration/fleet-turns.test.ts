// Eight real provisioners with one key, one address and one Redis, under the API's rate limits: they take turns.
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { messageOf } from "../../common/errors.ts";
import { until } from "../sandbox/until.ts";
import { brokenTurns, type Member, openLimitedPod, refusedChanges, startMember } from "./fleet.ts";
import type { Pod } from "./pod.ts";

const PODS = 8;
const MOST_DOWN = 3;
const TIME_SCALE = 2;

let pod: Pod;
beforeEach(async () => {
  pod = await openLimitedPod(TIME_SCALE, { FLEET_MAX_UNAVAILABLE: String(MOST_DOWN) });
});
afterEach(() => pod.close());

const all = (image: string) =>
  Promise.all(
    Array.from({ length: PODS }, (_, index) => startMember(pod, index, { env: { VAST_TEMPLATE_IMAGE: image } })),
  );

/** How many serve the image at the moment, how many serve anything, and what the others say. */
async function serving(
  members: readonly Member[],
  image: string,
): Promise<{ right: number; any: number; down: string[] }> {
  const statuses = await Promise.all(
    members.map(({ status }) =>
      status().catch((error: unknown): Record<string, unknown> => ({ reason: `no status: ${messageOf(error)}` })),
    ),
  );
  const serves = (status: Record<string, unknown>) => status.server !== null && status.server !== undefined;
  const served = statuses.filter(serves);
  const shown = ({ instances }: Record<string, unknown>) => instances as { image: string; serving?: boolean }[];
  const right = served.filter((status) => shown(status).some((one) => one.serving === true && one.image === image));
  const down = statuses.flatMap((status, i) => (serves(status) ? [] : [`${members[i]?.label}: ${status.reason}`]));
  return { right: right.length, any: served.length, down };
}

test("eight pods start and get a new image, and each change leaves in its turn, although Redis forgets everything in both", async () => {
  const redis = new Redis(pod.redis?.url ?? "");
  const first = await all("example/app:2");
  await until("two pods serve", async () => (await serving(first, "example/app:2")).right >= 2, { timeoutMs: 120_000 });
  await redis.flushall();
  await until("all pods serve", async () => (await serving(first, "example/app:2")).right === PODS, {
    timeoutMs: 240_000,
    everyMs: 500,
  });
  expect((await pod.emulator.state()).instances).toHaveLength(PODS);
  await Promise.all(first.map(({ child }) => child().stop()));

  const second = await all("example/app:3");
  await until(
    "all pods serve what they had",
    async () => (await serving(second, "example/app:2")).any >= PODS - MOST_DOWN,
    {
      timeoutMs: 60_000,
    },
  );
  let [least, forgotten] = [await serving(second, "example/app:2"), false];
  await until(
    "all pods serve the new image",
    async () => {
      const now = await serving(second, "example/app:3");
      const { right, any } = now;
      if (any < least.any) least = now;
      if (right >= 2 && !forgotten) {
        forgotten = true;
        await redis.flushall();
      }
      return right === PODS;
    },
    { timeoutMs: 360_000, everyMs: 500 },
  );
  redis.disconnect();
  expect(least.down.length, least.down.join("\n")).toBeLessThanOrEqual(MOST_DOWN);
  expect(least.down.length).toBeGreaterThan(0);
  const live = (await pod.emulator.state()).instances.filter(({ destroyedAt }) => destroyedAt === null);
  expect(live).toHaveLength(PODS);
  const requests = await pod.emulator.requests();
  expect(brokenTurns([...first, ...second], requests)).toEqual([]);
  expect(refusedChanges(requests)).toEqual([]);
  // Calls take different times to arrive on a busy machine.
  expect(requests.filter(({ status }) => status === 429).length / requests.length).toBeLessThan(0.02);
}, 900_000);
