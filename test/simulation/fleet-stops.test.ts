// Pods with one key and one Redis whose ends are ordered at the same moment: one of them reads the lists for all, and their destroys follow
// one another at the pace that the API allows.
import { expect, test } from "vitest";
import { contractsOf, livesAt } from "./emulator-truth.ts";
import { judge } from "./laws/all.ts";
import type { Injection } from "./scenario.ts";
import { MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { type RunResult, simulate } from "./simulation.ts";

const PODS = 60;
const STOP_AT = 9 * MINUTE_MS;
const SECONDS = 300;
// The interval of the destroys, with what their ways to the API may differ.
const DESTROY_SECONDS = 3.15;
// Lists show an instance for so long after its destroy.
const LAG_SECONDS = 60;
// Lists before the first destroy and after the last one.
const LISTS_SECONDS = 15;

const env = {
  BLACKLIST_ENABLED: "true",
  VAST_DRAIN_SECONDS: "0",
  VAST_ON_TERMINATE: "destroy",
  VAST_TERMINATE_SECONDS: `${SECONDS}`,
};

const stops = (pods: readonly number[]): Injection[] =>
  pods.map((pod) => ({
    kind: "restart",
    at: STOP_AT,
    pod,
    how: "terminate",
    point: null,
    downMs: 30 * MINUTE_MS,
    losesDisk: true,
  }));

const run = (stopped: number, more: Injection[] = []): Promise<RunResult> =>
  simulate(
    scenarioWith([...stops(Array.from({ length: stopped }, (_, pod) => pod)), ...more], {
      pods: PODS,
      hours: 0.3,
      faultyMinutes: 15,
      env,
      emulator: { destroyLagSeconds: LAG_SECONDS },
    }),
    { startsAt: () => 0 },
  );

const callsAfterStop = ({ requests, truth }: RunResult) =>
  requests.filter(({ at }) => Date.parse(at) >= truth.start + STOP_AT);

/** How long each end took, and whether it left anything. */
function ends({ truth }: RunResult, stopped: number) {
  const of = truth.pods.slice(0, stopped);
  return {
    slowest: Math.max(...of.flatMap((pod) => pod.ends.map(({ from, to }) => (to - from) / 1000))),
    count: of.flatMap((pod) => pod.ends).length,
    left: of
      .flatMap((pod) => contractsOf(truth, pod))
      .filter((one) => livesAt(one, truth.start + STOP_AT + SECONDS * 1000)).length,
  };
}

test.each([
  ["all pods", PODS],
  ["most pods", PODS - 4],
])("%s that stop at once destroy their instances in the time that the limit of the API takes", async (_, stopped) => {
  const result = await run(stopped);
  const { slowest, count, left } = ends(result, stopped);
  // The pods do not come back, so nothing serves at the end.
  expect(judge(result.truth).filter(({ law }) => law !== "nothing-left")).toEqual([]);
  expect({ count, left }).toEqual({ count: stopped, left: 0 });
  expect(slowest).toBeLessThan(stopped * DESTROY_SECONDS + LAG_SECONDS + LISTS_SECONDS);
  expect(callsAfterStop(result).filter(({ status }) => status === 429)).toEqual([]);
});

test("a pod that is told to end twice has one end, whose time runs since it was told first", async () => {
  const [stop] = stops([0]);
  if (stop === undefined) throw new Error("no stop");
  const injections = [stop, { ...stop, at: stop.at + 1000 }];
  const { truth } = await simulate(scenarioWith(injections, { hours: 0.25, faultyMinutes: 10, env }));
  expect(truth.pods[0]?.ends).toMatchObject([{ due: truth.start + STOP_AT + (SECONDS + 10) * 1000, killed: false }]);
});
