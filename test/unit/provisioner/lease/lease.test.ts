import { describe, expect, test } from "vitest";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { createLease, newToken } from "../../../../provisioner/lease/lease.ts";
import { formatMirror } from "../../../../provisioner/lease/mirror.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { ACCOUNT_ID, fakeLog } from "../fakes.ts";
import { LABEL, MINUTE, NOW, published, SECOND, state } from "../plan/situation.ts";
import { EVERY_COMMAND, fakeRedis } from "./fake-redis.ts";

const keys = fleetKeys(ACCOUNT_ID);
const [LEASE_KEY, MIRROR_KEY] = [keys.lease(LABEL), keys.pod(LABEL)];
const away = { commands: EVERY_COMMAND, message: "Command timed out" };
const well = { commands: [], message: "" };

/** A Redis, a clock, and as many provisioners as a test wants. */
function world() {
  const clock = fakeClock(NOW);
  const redis = fakeRedis(clock.now);
  const { log, lines } = fakeLog();
  const provisioner = (token: string, startedAt: number | null = null) => {
    const lease = createLease({
      redis,
      clock,
      log,
      keys,
      label: LABEL,
      token,
      owner: `pod ${token} (pid 1)`,
      startedAt,
    });
    const renew = async (before: State = state()) => {
      const { ownership, state: after } = await lease.renew(before);
      return { ...ownership, state: after };
    };
    return { ...lease, renew };
  };
  const logged = () => lines.map((line) => String(line.msg)).join("\n");
  return { clock, redis, provisioner, logged, lines };
}

describe("the lease", () => {
  test("goes to the first provisioner; the second learns who has it and until when", async () => {
    const { provisioner } = world();
    expect(await provisioner("a").renew()).toMatchObject({ kind: "ours" });
    expect(await provisioner("b").renew()).toMatchObject({
      kind: "other",
      owner: "pod a (pid 1)",
      until: NOW + 60 * SECOND,
    });
  });

  test("never allows mutations by two provisioners at the same time", async () => {
    const { provisioner, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    for (let i = 0; i < 200; i += 1) {
      await clock.advance(7 * SECOND);
      if (i % 17 < 9) await a.renew(); // now and then one of them hangs for longer than a lease
      if (i % 23 < 12) await b.renew();
      expect([await a.mayMutate(), await b.mayMutate()].filter(Boolean).length).toBeLessThanOrEqual(1);
    }
  });

  test("expires a minute after its last renewal, and then another provisioner can take it", async () => {
    const { provisioner, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await clock.advance(59 * SECOND);
    expect(await b.renew()).toMatchObject({ kind: "other" });
    await clock.advance(SECOND);
    expect(await b.renew()).toMatchObject({ kind: "ours" });
    expect(await a.renew()).toMatchObject({ kind: "other", owner: "pod b (pid 1)" });
  });

  test("is released at the end, and only by its owner", async () => {
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

  test("is released even if Redis did not answer before: it may be back", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    redis.failing = away;
    await a.renew();
    redis.failing = well;
    await a.release();
    expect(redis.entries.has(LEASE_KEY)).toBe(false);
  });

  test("that was released does not count while Redis is unreachable: another provisioner may have it", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    await a.release();
    redis.failing = away;
    expect(await a.renew()).toMatchObject({ kind: "unknown" });
    expect(await a.mayMutate()).toBe(false);
  });

  test("that cannot be released is logged, with the time after which it expires", async () => {
    const { provisioner, redis, logged } = world();
    const a = provisioner("a");
    await a.renew();
    redis.failing = away;
    await a.release();
    expect(logged()).toContain("it expires within 60 s");
  });

  test("still belongs to the same owner after a restart with the same token", async () => {
    const { provisioner } = world();
    await provisioner("a").renew();
    const again = provisioner("a");
    expect(await again.renew()).toMatchObject({ kind: "ours" });
    expect(await again.mayMutate()).toBe(true);
  });

  test("is renewed by a pass only after 30 s, and by each mutation", async () => {
    const { provisioner, redis, clock } = world();
    const a = provisioner("a");
    const claims = () => redis.commands.filter((command) => command === "claim").length;
    for (let passes = 0; passes < 13; passes += 1) {
      expect(await a.renew()).toMatchObject({ kind: "ours" });
      await clock.advance(5 * SECOND);
    }
    expect(claims()).toBe(3); // at 0 s, 30 s and 60 s
    expect(await a.mayMutate()).toBe(true);
    expect(claims()).toBe(4);
  });

  test("is taken again after Redis was flushed", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    await a.mirror(state({ creates: [NOW] }), true);
    redis.entries.clear();
    await a.renew();
    await a.mirror(state({ creates: [NOW, NOW] }), true); // shows that the lease is gone
    expect([...redis.entries.keys()]).toEqual([]);
    expect(await a.renew()).toMatchObject({ kind: "ours" });
    await a.mirror(state({ creates: [NOW] }), true);
    expect([...redis.entries.keys()]).toEqual([LEASE_KEY, MIRROR_KEY]);
  });

  test("that was written by hand without an expiry is reported as such", async () => {
    const { provisioner, redis } = world();
    redis.entries.set(LEASE_KEY, { value: "by hand", until: Number.POSITIVE_INFINITY });
    expect(await provisioner("a").renew()).toMatchObject({ kind: "other", owner: "hand", until: null });
  });
});

describe("a mutation", () => {
  test("is allowed while the lease is ours without interruption", async () => {
    const { provisioner, clock } = world();
    const a = provisioner("a");
    await a.renew();
    await clock.advance(50 * SECOND);
    expect(await a.mayMutate()).toBe(true);
    await clock.advance(50 * SECOND); // it was renewed for it
    expect(await a.mayMutate()).toBe(true);
  });

  test("is not allowed when the lease had expired in between: another may have acted, and the next pass observes again", async () => {
    const { provisioner, clock } = world();
    const a = provisioner("a");
    await a.renew();
    await clock.advance(61 * SECOND);
    expect(await a.mayMutate()).toBe(false);
    await a.renew();
    expect(await a.mayMutate()).toBe(true);
  });

  test("is not allowed when another provisioner has the lease", async () => {
    const { provisioner } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await b.renew();
    expect(await b.mayMutate()).toBe(false);
  });

  test("is allowed while Redis is unreachable after the lease was ours, but not when it is back and another has the lease", async () => {
    const { provisioner, redis, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    redis.failing = away;
    for (let i = 0; i < 20; i += 1) {
      await clock.advance(15 * SECOND);
      expect(await a.mayMutate()).toBe(true);
    }
    redis.failing = well;
    await b.renew();
    expect(await a.mayMutate()).toBe(false);
  });

  test("is not allowed after a pause as long as a lease while Redis is unreachable, although the lease was ours", async () => {
    const { provisioner, redis, clock } = world();
    const a = provisioner("a");
    await a.renew();
    redis.failing = away;
    await clock.advance(60 * SECOND);
    expect(await a.mayMutate()).toBe(false);
    expect(await a.renew()).toMatchObject({ kind: "unknown", until: clock.now() + 120 * SECOND });
    redis.failing = well;
    expect(await a.renew()).toMatchObject({ kind: "ours" });
    expect(await a.mayMutate()).toBe(true);
  });

  test("is not allowed by an answer that is read only after such a pause", async () => {
    const { provisioner, redis, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    const { claim } = redis;
    redis.claim = async (...call) => {
      const answer = await claim(...call);
      await clock.advance(60 * SECOND); // stopped between the answer and its reading
      return answer;
    };
    expect(await a.mayMutate()).toBe(false);
    redis.claim = claim;
    expect(await b.renew()).toMatchObject({ kind: "ours" });
    expect(await a.mayMutate()).toBe(false);
  });

  test("is not allowed for 120 s when Redis never answered, and then is", async () => {
    const { provisioner, redis, clock, logged } = world();
    const a = provisioner("a");
    redis.failing = away;
    expect(await a.renew()).toMatchObject({ kind: "unknown", until: NOW + 120 * SECOND });
    for (let i = 0; i < 8; i += 1) {
      expect(await a.mayMutate()).toBe(false);
      await clock.advance(15 * SECOND);
    }
    expect(await a.mayMutate()).toBe(true);
    expect(logged()).toContain("without knowing whether another provisioner uses this label");
  });
});

describe("a lease under its former name", () => {
  const FORMER = `vast_lease_${LABEL}`;

  test("still blocks while another provisioner holds it, also while Redis is away, and no longer when it has expired", async () => {
    const { provisioner, redis, clock } = world();
    redis.entries.set(FORMER, { value: "old pod old (pid 1)", until: NOW + 40 * SECOND });
    const a = provisioner("a");
    expect(await a.renew()).toMatchObject({ kind: "other", owner: "pod old (pid 1)", until: NOW + 40 * SECOND });
    expect(await a.mayMutate()).toBe(false);
    expect(await a.renew()).toMatchObject({ kind: "other" });
    redis.failing = away;
    expect(await a.renew()).toMatchObject({ kind: "other" });
    redis.failing = well;
    await clock.advance(40 * SECOND);
    expect(await a.renew()).toMatchObject({ kind: "ours" });
    expect(await a.mayMutate()).toBe(true);
  });

  test("does not block its own holder, which runs a newer version now", async () => {
    const { provisioner, redis } = world();
    redis.entries.set(FORMER, { value: "a pod a (pid 1)", until: NOW + 40 * SECOND });
    expect(await provisioner("a").renew()).toMatchObject({ kind: "ours" });
  });

  test("is asked for only when the lease is newly ours", async () => {
    const { provisioner, redis, clock } = world();
    const a = provisioner("a");
    for (const _ of [1, 2, 3]) {
      await a.renew();
      await a.mayMutate();
    }
    expect(redis.commands.filter((command) => command === "mget")).toHaveLength(1);
    await clock.advance(61 * SECOND);
    await a.renew();
    expect(redis.commands.filter((command) => command === "mget")).toHaveLength(2);
    expect(redis.commands).not.toContain("peek"); // nobody has held it
  });
});

describe("the copy of the state", () => {
  const begun = { pendingDeletes: [{ id: 7, reason: "unreachable", since: NOW, deleteSentAt: null }], creates: [NOW] };

  test("is there for the next owner of the lease", async () => {
    const { provisioner } = world();
    const a = provisioner("a");
    await a.renew();
    await a.mirror(state(begun), true);
    await a.release();
    expect((await provisioner("b").renew()).state).toEqual(state(begun));
  });

  test("is taken over again by a provisioner that lost the lease in between", async () => {
    const { provisioner, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await clock.advance(61 * SECOND);
    await b.renew();
    await b.mirror(state(begun), true);
    await b.release();
    expect((await a.renew()).state).toEqual(state(begun));
  });

  test("is taken over by the restarted provisioner when its state file could not be written, and once only", async () => {
    const { provisioner } = world();
    const before = provisioner("a");
    await before.renew();
    await before.mirror(state(begun), false);
    await before.release();
    expect((await before.renew()).state).toEqual(state()); // what it knows itself is newer
    expect((await provisioner("a").renew()).state).toEqual(state(begun));
  });

  test("is written only by the owner of the lease", async () => {
    const { provisioner, redis } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await b.renew();
    await b.mirror(state(begun), true);
    expect(redis.entries.has(MIRROR_KEY)).toBe(false);
  });

  test("is not written again while it does not change", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    for (const _ of [1, 2, 3]) await a.mirror(state(begun), true);
    expect(redis.commands.filter((command) => command === "setWhileMine")).toHaveLength(1);
  });

  test("is written again for the money alone after ten minutes", async () => {
    const { provisioner, redis, clock } = world();
    const a = provisioner("a");
    const paidNow = async (paid: number) => {
      await a.renew();
      await a.mirror(state({ ...begun, money: { ...state().money, since: NOW, paid } }), true);
      return redis.commands.filter((command) => command === "setWhileMine").length;
    };
    expect(await paidNow(1)).toBe(1);
    for (let seconds = 0; seconds < 590; seconds += 10) {
      await clock.advance(10 * SECOND);
      expect(await paidNow(2 + seconds)).toBe(1);
    }
    await clock.advance(10 * SECOND);
    expect(await paidNow(700)).toBe(2);
    await a.release();
    expect((await provisioner("b").renew()).state.money.paid).toBe(700);
  });

  test("is written again for a server every 25 s, so that a successor knows how long ago it served", async () => {
    const { provisioner, redis, clock } = world();
    const a = provisioner("a");
    const writes = async () => {
      await a.renew();
      const { server, instance } = published();
      if (server === null || instance === null) throw new Error("the fixture serves nothing");
      const times = { servedAt: clock.now(), listedAt: clock.now() };
      await a.mirror(state(begun), true, { server, instance, ...times });
      return redis.commands.filter((command) => command === "setWhileMine").length;
    };
    expect(await writes()).toBe(1);
    await clock.advance(20 * SECOND);
    expect(await writes()).toBe(1);
    await clock.advance(5 * SECOND);
    expect(await writes()).toBe(2);
  });

  test("is taken over from its former name while there is none under the present one", async () => {
    const { provisioner, redis } = world();
    const [left, newer] = [state(begun), state({ ...begun, creates: [NOW, NOW + 1] })];
    redis.entries.set(`vast_pod_${LABEL}`, { value: formatMirror(left, "old", true).text(), until: NOW + SECOND });
    const a = provisioner("a");
    expect((await a.renew()).state).toEqual(left);
    await a.mirror(newer, true);
    await a.release();
    expect((await provisioner("b").renew()).state).toEqual(newer);
  });

  test("expires after a day", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    await a.renew();
    await a.mirror(state(begun), true);
    expect(redis.entries.get(MIRROR_KEY)?.until).toBe(NOW + 86_400 * SECOND);
  });

  test("is ignored with a warning when it is not readable", async () => {
    const { provisioner, redis, logged } = world();
    redis.entries.set(MIRROR_KEY, { value: "{", until: Number.POSITIVE_INFINITY });
    const a = provisioner("a");
    expect(await a.renew()).toMatchObject({ kind: "ours", state: state() });
    expect(logged()).toContain(`${MIRROR_KEY} cannot be used (it is not JSON`);
    await a.mirror(state(begun), true);
    expect(redis.entries.get(MIRROR_KEY)?.value).toContain('"pendingDeletes"');
  });

  test("that cannot be written is logged, and mutations continue: the state file has the same content", async () => {
    const { provisioner, redis, logged } = world();
    const a = provisioner("a");
    await a.renew();
    redis.failing = { commands: ["setWhileMine"], message: "OOM command not allowed" };
    await a.mirror(state(begun), true);
    expect(logged()).toContain("could not be written to Redis");
    expect(await a.mayMutate()).toBe(true);
    redis.failing = well;
    await a.renew();
    await a.mirror(state(begun), true);
    expect(redis.entries.has(MIRROR_KEY)).toBe(true);
  });

  test("is written only after a minute where it says as little as none, and at once where anything is begun", async () => {
    const { provisioner, redis, clock } = world();
    const a = provisioner("a");
    await a.renew();
    await a.mirror(state(), true);
    await clock.advance(31 * SECOND);
    await a.renew();
    await a.mirror(state(), true);
    expect(redis.entries.has(MIRROR_KEY)).toBe(false);
    await clock.advance(31 * SECOND);
    await a.renew();
    await a.mirror(state(), true);
    expect(redis.entries.has(MIRROR_KEY)).toBe(true);
    const other = world();
    const b = other.provisioner("b");
    await b.renew();
    await b.mirror(state(begun), true);
    expect(other.redis.entries.has(MIRROR_KEY)).toBe(true);
  });

  test("replaces at once one that says more", async () => {
    const { provisioner, redis, clock } = world();
    const [a, b] = [provisioner("a"), provisioner("b")];
    await a.renew();
    await a.mirror(state(begun), true);
    await clock.advance(61 * SECOND);
    await b.renew();
    await b.mirror(state(), true);
    expect(redis.entries.get(MIRROR_KEY)?.value).toContain('"pendingDeletes":[]');
  });

  test("renews the lease, so that a pod that serves asks for both with one command", async () => {
    const { provisioner, redis, clock } = world();
    const a = provisioner("a");
    await a.renew();
    const { server, instance } = published();
    if (server === null || instance === null) throw new Error("the fixture serves nothing");
    const left = { server, instance, servedAt: NOW, listedAt: NOW };
    await a.mirror(state(begun), true, left);
    const before = redis.commands.length;
    for (let passes = 0; passes < 24; passes += 1) {
      await clock.advance(5 * SECOND);
      expect(await a.renew()).toMatchObject({ kind: "ours" });
      await a.mirror(state(begun), true, left);
    }
    expect(new Set(redis.commands.slice(before))).toEqual(new Set(["setWhileMine"]));
    expect(await provisioner("b").renew()).toMatchObject({ kind: "other" });
  });

  test("that cannot be read makes the ownership unknown: what the predecessor started is not known", async () => {
    const { provisioner, redis } = world();
    const a = provisioner("a");
    redis.failing = { commands: ["mget"], message: "Command timed out" };
    expect(await a.renew()).toMatchObject({ kind: "unknown" });
    expect(await a.mayMutate()).toBe(false);
  });
});

describe("a provisioner that gets the lease back", () => {
  /** `first` has had it, then `second` has; now the lease of `second` has run out. */
  async function inTurns(first: number | null, second: number | null) {
    const { provisioner, clock, logged } = world();
    const [a, b] = [provisioner("a", first), provisioner("b", second)];
    for (const one of [a, b]) {
      for (const _ of [1, 2, 3]) {
        await one.renew();
        await one.mirror(state(), true);
        await clock.advance(31 * SECOND);
      }
      await clock.advance(31 * SECOND);
    }
    return { a, b, clock, logged };
  }

  test("from one that started later is superseded for good, and says what to do", async () => {
    const { a, clock, logged } = await inTurns(NOW, NOW + MINUTE);
    expect(await a.renew()).toMatchObject({ kind: "ours", superseded: true });
    expect(logged()).toMatch(/started later .* End one of the two; if the settings of this one count, restart it$/);
    expect(await a.renew()).toMatchObject({ kind: "ours", superseded: true }); // not asked again
    await clock.advance(61 * SECOND);
    expect(await a.renew()).toMatchObject({ kind: "ours", superseded: true }); // its own copy is the latest now
  });

  test("from one that started earlier, or a command, is not", async () => {
    for (const second of [NOW, NOW - MINUTE, null]) {
      const { a } = await inTurns(NOW, second);
      expect(await a.renew()).not.toHaveProperty("superseded");
    }
  });

  test("is not superseded when it took the lease of one that started earlier", async () => {
    const { b } = await inTurns(NOW, NOW + MINUTE);
    expect(await b.renew()).not.toHaveProperty("superseded");
  });
});

test("a token differs between random sources, and has no space, because a space ends it in Redis", () => {
  expect(newToken(() => 0.1)).not.toBe(newToken(() => 0.2));
  expect(newToken(() => 0.999)).toMatch(/^[0-9a-f-]+$/);
});
