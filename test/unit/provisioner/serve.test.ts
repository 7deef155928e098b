import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Endpoint } from "../../../provisioner/model/endpoint.ts";
import type { Probe } from "../../../provisioner/observe/probe.ts";
import { adoptPublished } from "../../../provisioner/state/apply-observation.ts";
import type { FakeClock } from "../../fakes/fake-clock.ts";
import { fileOf, loop } from "./loop.ts";
import {
  atOnce,
  endpoint,
  failing,
  HOUR,
  MINUTE,
  NOW,
  observation,
  passing,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  state,
  unknown,
} from "./plan/situation.ts";

const ID = 7835610;
const serving = state({ tracks: { [ID]: servingTrack() } });
const publications = (journal: readonly string[]) => journal.filter((entry) => entry.startsWith("publish"));

/** An instance that answers except from `from` to `to`. `lastsMs`: how long a probe takes. */
function instance(clock: () => FakeClock, from: number, to: number, lastsMs: (dead: boolean) => number): Probe {
  return async (where) => {
    const startedAt = clock().now();
    const dead = startedAt >= from && startedAt < to;
    await clock().sleep(lastsMs(dead));
    return { ...(dead ? failing(where) : passing(where)), startedAt, at: clock().now() };
  };
}

/** Probes that fail take this long, others no time. */
const failsIn = (ms: number) => (dead: boolean) => (dead ? ms : 0);

/** A pod whose main loop waits for the API, and when its file changed. */
function heldUp(from: number, to: number, lastsMs: (dead: boolean) => number, seen = observation([row()])) {
  const l = loop({
    seen,
    state: serving,
    file: fileOf(),
    heldUp: (clock) => clock.sleep(HOUR),
    probe: instance(() => l.clock, from, to, lastsMs),
  });
  l.state.seen = seen;
  return l;
}

async function changesWithin(l: ReturnType<typeof loop>, ms: number) {
  const times: { at: number; what: string }[] = [];
  const push = l.journal.push.bind(l.journal);
  l.journal.push = (...entries) => {
    for (const what of publications(entries)) times.push({ at: l.clock.now(), what });
    return push(...entries);
  };
  void l.run();
  void l.runServing();
  await l.clock.advance(ms);
  l.stop.abort();
  await l.clock.advance(HOUR);
  return times;
}

describe("while the API holds up the main loop", () => {
  test("a server that stops answering is withdrawn within 20 s, whenever it dies and however long its probes take", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 6000 }),
        // Not 0 ms: a probe that ends at the very instant of the one before is taken for it.
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 12 }),
        async (diesAfter, lasts) => {
          let probes = 0;
          const next = () => lasts[probes++ % lasts.length] ?? 0;
          const l = heldUp(NOW + diesAfter, Number.POSITIVE_INFINITY, next);
          const [withdrawn] = await changesWithin(l, 27 * SECOND);
          expect(withdrawn?.what).toBe("publish none");
          expect(withdrawn?.at).toBeGreaterThan(NOW + diesAfter);
          expect((withdrawn?.at ?? 0) - NOW - diesAfter).toBeLessThanOrEqual(20 * SECOND);
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each([
    ["the list is known", observation([row()])],
    ["the list is unknown", observation([], { list: unknown() })],
  ])("a server that answers again after a short outage is back within 20 s, when %s", async (_, seen) => {
    const l = heldUp(NOW, NOW + 40 * SECOND, failsIn(5000), seen);
    const [withdrawn, back] = await changesWithin(l, MINUTE + 10 * SECOND);
    expect(withdrawn?.what).toBe("publish none");
    expect(back?.what).toBe("publish 41234");
    expect((back?.at ?? 0) - NOW - 40 * SECOND).toBeLessThanOrEqual(20 * SECOND);
  });

  test("a server of an unknown list is not back after a long outage: its port may be another customer's", async () => {
    const l = heldUp(NOW, NOW + 4 * MINUTE, failsIn(5000), observation([], { list: unknown() }));
    expect((await changesWithin(l, 6 * MINUTE)).map(({ what }) => what)).toEqual(["publish none"]);
  });

  test("a server that an earlier run has published is watched before the first list", async () => {
    const l = heldUp(NOW, Number.POSITIVE_INFINITY, failsIn(0));
    l.state.seen = null;
    const [withdrawn] = await changesWithin(l, 20 * SECOND);
    expect(withdrawn?.what).toBe("publish none");
    expect(l.state.file).toMatchObject({ state: "unavailable", reason: "list_unknown" });
  });

  test("an outage of one or two probes changes nothing", async () => {
    const l = heldUp(NOW + SECOND, NOW + 6 * SECOND, failsIn(0));
    expect(await changesWithin(l, 30 * SECOND)).toEqual([]);
  });
});

describe("both loops together", () => {
  const dead = async (where: Endpoint) => failing(where);

  test("a pass that ends later does not publish again what was withdrawn meanwhile", async () => {
    const seen = observation([row()], { probes: new Map([[ID, { ...passing(), ...atOnce(NOW) }]]) });
    const l = loop({ seen, state: serving, file: fileOf(), heldUp: (clock) => clock.sleep(20 * SECOND), probe: dead });
    l.state.seen = seen;
    expect((await changesWithin(l, 30 * SECOND)).map(({ what }) => what)).toEqual(["publish none"]);
    expect(l.state).toMatchObject({ passes: 1, plan: { reason: "instance_unreachable", server: null } });
  });

  test("what is withdrawn for its destroy is not published again, though it answers", async () => {
    const l = loop({ seen: observation([row({ image: "example/app:1" })]), state: serving, file: fileOf() });
    const changes = await changesWithin(l, 30 * SECOND);
    expect([...new Set(changes.map(({ what }) => what))]).toEqual(["publish none"]);
    expect(l.journal).toContain(`destroy ${ID}`);
  });

  test("say the same about a server that does not answer, so that the file and the log change once", async () => {
    const seen = observation([row()]);
    const l = loop({ seen, state: serving, file: fileOf(), probe: dead });
    await l.pass();
    for (let i = 0; i < 3; i += 1) {
      await l.clock.advance(3 * SECOND);
      await l.serve();
    }
    await l.pass();
    expect(publications(l.journal)).toEqual(["publish 41234", "publish none"]);
    expect(l.lines.filter((line) => line.event === "state").map((line) => line.reason)).toEqual([
      "instance_ready",
      "instance_unreachable",
    ]);
  });
});

test("a stopped contract is not published again, although its address answers", async () => {
  const stopped = servingTrack({ serving: false, notServingSince: NOW, stopped: { reads: 2, readAt: NOW } });
  const l = loop({ state: state({ tracks: { [ID]: stopped } }), file: fileOf({ server: null, state: "unavailable" }) });
  const { server } = fileOf();
  if (server === null) throw new Error("the file has a server");
  l.state.served = { id: ID, server, downSince: l.clock.monotonic() };
  l.state.seen = observation([row({ curState: "stopped" })]);
  for (let i = 0; i < 5; i += 1) {
    await l.clock.advance(3 * SECOND);
    await l.serve();
  }
  expect(publications(l.journal)).toEqual([]);
});

test("a stopped contract that an earlier run has left published is withdrawn before the first list", async () => {
  const stopped = servingTrack({ serving: false, notServingSince: NOW, stopped: { reads: 2, readAt: NOW } });
  const before = state({ tracks: { [ID]: { ...stopped, endpoint: null } } });
  const l = loop({ state: adoptPublished(before, fileOf(), NOW), file: fileOf() });
  await l.serve();
  expect(publications(l.journal)).toEqual(["publish none"]);
});

test("an instance that has moved is left to the main loop: only a list shows where it is", async () => {
  const probed: number[] = [];
  const moved = state({ tracks: { [ID]: servingTrack({ endpoint: { ...endpoint, port: 50000 } }) } });
  const l = loop({
    state: moved,
    file: fileOf(),
    probe: async (where) => {
      probed.push(where.port);
      return failing(where);
    },
  });
  await l.serve();
  expect(probed).toEqual([]);
});

test("a withdrawal that cannot be written is tried again with each probe, and reported once", async () => {
  const l = loop({ state: serving, file: fileOf(), probe: async (where) => failing(where) });
  l.state.seen = observation([row()]);
  l.brokenPublisher.now = true;
  for (let i = 0; i < 6; i += 1) await l.serve();
  expect(l.state.problem).toContain("read-only");
  expect(l.lines.filter((line) => line.event === "disk")).toHaveLength(1);
  l.brokenPublisher.now = false;
  await l.serve();
  expect(publications(l.journal)).toEqual(["publish none"]);
  expect(l.state.problem).toBeNull();
});

test("a server that was down already when the program started is published by the main loop only", async () => {
  const file = fileOf({ server: null, state: "unavailable" });
  const l = loop({ state: state({ tracks: { [ID]: silentTrack(MINUTE) } }), file });
  l.state.seen = observation([row()]);
  for (let i = 0; i < 5; i += 1) await l.serve();
  expect(publications(l.journal)).toEqual([]);
});
