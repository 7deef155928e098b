import { expect, test } from "vitest";
import { awaitAccepted } from "../../../../reloader/apply/verify.ts";
import type { HashProbe } from "../../../../reloader/nginx/hash-probe.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

/** The times of the probes of an nginx whose old workers answer until `newFrom`, in ms since the signal. */
async function probed(newFrom: number, timeoutMs: number) {
  const clock = fakeClock();
  const since = clock.monotonic();
  const times: number[] = [];
  const old: HashProbe = { kind: "hash", hash: "old", pid: 8 };
  const accepted = await clock.drive(
    awaitAccepted({
      hash: "new",
      since,
      timeoutMs,
      clock,
      fetchHash: async () => {
        times.push(clock.monotonic() - since);
        return clock.monotonic() - since < newFrom ? old : { kind: "hash", hash: "new", pid: 9 };
      },
      isProof: (probes) => probes.some((probe) => probe.kind === "hash" && probe.hash === "new"),
      isWithdrawn: async () => false,
      refusal: async () => null,
      isMasterAlive: () => true,
      signal: new AbortController().signal,
    }),
  );
  return { accepted, times };
}

// Each old worker takes up to 16 connections before the kernel gives the next one to another worker.
test.each([
  [3, 5],
  [6, 11],
])("as many probes as %i old workers may take are sent within %i ms", async (workers, withinMs) => {
  const { times } = await probed(Number.POSITIVE_INFINITY, 100);
  expect(times.filter((at) => at <= withinMs).length).toBeGreaterThanOrEqual(16 * workers);
});

test("an nginx that loads its config within 10 ms is found at once", async () => {
  const { accepted, times } = await probed(10, 1_000);
  expect([accepted, times.at(-1)]).toEqual([{ accepted: true }, 10]);
});

test("a slow nginx is probed less and less often", async () => {
  const { accepted, times } = await probed(Number.POSITIVE_INFINITY, 10_000);
  expect(accepted).toMatchObject({ accepted: false, because: "timeout" });
  const perSecond = (second: number) => times.filter((at) => Math.floor(at / 1_000) === second).length;
  expect(perSecond(0)).toBeLessThan(400);
  expect(perSecond(9)).toBeLessThanOrEqual(160);
});
