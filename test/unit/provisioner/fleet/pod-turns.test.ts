import { describe, expect, test } from "vitest";
import { ownSlotWaitMs } from "../../../../provisioner/fleet/own-slot.ts";
import { CREATE_SLOT_MS } from "../../../../provisioner/fleet/pacing.ts";
import { createPodTurns, noPodTurns, type Wish } from "../../../../provisioner/fleet/pod-turns.ts";
import type { MaxUnavailable } from "../../../../provisioner/fleet/unavailable.ts";
import { members } from "./store.ts";

const CREATE: Wish = { kind: "create", lost: false };
const REPLACEMENT: Wish = { kind: "replacement", lost: true };
const DESTROY: Wish = { kind: "destroy", lost: true };
const DRAIN_MS = 10_000;
const NONE = { listed: false, serves: false };
const LOST = { listed: true, serves: false };
const SERVES = { listed: true, serves: true };

function fleet() {
  const all = members();
  const { clock } = all;
  const podOf = (
    name: string,
    index = 0,
    maxUnavailable: MaxUnavailable = { percent: 10 },
    maxUpdating: number | null = null,
  ) => {
    const pod = all.pod(name, index, 0, maxUnavailable);
    void pod.store.unavailable.seen(); // by a former process
    return { ...pod, turns: createPodTurns({ ...pod, clock, index, maxUnavailable, maxUpdating, drainMs: DRAIN_MS }) };
  };
  return { ...all, podOf };
}

test("a pod goes on when its turn is within 12 s, and hears otherwise how many are before it", async () => {
  const { podOf } = fleet();
  const pods = Array.from({ length: 5 }, (_, i) => podOf(`${i}`));
  for (const { turns } of pods) await turns.ask(CREATE, NONE);
  expect(pods.map(({ turns }) => turns.turnFor(CREATE).kind)).toEqual(["now", "now", "later", "later", "later"]);
  const later = { kind: "later", ahead: 4, waitMs: 5 * 4650, checkMs: 5 * 4650 - 12_000 };
  expect(pods[4]?.turns.turnFor(CREATE)).toEqual(later);
});

test("of many pods that start at an open gate only the first ones prepare their creates", async () => {
  const { podOf, clock } = fleet();
  const pods = Array.from({ length: 20 }, (_, i) => podOf(`${10 + i}`));
  await pods[0]?.store.turns.peek("user", { class: 1, since: 0 });
  await clock.advance(12_000);
  for (const { turns } of pods) await turns.ask(CREATE, NONE);
  expect(pods.filter(({ turns }) => turns.turnFor(CREATE).kind === "now")).toHaveLength(4);
});

test("a pod that lost its instance is before those that start", async () => {
  const { podOf, clock } = fleet();
  const starting = Array.from({ length: 5 }, (_, i) => podOf(`${i}`));
  for (const { turns } of starting) await turns.ask(CREATE, NONE);
  await clock.advance(100);
  const { turns } = podOf("lost");
  await turns.ask({ kind: "create", lost: true }, NONE);
  expect(turns.turnFor(CREATE).kind).toBe("now");
});

test("a pod whose create found nothing leaves its place, and queues behind the others when it comes back", async () => {
  const { podOf, clock } = fleet();
  const [first, ...others] = Array.from({ length: 5 }, (_, i) => podOf(`${i}`));
  for (const pod of [first, ...others]) await pod?.turns.ask({ kind: "create", lost: true }, NONE);
  expect(first?.turns.turnFor(CREATE).kind).toBe("now");
  await clock.advance(100);
  await first?.turns.leaveCreates();
  await others[1]?.turns.ask({ kind: "create", lost: true }, NONE);
  expect(others[1]?.turns.turnFor(CREATE).kind).toBe("now");
  await first?.turns.ask({ kind: "create", lost: true }, NONE);
  expect(first?.turns.turnFor(CREATE)).toMatchObject({ kind: "later", ahead: 4 });
});

test("only as many serving instances are replaced at once as may be, and the next one when one serves again", async () => {
  const { podOf } = fleet();
  const [a, b] = [podOf("a"), podOf("b")];
  await a.turns.ask(REPLACEMENT, SERVES);
  await b.turns.ask(REPLACEMENT, SERVES);
  expect([a.turns.turnFor(REPLACEMENT), b.turns.turnFor(REPLACEMENT)]).toEqual([
    { kind: "now" },
    { kind: "limit", others: 1, most: 1, checkMs: 2000 },
  ]);
  await a.turns.ask(null, SERVES);
  await b.turns.ask(REPLACEMENT, SERVES);
  expect(b.turns.turnFor(REPLACEMENT).kind).toBe("now");
});

test("instances are given up one by one as fast as others are created, and not before their pod's turn is near", async () => {
  const { podOf, clock } = fleet();
  const pods = Array.from({ length: 10 }, (_, i) => podOf(`${i}`, i, { number: 10 }));
  const wentDownAt = new Map<number, number>();
  for (let second = 0; second < 30; second += 1) {
    for (const [i, { turns }] of pods.entries()) {
      await turns.ask(REPLACEMENT, SERVES);
      if (turns.turnFor(REPLACEMENT).kind === "now" && !wentDownAt.has(i)) wentDownAt.set(i, second);
    }
    await clock.advance(1000);
  }
  // Nobody creates here: all whose turn is within the 10 s of the drain and 6 s more are down, and the others serve.
  expect([...wentDownAt]).toEqual([0, 1, 2, 3].map((i) => [i, 5 * i]));
  await clock.advance(10_000); // the gate is open, and some before it are late
  await pods[4]?.turns.ask(REPLACEMENT, SERVES);
  expect(pods[4]?.turns.turnFor(REPLACEMENT)).toMatchObject({ kind: "later", ahead: 4, waitMs: 4 * 4650 });
});

test("a pod asks again when the one before it has been given up for long enough", async () => {
  const { podOf, clock } = fleet();
  const [a, b] = [podOf("a", 0, { number: 2 }), podOf("b", 1, { number: 2 })];
  await a.turns.ask(REPLACEMENT, SERVES);
  await clock.advance(1000);
  await b.turns.ask(REPLACEMENT, SERVES);
  expect(b.turns.turnFor(REPLACEMENT)).toEqual({ kind: "later", ahead: 1, waitMs: 3650, checkMs: 3650 });
  await clock.advance(3650);
  await b.turns.ask(REPLACEMENT, SERVES);
  expect(b.turns.turnFor(REPLACEMENT).kind).toBe("now");
  await a.turns.ask(REPLACEMENT, SERVES);
  expect(a.turns.turnFor(REPLACEMENT).kind).toBe("now");
});

test("a pod that is down tells a Redis that has forgotten everything", async () => {
  const { podOf, clock, redis } = fleet();
  const [a, b] = [podOf("a"), podOf("b")];
  await b.turns.ask(null, SERVES);
  await a.turns.ask(REPLACEMENT, SERVES);
  expect(a.turns.turnFor(REPLACEMENT).kind).toBe("now");
  redis.flush();
  await clock.advance(6000);
  await a.turns.ask(null, NONE);
  await b.turns.ask(REPLACEMENT, SERVES);
  expect(b.turns.turnFor(REPLACEMENT)).toMatchObject({ kind: "limit", others: 1, most: 1 });
  await a.turns.ask(null, SERVES);
  await clock.advance(54_000);
  await b.turns.ask(REPLACEMENT, SERVES);
  // Others may be down that are in the middle of their drain.
  expect(b.turns.turnFor(REPLACEMENT)).toMatchObject({ kind: "later", waitMs: 30_000, checkMs: 30_000 });
  await clock.advance(30_000);
  await b.turns.ask(REPLACEMENT, SERVES);
  expect(b.turns.turnFor(REPLACEMENT).kind).toBe("now");
});

test("a pod between its destroy and its create keeps its place", async () => {
  const { podOf, clock } = fleet();
  const { turns, place } = podOf("a");
  await turns.ask(REPLACEMENT, SERVES);
  const { since } = place;
  await clock.advance(5000);
  await turns.ask(null, NONE);
  await turns.ask({ kind: "create", lost: true }, NONE);
  expect(place).toEqual({ class: 0, since });
  await turns.ask(null, { listed: true, serves: false });
  expect(place.since).toBe(0);
});

test("only the pods whose destroys are near prepare them, and each keeps its place while it waits for its own", async () => {
  const { podOf, clock } = fleet();
  const pods = Array.from({ length: 10 }, (_, i) => podOf(`${i}`));
  const ask = async () => {
    for (const { turns } of pods) {
      await turns.ask(DESTROY, LOST);
      await clock.advance(1);
    }
    return pods.filter(({ turns }) => turns.turnFor(DESTROY).kind === "now").length;
  };
  expect(await ask()).toBe(3);
  expect(pods[9]?.turns.turnFor(DESTROY)).toMatchObject({ kind: "later", ahead: 9 });
  await clock.advance(3150);
  const order: number[] = [];
  const destroyed = pods.map(async ({ pacing }, i) => {
    await pacing.acquire("destroy");
    order.push(i);
  });
  await clock.drive(Promise.all(destroyed));
  expect(order).toEqual(pods.map((_, i) => i));
});

test("a pod whose instance came back leaves the queue of the destroys, and waits for Redis no longer than for a create", async () => {
  const { podOf, clock, redis } = fleet();
  const [a, b] = [podOf("a"), podOf("b")];
  await a.turns.ask(DESTROY, LOST);
  await clock.advance(1);
  await b.turns.ask(DESTROY, LOST);
  await a.turns.ask(null, SERVES);
  expect(await b.store.turns.peek("destroy", { class: 0, since: 0 })).toMatchObject({ ahead: 0 });
  redis.away = true;
  await clock.drive(b.turns.ask(DESTROY, LOST));
  expect(b.turns.turnFor(DESTROY)).toEqual({ kind: "unknown" });
  await clock.advance(11_000);
  await clock.drive(b.turns.ask(DESTROY, LOST));
  expect(b.turns.turnFor(DESTROY)).toEqual({ kind: "now" });
});

test("the destroy of an ordered end goes before those of pods that go on, and its pod leaves the queue of the creates", async () => {
  const { podOf, clock } = fleet();
  const pods = Array.from({ length: 8 }, (_, i) => podOf(`${i}`));
  for (const { turns } of pods) {
    await turns.ask(DESTROY, LOST);
    await clock.advance(1);
  }
  const [ending, behind] = [podOf("ending"), podOf("behind")];
  await ending.turns.ask(CREATE, NONE);
  await clock.advance(1);
  await behind.turns.ask(CREATE, NONE);
  const { signal } = new AbortController();
  expect(await ending.turns.untilEndIsNear(signal)).toBe(0);
  expect(await ending.store.turns.peek("destroy", ending.destroyPlace)).toMatchObject({ ahead: 0 });
  expect(await behind.store.turns.peek("create", behind.place)).toMatchObject({ ahead: 0 });
});

test("an ordered end whose turn is far away hears how many are before it, after a part of the wait", async () => {
  const { podOf, clock } = fleet();
  const pods = Array.from({ length: 12 }, (_, i) => podOf(`${i}`));
  const { signal } = new AbortController();
  const began = clock.now();
  const waits: Promise<number>[] = [];
  for (const { turns } of pods) {
    waits.push(turns.untilEndIsNear(signal));
    await clock.advance(1);
  }
  const heard = await clock.drive(Promise.all(waits));
  expect(heard.filter((ahead) => ahead === 0)).toHaveLength(3);
  expect(heard.slice(3)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(clock.now() - began).toBeLessThanOrEqual(10_020);
  await pods[0]?.turns.leaveEnds();
  expect(await pods[11]?.store.turns.peek("destroy", { class: 0, since: 0 })).toMatchObject({ ahead: 10 });
});

test("an ordered end whose list comes late goes before those that were told to end after it, also with its second destroy", async () => {
  const { podOf, clock } = fleet();
  const early = podOf("early");
  const { signal } = new AbortController();
  await early.turns.queueEnd();
  await clock.advance(1000);
  const later = Array.from({ length: 6 }, (_, i) => podOf(`${i}`));
  const ask = () => Promise.all(later.map(({ turns }) => turns.queueEnd()));
  await ask();
  await clock.advance(45_000); // a pod that does not ask for so long is not in the queue any more
  await ask();
  const order: string[] = [];
  const destroy = async (name: string, { pacing }: typeof early) => {
    await pacing.acquire("destroy", signal);
    await pacing.takeTurn("destroy", signal);
    pacing.left("destroy");
    order.push(name);
  };
  expect(await early.turns.untilEndIsNear(signal)).toBe(0);
  const twice = async () => {
    await destroy("early", early);
    await destroy("early again", early);
    await early.turns.leaveEnds();
    await destroy("early, after it left", early);
  };
  await clock.drive(destroy("another", podOf("another")));
  await clock.drive(Promise.all([...later.map((pod) => destroy("later", pod)), twice()]));
  expect(order.slice(0, 4)).toEqual(["another", "early", "early again", "later"]);
  expect(order.at(-1)).toBe("early, after it left");
});

/** Thirty pods queue for their creates; the last one is the one that is looked at. `asked` counts its questions about its turn. */
async function farBack() {
  const all = fleet();
  const pods = Array.from({ length: 30 }, (_, i) => all.podOf(`${10 + i}`));
  for (const { turns } of pods) await turns.ask(CREATE, NONE);
  const { pacing, ...last } = all.podOf("last");
  let asked = 0;
  const counting = {
    ...pacing,
    tryStore: <T>(call: Parameters<typeof pacing.tryStore<T>>[0]) =>
      pacing.tryStore((store) => {
        const ask: typeof store.turns.ask = (...args) => {
          asked += 1;
          return store.turns.ask(...args);
        };
        return call({ ...store, turns: { ...store.turns, ask } });
      }),
  };
  const parts = { clock: all.clock, index: 0, maxUnavailable: { percent: 10 }, maxUpdating: null, drainMs: DRAIN_MS };
  const turns = createPodTurns({ ...last, ...parts, pacing: counting });
  return { ...all, pods, turns, asked: () => asked };
}

test("a pod whose turn is far away asks for it every 40 s to 48 s, and knows meanwhile how long it is still to wait", async () => {
  const { clock, turns, asked } = await farBack();
  await turns.ask(CREATE, NONE);
  expect(turns.turnFor(CREATE)).toMatchObject({ kind: "later", ahead: 30, waitMs: 31 * CREATE_SLOT_MS });
  for (let second = 0; second < 39; second += 1) {
    await clock.advance(1000);
    await turns.ask(CREATE, NONE);
  }
  expect(asked()).toBe(1);
  expect(turns.turnFor(CREATE)).toMatchObject({ kind: "later", ahead: 30, waitMs: 31 * CREATE_SLOT_MS - 39_000 });
  await clock.advance(10_000);
  await turns.ask(CREATE, NONE);
  expect(asked()).toBe(2);
});

test("a pod that has lost its instance asks at once, although it has just been told that another turn is far away", async () => {
  const { turns, asked } = await farBack();
  await turns.ask(CREATE, NONE);
  await turns.ask({ kind: "create", lost: true }, NONE);
  expect(asked()).toBe(2);
  expect(turns.turnFor(CREATE).kind).toBe("now");
});

test("a pod whose turn was far away does not believe a Redis that has forgotten the others", async () => {
  const { clock, redis, turns, pods } = await farBack();
  await turns.ask(CREATE, NONE);
  redis.flush();
  await clock.advance(48_000);
  await turns.ask(CREATE, NONE);
  expect(turns.turnFor(CREATE)).toMatchObject({ kind: "later", ahead: 30, checkMs: 5000 });
  for (const { turns: other } of pods) await other.ask(CREATE, NONE);
  await clock.advance(5000);
  await turns.ask(CREATE, NONE);
  expect(turns.turnFor(CREATE)).toMatchObject({ kind: "later", ahead: 30 });
});

test("a pod whose turn was far away believes after a minute that the others are gone", async () => {
  const { clock, redis, turns } = await farBack();
  await turns.ask(CREATE, NONE);
  redis.flush();
  for (let second = 0; second < 60; second += 5) {
    await clock.advance(5000);
    await turns.ask(CREATE, NONE);
  }
  expect(turns.turnFor(CREATE).kind).toBe("now");
});

test("nothing is decided by an answer to another question", async () => {
  const { podOf } = fleet();
  const { turns } = podOf("a");
  await turns.ask(REPLACEMENT, SERVES);
  expect(turns.turnFor(CREATE).kind).toBe("unknown");
});

test("of pods that prepare at once each waits until its create is next, and does not wait for Redis", async () => {
  const { podOf, clock, redis } = fleet();
  const { signal } = new AbortController();
  const from = clock.monotonic();
  const reached: [string, number][] = [];
  const create = async (name: string) => {
    const { store, place, turns } = podOf(name);
    await turns.ask(CREATE, NONE);
    await turns.untilCreateIsNext(signal);
    reached.push([name, clock.monotonic() - from]);
    while ((await store.turns.take("create", place)).waitMs > 0) await clock.sleep(50);
  };
  await clock.drive(Promise.all(["a", "b", "c"].map(create)));
  expect(reached.map(([name]) => name)).toEqual(["a", "b", "c"]);
  for (const [i, [, at]] of reached.entries()) {
    expect(at).toBeGreaterThanOrEqual((i + 1) * CREATE_SLOT_MS - 500);
    expect(at).toBeLessThanOrEqual((i + 1) * CREATE_SLOT_MS);
  }
  const { turns } = podOf("d");
  redis.away = true;
  await clock.drive(turns.untilCreateIsNext(signal));
});

test("a pod that others have overtaken while it prepared its create does not wait for their turns", async () => {
  const { podOf, clock } = fleet();
  const late = podOf("late");
  await late.turns.ask(CREATE, NONE);
  expect(late.turns.turnFor(CREATE).kind).toBe("now");
  for (let i = 0; i < 20; i += 1) await podOf(`${i}`).turns.ask({ kind: "create", lost: true }, NONE);
  const from = clock.monotonic();
  expect(await clock.drive(late.turns.untilCreateIsNext(new AbortController().signal))).toBe(false);
  expect(clock.monotonic() - from).toBe(0);
  await late.turns.ask(CREATE, NONE);
  expect(late.turns.turnFor(CREATE).kind).toBe("later");
});

test("while Redis is away a pod waits for some seconds, then for its own slot", async () => {
  const { podOf, clock, redis } = fleet();
  const pods = Array.from({ length: 10 }, (_, i) => podOf(`${i}`, i));
  for (const { turns } of pods) await turns.ask(null, SERVES);
  redis.away = true;
  const ask = (wish: Wish) => clock.drive(Promise.all(pods.map(({ turns }) => turns.ask(wish, NONE))));
  await ask(CREATE);
  expect(pods.map(({ turns }) => turns.turnFor(CREATE).kind)).toEqual(pods.map(() => "unknown"));
  await clock.advance(11_000);
  await ask(CREATE);
  const near = pods.filter(({ turns }) => turns.turnFor(CREATE).kind === "now").length;
  expect(near).toBeGreaterThan(0);
  expect(near).toBeLessThanOrEqual(3);
  const later = pods.map(({ turns }) => turns.turnFor(CREATE)).filter(({ kind }) => kind === "later");
  expect(later).toEqual(later.map((turn) => ({ ...turn, guessed: true })));
  expect(later).toHaveLength(pods.length - near);
  // Each replacement takes a minute and more: one pod at a time may be down.
  await ask(REPLACEMENT);
  expect(pods.filter(({ turns }) => turns.turnFor(REPLACEMENT).kind === "now").length).toBeLessThanOrEqual(1);
});

test("while Redis is away a replacement begins so long before a slot of the pod that its create follows in that slot", async () => {
  const { podOf, clock, redis } = fleet();
  const { turns } = podOf("0", 0);
  await turns.ask(null, SERVES);
  redis.away = true;
  const asked = async () => {
    await clock.drive(turns.ask(REPLACEMENT, SERVES));
    return turns.turnFor(REPLACEMENT);
  };
  await asked();
  await clock.advance(11_000);
  for (let turn = await asked(); turn.kind !== "now"; turn = await asked()) {
    if (turn.kind !== "later") throw new Error(turn.kind);
    await clock.advance(turn.checkMs);
  }
  const waitMs = ownSlotWaitMs(0, 1, CREATE_SLOT_MS, clock.now());
  expect(waitMs).toBeGreaterThanOrEqual(DRAIN_MS + 18_000);
  expect(waitMs).toBeLessThanOrEqual(DRAIN_MS + 31_000);
});

test("without a fleet the turn is always now", async () => {
  await noPodTurns.ask(CREATE, NONE);
  expect(noPodTurns.turnFor(REPLACEMENT).kind).toBe("now");
});

describe("VAST_MAX_UPDATING", () => {
  const SURGE: Wish = { kind: "surge", lost: true };
  const SURGING = { ...SERVES, surging: true };
  const limited = { kind: "limit", others: 1, most: 1, checkMs: 1000, by: "VAST_MAX_UPDATING" };
  /** Two pods, of which one may be updated at a time. */
  async function two() {
    const all = fleet();
    const [a, b] = [all.podOf("a", 0, { number: 5 }, 1), all.podOf("b", 1, { number: 5 }, 1)];
    const ask = async (pod: typeof a, wish: Wish | null, instance = SERVES) => {
      await all.clock.advance(5000);
      await pod.turns.ask(wish, instance);
      return wish === null ? null : pod.turns.turnFor(wish);
    };
    expect(await ask(a, SURGE)).toEqual({ kind: "now" });
    await a.store.turns.leave("create"); // its create is sent
    return { ...all, a, b, ask };
  }

  test("lets the next pod surge when the one before it is over", async () => {
    const { a, b, ask } = await two();
    expect(await ask(b, SURGE)).toEqual(limited);
    await ask(a, null, SURGING);
    expect(await ask(b, SURGE)).toEqual(limited);
    await ask(a, null);
    expect(await ask(b, SURGE)).toEqual({ kind: "now" });
  });

  test("counts what is given up for an update too, until the pod serves again", async () => {
    const { a, b, ask } = await two();
    await ask(a, null);
    expect(await ask(b, REPLACEMENT)).toEqual({ kind: "now" });
    await ask(b, CREATE, NONE);
    await ask(b, null, LOST);
    expect(await ask(a, SURGE)).toMatchObject({ kind: "limit" });
    await ask(b, null);
    expect(await ask(a, SURGE)).toEqual({ kind: "now" });
  });

  test("holds up no pod that has no instance", async () => {
    const { b, ask } = await two();
    expect(await ask(b, { kind: "create", lost: true }, NONE)).toEqual({ kind: "now" });
  });

  test("is known to a Redis again that has forgotten everything, and updates nothing while it is away", async () => {
    const { a, b, ask, redis, clock } = await two();
    redis.flush();
    await ask(a, null, SURGING);
    await ask(a, null, SURGING);
    await ask(b, null);
    await b.store.unavailable.seen();
    expect(await ask(b, SURGE)).toMatchObject({ kind: "limit", others: 1 });
    redis.away = true;
    for (let i = 0; i < 3; i += 1) {
      await clock.drive(b.turns.ask(SURGE, SERVES));
      expect(b.turns.turnFor(SURGE)).toEqual({ kind: "unknown" });
      await clock.advance(11_000);
    }
  });
});
