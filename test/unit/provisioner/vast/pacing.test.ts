import { describe, expect, test } from "vitest";
import { VastError, type VastErrorKind } from "../../../../provisioner/vast/errors.ts";
import { createPacing, outageWaitMs, type Pacing, refusalWaitMs } from "../../../../provisioner/vast/pacing.ts";
import { seededRandom } from "../../../emulator/random.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

/** When each of the calls of these endpoints may start, in ms after the first. */
async function starts(gates: string[], prepare?: (pacing: Pacing) => void, random = () => 0) {
  const clock = fakeClock();
  const pacing = createPacing(clock, random);
  const began = clock.now();
  prepare?.(pacing);
  const times = Promise.all(gates.map((endpoint) => pacing.acquire(endpoint).then(() => clock.now() - began)));
  return clock.drive(times);
}

function failure(kind: VastErrorKind, times: { retryAfterMs?: number; thresholdMs?: number } = {}): VastError {
  return new VastError({ kind, call: "GET /", status: null, slug: "", text: "", ...times });
}
const refusal = (retryAfterMs?: number) => failure("rate_limited", retryAfterMs === undefined ? {} : { retryAfterMs });

describe("the rate limit of each endpoint", () => {
  test("counts from when a call has left, if that was later than its turn", async () => {
    const clock = fakeClock();
    const pacing = createPacing(clock, () => 0);
    await pacing.acquire("create");
    await clock.advance(400); // it connects
    await pacing.takeTurn("create");
    pacing.left("create");
    const left = clock.now();
    await clock.drive(pacing.acquire("create"));
    expect(clock.now() - left).toBe(4500);
  });

  test.each([
    ["create", 4500],
    ["destroy", 3000],
    ["list", 1000],
    ["template", 3000],
    ["search", 6000],
    ["user", 1000],
  ])("allows one %s call every %i ms", async (endpoint, interval) => {
    expect(await starts([endpoint, endpoint, endpoint])).toEqual([0, interval, 2 * interval]);
  });

  test("does not delay one endpoint because of another", async () => {
    expect(await starts(["create", "list", "destroy"])).toEqual([0, 0, 0]);
  });

  test("blocks calls until the given time, and reports this time", async () => {
    expect(await starts(["create"], (pacing) => pacing.blockUntil("create", fakeClock().now() + 2000))).toEqual([2000]);
    const pacing = createPacing(fakeClock(), () => 0);
    pacing.blockUntil("create", 1);
    expect([pacing.availableAt("create"), pacing.availableAt("list")]).toEqual([1, 0]);
  });

  test("keeps the remaining wait when the clock is set back", async () => {
    const clock = fakeClock();
    const began = clock.now();
    let back = 0;
    const pacing = createPacing({ ...clock, now: () => clock.now() - back }, () => 0);
    await clock.drive(pacing.acquire("create"));
    back = 3_600_000;
    expect(pacing.availableAt("create")).toBe(began - back + 4500);
    await clock.drive(pacing.acquire("create"));
    expect(clock.now() - began).toBe(4500);
  });

  test("stops waiting immediately when the signal is aborted", async () => {
    const clock = fakeClock();
    const pacing = createPacing(clock, () => 0);
    pacing.failed("create", refusal(60_000));
    const stop = new AbortController();
    const waiting = pacing.acquire("create", stop.signal);
    stop.abort();
    await waiting;
    expect(clock.now()).toBe(fakeClock().now());
  });
});

describe("after a 429", () => {
  test("waits as long as the API asks for", async () => {
    expect(await starts(["list"], (pacing) => pacing.failed("list", refusal(17_000)))).toEqual([17_000]);
  });

  test("waits five seconds when the answer names no time", async () => {
    expect(await starts(["list"], (pacing) => pacing.failed("list", refusal()))).toEqual([5000]);
  });

  test("waits at least twelve seconds after a create", async () => {
    expect(await starts(["create"], (pacing) => pacing.failed("create", refusal(4500)))).toEqual([12_000]);
  });

  test("a smaller wait does not shorten a longer one", async () => {
    const twice = (pacing: Pacing) => {
      pacing.failed("list", refusal(17_000));
      pacing.failed("list", refusal(1000));
    };
    expect(await starts(["list"], twice)).toEqual([17_000]);
  });

  test("spreads pods that were refused together over a time that grows with each refusal", () => {
    const spread = (refusals: number) => refusalWaitMs(1000, 0, refusals, () => 0.999) - 1000;
    expect([1, 2, 3, 4, 20].map((n) => Math.round(spread(n) / 1000))).toEqual([1, 2, 4, 8, 60]);
  });

  test("keeps a longer interval from the answer for ten minutes", async () => {
    const clock = fakeClock();
    const pacing = createPacing(clock, () => 0);
    pacing.failed("list", failure("rate_limited", { retryAfterMs: 3000, thresholdMs: 3000 }));
    const gaps = async () => {
      const first = await clock.drive(pacing.acquire("list").then(() => clock.now()));
      return (await clock.drive(pacing.acquire("list").then(() => clock.now()))) - first;
    };
    expect(await gaps()).toBe(3000);
    await clock.advance(600_000);
    expect(await gaps()).toBe(1000);
  });

  test("ignores an interval that is shorter than the known one", async () => {
    const prepare = (pacing: Pacing) => pacing.failed("create", failure("rate_limited", { thresholdMs: 100 }));
    const [first = 0, second = 0] = await starts(["create", "create"], prepare);
    expect(second - first).toBe(4500);
  });
});

describe("after an outage", () => {
  test.each(["unavailable", "malformed"] as const)("the wait is random within a time that doubles: %s", (kind) => {
    const clock = fakeClock();
    const pacing = createPacing(clock, () => 0.999);
    const waits: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      pacing.failed("list", failure(kind));
      waits.push(Math.round((pacing.availableAt("list") - clock.now()) / 1000));
    }
    expect(waits).toEqual([2, 4, 8, 16, 20, 20]);
    expect(outageWaitMs(3, () => 0)).toBe(0);
  });

  test("the waits end with any answer, also with an error of another kind", () => {
    for (const end of [(p: Pacing) => p.succeeded("list"), (p: Pacing) => p.failed("list", failure("invalid"))]) {
      const clock = fakeClock();
      const pacing = createPacing(clock, () => 0.999);
      for (let i = 0; i < 5; i += 1) pacing.failed("user", failure("unavailable"));
      for (let i = 0; i < 5; i += 1) pacing.failed("list", failure("unavailable"));
      end(pacing);
      const before = pacing.availableAt("list");
      pacing.failed("list", failure("unavailable"));
      expect(pacing.availableAt("list")).toBe(before);
    }
  });

  test("programs that lost the API together return at different times", () => {
    const opens = Array.from({ length: 40 }, (_, i) => {
      const clock = fakeClock();
      const pacing = createPacing(clock, seededRandom(7, `pod ${i}`).next);
      for (let n = 0; n < 5; n += 1) pacing.failed("list", failure("unavailable"));
      return pacing.availableAt("list") - clock.now();
    });
    const perSecond = new Map<number, number>();
    for (const at of opens) perSecond.set(Math.floor(at / 1000), (perSecond.get(Math.floor(at / 1000)) ?? 0) + 1);
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(8); // of 40
  });
});
