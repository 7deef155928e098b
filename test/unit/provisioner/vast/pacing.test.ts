import { describe, expect, test } from "vitest";
import { createPacing } from "../../../../provisioner/vast/pacing.ts";
import { fakeClock } from "../../common/fake-clock.ts";

/** When each of the calls of these endpoints may start, in ms after the first. */
async function starts(gates: string[], prepare?: (pacing: ReturnType<typeof createPacing>) => void, random = () => 0) {
  const clock = fakeClock();
  const pacing = createPacing(clock, random);
  const began = clock.now();
  prepare?.(pacing);
  const times = Promise.all(gates.map((gate) => pacing.enter(gate).then(() => clock.now() - began)));
  return clock.drive(times);
}

describe("the gate before each endpoint", () => {
  test.each([
    ["create", 4500],
    ["destroy", 3000],
    ["list", 1000],
    ["template", 3000],
    ["search", 6000],
    ["user", 1000],
  ])("lets %s calls through every %i ms", async (gate, interval) => {
    expect(await starts([gate, gate, gate])).toEqual([0, interval, 2 * interval]);
  });

  test("does not hold one endpoint up for another", async () => {
    expect(await starts(["create", "list", "destroy"])).toEqual([0, 0, 0]);
  });

  test("waits as long as a 429 asks for", async () => {
    expect(await starts(["list"], (pacing) => pacing.penalise("list", 17_000))).toEqual([17_000]);
  });

  test("waits five seconds after a 429 that names no time", async () => {
    expect(await starts(["list"], (pacing) => pacing.penalise("list", null))).toEqual([5000]);
  });

  test("waits twelve seconds after a refused create, whatever it names", async () => {
    expect(await starts(["create"], (pacing) => pacing.penalise("create", 4500))).toEqual([12_000]);
  });

  test("spreads those who were refused together", async () => {
    expect(
      await starts(
        ["list"],
        (pacing) => pacing.penalise("list", 4000),
        () => 0.5,
      ),
    ).toEqual([4500]);
  });

  test("a smaller penalty does not shorten a longer wait", async () => {
    const twice = (pacing: ReturnType<typeof createPacing>) => {
      pacing.penalise("list", 17_000);
      pacing.penalise("list", 1000);
    };
    expect(await starts(["list"], twice)).toEqual([17_000]);
  });

  test("opens at once for a program that ends", async () => {
    const clock = fakeClock();
    const pacing = createPacing(clock, () => 0);
    pacing.penalise("create", 60_000);
    const stop = new AbortController();
    const waiting = pacing.enter("create", stop.signal);
    stop.abort();
    await waiting;
    expect(clock.now()).toBe(fakeClock().now());
  });
});
