import { describe, expect, test } from "vitest";
import { createLease, newToken } from "../../../../provisioner/lease/lease.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeLog } from "../fakes.ts";
import { LABEL, NOW, SECOND, state } from "../plan/situation.ts";
import { EVERY_COMMAND, fakeRedis } from "./fake-redis.ts";

const LEASE_KEY = `vast_lease_${LABEL}`;
const MIRROR_KEY = `vast_pod_${LABEL}`;
const away = { commands: EVERY_COMMAND, message: "Command timed out" };
const well = { commands: [], message: "" };

/** A Redis, a clock, and as many provisioners as a test wants. */
function world() {
  const clock = fakeClock(NOW);
  const redis = fakeRedis(clock.now);
  const { log, lines } = fakeLog();
  const provisioner = (token: string) => {
    const lease = createLease({ redis, clock, log, label: LABEL, token, owner: `pod ${token} (pid 1)` });
    const renew = async (before: State = state()) => {
      const { ownership, state: after } = await lease.renew(before);
      return { ...ownership, state: after };
    };
    return { ...lease, renew };
  };
  const said = () => lines.map((line) => String(line.msg)).join("\n");
  return { clock, redis, provisioner, said, lines };
}

describe("the lease", () => {
  test("belongs to the first who asks, and the second is told whose it is and until when", async () => {
    const { provisioner } = world();
    expect(await provisioner("a").renew()).toMatchObject({ kind: "ours" });
    expect(await provisioner("b").renew()).toMatchObject({
      kind: "other",
      owner: "pod a (pid 1)",
      until: NOW + 60 * SECOND,
    });
  });

  test("never allows two of them a mutation at a time", async () => {
    const { provisioner, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    for (let i = 0; i < 200; i += 1) {
      await clock.advance(7 * SECOND);
      if (i % 17 < 9) await a.renew(); // now and then one of them hangs for longer than a lease
      if (i % 23 < 12) await b.renew();
      expect([await a.mayMutate(), await b.mayMutate()].filter(Boolean).length).toBeLessThanOrEqual(1);
    }
  });

  test("ends a minute after its last renewal, and may then be taken by another", async () => {
    const { provisioner, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await clock.advance(59 * SECOND);
    expect(await b.renew()).toMatchObject({ kind: "other" });
    await clock.advance(SECOND);
    expect(await b.renew()).toMatchObject({ kind: "ours" });
    expect(await a.renew()).toMatchObject({ kind: "other", owner: "pod b (pid 1)" });
  });

  test("is given back at the end, and only by whom it belongs to", async () => {
    const { provisioner, redis } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await b.renew();
    await b.release();
    expect(redis.entries.has(LEASE_KEY)).toBe(true);
    await a.release();
    expect(redis.entries.has(LEASE_KEY)).toBe(false);
    expect(await b.renew()).toMatchObject({ kind: "ours" });
  });

  test("is given back although the latest question had no answer: Redis may be back", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    redis.failing = away;
    await a.renew();
    redis.failing = well;
    await a.release();
    expect(redis.entries.has(LEASE_KEY)).toBe(false);
  });

  test("that was given back counts no more while Redis is away: somebody else may have it", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    await a.release();
    redis.failing = away;
    expect(await a.renew()).toMatchObject({ kind: "unknown" });
    expect(await a.mayMutate()).toBe(false);
  });

  test("that cannot be given back is said to end by itself", async () => {
    const { provisioner, redis, said } = world();
    const a = provisioner("a");
    await a.renew();
    redis.failing = away;
    await a.release();
    expect(said()).toContain("it ends within 60 s");
  });

  test("is the same owner's when a program with the same token starts again", async () => {
    const { provisioner } = world();
    await provisioner("a").renew();
    const again = provisioner("a");
    expect(await again.renew()).toMatchObject({ kind: "ours" });
    expect(await again.mayMutate()).toBe(true);
  });

  test("is taken anew when Redis was flushed", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    await a.mirror(state({ creates: [NOW] }));
    redis.entries.clear();
    expect(await a.renew()).toMatchObject({ kind: "ours" });
    await a.mirror(state({ creates: [NOW] }));
    expect([...redis.entries.keys()]).toEqual([LEASE_KEY, MIRROR_KEY]);
  });

  test("that somebody made without an end is told as such", async () => {
    const { provisioner, redis } = world();
    redis.entries.set(LEASE_KEY, { value: "by hand", until: Number.POSITIVE_INFINITY });
    expect(await provisioner("a").renew()).toMatchObject({ kind: "other", owner: "hand", until: null });
  });
});

describe("a mutation", () => {
  test("is allowed while the lease is ours without a break", async () => {
    const { provisioner, clock } = world();
    const a = provisioner("a");
    await a.renew();
    await clock.advance(50 * SECOND);
    expect(await a.mayMutate()).toBe(true);
    await clock.advance(50 * SECOND); // it was renewed for it
    expect(await a.mayMutate()).toBe(true);
  });

  test("is not allowed when the lease had ended in between: another may have acted, and the next pass looks anew", async () => {
    const { provisioner, clock } = world();
    const a = provisioner("a");
    await a.renew();
    await clock.advance(61 * SECOND);
    expect(await a.mayMutate()).toBe(false);
    await a.renew();
    expect(await a.mayMutate()).toBe(true);
  });

  test("is not allowed when another has the lease", async () => {
    const { provisioner } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await b.renew();
    expect(await b.mayMutate()).toBe(false);
  });

  test("is allowed while Redis is away since the lease was ours, and no more when it is back and another has it", async () => {
    const { provisioner, redis, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    redis.failing = away;
    await clock.advance(100 * SECOND);
    expect(await a.mayMutate()).toBe(true);
    redis.failing = well;
    await b.renew();
    expect(await a.mayMutate()).toBe(false);
  });

  test("is not allowed for 120 s when Redis never answered, and then is", async () => {
    const { provisioner, redis, clock, said } = world();
    const a = provisioner("a");
    redis.failing = away;
    expect(await a.renew()).toMatchObject({ kind: "unknown", until: NOW + 120 * SECOND });
    expect(await a.mayMutate()).toBe(false);
    await clock.advance(120 * SECOND);
    expect(await a.mayMutate()).toBe(true);
    expect(said()).toContain("without knowing whether another provisioner has this label");
  });
});

describe("the copy of the state", () => {
  const begun = { pendingDeletes: [{ id: 7, reason: "duplicate", since: NOW, deleteSentAt: null }], creates: [NOW] };

  test("is there for whoever has the lease next", async () => {
    const { provisioner } = world();
    const a = provisioner("a");
    await a.renew();
    await a.mirror(state(begun));
    await a.release();
    expect((await provisioner("b").renew()).state).toEqual(state(begun));
  });

  test("is taken over again by whom another followed meanwhile", async () => {
    const { provisioner, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await clock.advance(61 * SECOND);
    await b.renew();
    await b.mirror(state(begun));
    await b.release();
    expect((await a.renew()).state).toEqual(state(begun));
  });

  test("is written by the one who has the lease alone", async () => {
    const { provisioner, redis } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await b.renew();
    await b.mirror(state(begun));
    expect(redis.entries.has(MIRROR_KEY)).toBe(false);
  });

  test("is not written again while it is the same", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    for (const _ of [1, 2, 3]) await a.mirror(state(begun));
    expect(redis.asked.filter((command) => command === "setWhileMine")).toHaveLength(1);
  });

  test("lives for a day", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    await a.mirror(state(begun));
    expect(redis.entries.get(MIRROR_KEY)?.until).toBe(NOW + 86_400 * SECOND);
  });

  test("is set aside with a warning when it is garbage", async () => {
    const { provisioner, redis, said } = world();
    redis.entries.set(MIRROR_KEY, { value: "{", until: Number.POSITIVE_INFINITY });
    const a = provisioner("a");
    expect(await a.renew()).toMatchObject({ kind: "ours", state: state() });
    expect(said()).toContain(`${MIRROR_KEY} cannot be used (it is not JSON`);
    await a.mirror(state(begun));
    expect(redis.entries.get(MIRROR_KEY)?.value).toContain('"pendingDeletes"');
  });

  test("that Redis does not take is told, and keeps nobody from acting: the disk has it", async () => {
    const { provisioner, redis, said } = world();
    const a = provisioner("a");
    await a.renew();
    redis.failing = { commands: ["setWhileMine"], message: "OOM command not allowed" };
    await a.mirror(state(begun));
    expect(said()).toContain("did not take the copy");
    expect(await a.mayMutate()).toBe(true);
    redis.failing = well;
    await a.renew();
    await a.mirror(state(begun));
    expect(redis.entries.has(MIRROR_KEY)).toBe(true);
  });

  test("that cannot be read leaves the lease unproven: what was begun before is not known", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    redis.failing = { commands: ["get"], message: "Command timed out" };
    expect(await a.renew()).toMatchObject({ kind: "unknown" });
    expect(await a.mayMutate()).toBe(false);
  });
});

test("a token differs from one random source to another, and has no space, which ends it in Redis", () => {
  expect(newToken(() => 0.1)).not.toBe(newToken(() => 0.2));
  expect(newToken(() => 0.999)).toMatch(/^[0-9a-f-]+$/);
});
