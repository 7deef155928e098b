import { describe, expect, test } from "vitest";
import * as z from "zod";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { type Fleet, readShared } from "../../../../provisioner/fleet/shared-reading.ts";
import { type FakeClock, fakeClock } from "../../../fakes/fake-clock.ts";
import { type SharedRedis, sharedRedis } from "../../../simulation/redis.ts";
import { vastError } from "../fakes.ts";
import { NOW, SECOND } from "../plan/situation.ts";

const keys = fleetKeys(104_717);
const age = { freshMs: 30 * SECOND, usableMs: 60 * SECOND };

interface Pod {
  read(over?: object): Promise<{ value: number; readAt: number; sharedAt: number | null; own: boolean }>;
  /** How often it has called the API. */
  calls(): number;
}

/** Pods with one Redis; `api` answers the reading. */
function pods(count: number, api: (clock: FakeClock) => Promise<number>) {
  const clock = fakeClock(NOW);
  const redis: SharedRedis = sharedRedis(clock.now);
  const all = Array.from({ length: count }, (_, i): Pod => {
    let calls = 0;
    const fleet: Fleet = { redis: redis.connect(clock.sleep), keys: () => keys, token: `pod ${i}` };
    const read = async () => {
      calls += 1;
      return api(clock);
    };
    return {
      calls: () => calls,
      read: (over) => readShared({ clock, fleet }, { ...age, key: keys.credit, schema: z.number(), read, ...over }),
    };
  });
  const [first, second] = all;
  if (first === undefined || second === undefined) throw new Error("a fleet has two pods");
  return { clock, redis, all, first, second, calls: () => all.reduce((sum, pod) => sum + pod.calls(), 0) };
}

const slowly = (value: number, ms: number) => async (clock: FakeClock) => {
  if (ms > 0) await clock.sleep(ms);
  return value;
};

describe("a shared reading", () => {
  test("is made by one pod, and all others that come at the same instant use it", async () => {
    const { clock, all, calls } = pods(20, slowly(7, SECOND));
    const readings = await clock.drive(Promise.all(all.map((pod) => pod.read())));
    expect(readings.map(({ value }) => value)).toEqual(all.map(() => 7));
    expect(calls()).toBe(1);
  });

  test("has the age that it really has: that of its question", async () => {
    const { clock, first, second } = pods(2, slowly(7, 2 * SECOND));
    await clock.drive(first.read());
    await clock.advance(10 * SECOND);
    expect(await clock.drive(second.read())).toEqual({ value: 7, readAt: NOW, sharedAt: NOW, own: false });
  });

  test("is not made older by the wait for the rate limit", async () => {
    const { clock, first } = pods(2, slowly(7, 0));
    const read = async (sent: () => void) => {
      await clock.sleep(6 * SECOND);
      sent();
      await clock.sleep(SECOND);
      return 8;
    };
    const at = NOW + 6 * SECOND;
    expect(await clock.drive(first.read({ read }))).toEqual({ value: 8, readAt: at, sharedAt: at, own: true });
  });

  test("is made again when it is no longer fresh, while the others use the one before", async () => {
    let value = 1;
    const { clock, first, second } = pods(2, (time) => slowly(value, 3 * SECOND)(time));
    await clock.drive(first.read());
    await clock.advance(31 * SECOND);
    value = 2;
    const again = second.read();
    expect((await first.read()).value).toBe(1);
    expect((await clock.drive(again)).value).toBe(2);
    expect((await first.read()).value).toBe(2);
  });

  test("is waited for where the one before is too old, but not longer than 4 s", async () => {
    const { clock, all, first, second } = pods(3, slowly(7, 8 * SECOND));
    const slow = all.slice(0, 2).map((pod) => pod.read());
    await clock.advance(4 * SECOND);
    expect([first.calls(), second.calls()]).toEqual([1, 1]);
    const readings = await clock.drive(Promise.all(slow));
    expect(readings.map(({ readAt }) => readAt - NOW)).toEqual([0, 4 * SECOND]);
  });

  test("that takes its time is waited for as long as the caller says", async () => {
    const { clock, all, calls } = pods(3, slowly(7, 8 * SECOND));
    const readings = await clock.drive(Promise.all(all.map((pod) => pod.read({ waitMs: 12 * SECOND }))));
    expect(readings.map(({ own }) => own)).toEqual([true, false, false]);
    expect(calls()).toBe(1);
  });

  test("that fails is not published, and another pod may try at once", async () => {
    let fails = true;
    const { first, second, redis } = pods(2, async () => {
      if (fails) throw vastError("unavailable");
      return 7;
    });
    await expect(first.read()).rejects.toThrow();
    expect(redis.peek(keys.credit)).toBeNull();
    fails = false;
    expect(await second.read()).toMatchObject({ value: 7, own: true, sharedAt: NOW });
  });

  test("of a pod that died is made by another one when its lock has expired", async () => {
    let dies = true;
    const { clock, first, second, calls } = pods(2, () =>
      dies ? new Promise(() => undefined) : slowly(7, SECOND)(clock),
    );
    void first.read();
    await clock.advance(SECOND);
    dies = false;
    await clock.advance(10 * SECOND);
    expect(await clock.drive(second.read())).toMatchObject({ own: true, sharedAt: clock.now() - SECOND });
    expect(calls()).toBe(2);
  });

  test("of a pod that was paused does not replace a newer one", async () => {
    let value = 1;
    const { clock, first, second } = pods(2, (time) => slowly(value, value === 1 ? 15 * SECOND : 0)(time));
    const late = first.read();
    await clock.advance(11 * SECOND);
    value = 2;
    await second.read();
    expect(await clock.drive(late)).toMatchObject({ value: 1, sharedAt: null });
    expect((await second.read()).value).toBe(2);
  });

  test("must be newer than a time that the caller names", async () => {
    const { clock, first, second } = pods(2, slowly(7, 0));
    const { sharedAt } = await first.read();
    await clock.advance(SECOND);
    expect(await second.read({ after: (sharedAt ?? 0) - 1 })).toMatchObject({ own: false });
    expect(await second.read({ after: sharedAt })).toMatchObject({ own: true, sharedAt: NOW + SECOND });
  });

  test("of another version of the program is not used", async () => {
    const { first, second } = pods(2, slowly(7, 0));
    await first.read();
    expect(await second.read({ schema: z.string().transform(Number) })).toMatchObject({ own: true, sharedAt: null });
  });

  test("is made by each pod for itself while Redis is away, and while the account is unknown", async () => {
    const { clock, redis, all, calls } = pods(2, slowly(7, 0));
    redis.away = true;
    await clock.drive(Promise.all(all.map((pod) => pod.read())));
    expect(calls()).toBe(2);
    redis.away = false;
    await Promise.all(all.map((pod) => pod.read({ key: null })));
    expect(calls()).toBe(4);
  });

  test("is lost with Redis' data, and made again", async () => {
    const { redis, first, second, calls } = pods(2, slowly(7, 0));
    await first.read();
    redis.flush();
    expect((await second.read()).own).toBe(true);
    expect(calls()).toBe(2);
  });
});
