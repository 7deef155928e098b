// Ten pods with one key and one address, under the API's rate limits: their start, and their recovery after an outage.
import { expect, test } from "vitest";
import { seededRandom } from "../emulator/random.ts";
import { coldStart } from "./cold-start.ts";
import { MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { type RunOptions, simulate } from "./simulation.ts";

const SEEDS = [1, 2, 3, 4, 5];
// The minimum that the API's limit of one create in 4.5 s allows.
const FLOOR_SECONDS = 10 * 4.5;

/** Every pod has another one. */
const drawn = (seed: number, what: string, low: number, high: number) => {
  const random = seededRandom(seed, what);
  const values = Array.from({ length: 10 }, () => random.integer(low, high));
  return (pod: number) => values[pod] ?? 0;
};
const spread = (seed: number) => drawn(seed, "starts", 0, 5000);

const ways: [string, (seed: number) => RunOptions][] = [
  ["at the same instant", () => ({})],
  ["within five seconds", (seed) => ({ startsAt: spread(seed) })],
  [
    "within five seconds, with clocks that are off by 0.1 s",
    (seed) => ({ startsAt: spread(seed), clockOffsetMs: drawn(seed, "clocks", -100, 100) }),
  ],
];

test.each(ways)("ten pods that start %s are all ready soon, and hardly a call is too frequent", async (_, options) => {
  for (const seed of SEEDS) {
    const start = await coldStart(10, seed, options(seed));
    expect(start.made).toBe(10);
    expect(start.readySeconds ?? Number.POSITIVE_INFINITY).toBeLessThan(2 * FLOOR_SECONDS + start.longestBootSeconds);
    expect(start.refused / start.calls).toBeLessThan(0.05);
  }
});

test("a single pod creates right after the second empty list", async () => {
  const start = await coldStart(1, 1);
  expect(start.lastCreateSeconds).toBeLessThan(10 + 2 * 2.5);
  expect(start.refused).toBe(0);
});

test.each([
  ["cannot be reached", { kind: "network", to: "api", code: "ECONNREFUSED", pod: null }],
  ["answers 502", { kind: "api-fault", rule: { times: 0, effect: { kind: "html", status: 502 } } }],
] as const)("ten pods do not come back at the same instant after a time in which the API %s", async (_, outage) => {
  for (const atMinute of [0.5, 10]) {
    const forMs = 5 * MINUTE_MS;
    const injection = { ...outage, at: atMinute * MINUTE_MS, forMs };
    const { requests, truth } = await simulate(scenarioWith([injection], { faultyMinutes: 30, pods: 10 }));
    const end = truth.start + atMinute * MINUTE_MS + forMs;
    const perSecond = new Map<number, number>();
    const perEndpoint = new Map<string, number>();
    for (const request of requests) {
      const second = Math.floor((Date.parse(request.at) - end) / 1000);
      if (second < 0 || second >= 120) continue;
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      const endpoint = `${second} ${request.method} ${request.path.replace(/\d{2,}/, "N")}`;
      perEndpoint.set(endpoint, (perEndpoint.get(endpoint) ?? 0) + 1);
    }
    // The API counts each endpoint separately. One pod's search and create are several calls in a second.
    expect(Math.max(...perEndpoint.values())).toBeLessThanOrEqual(3);
    expect(Math.max(...perSecond.values())).toBeLessThan(10);
    const firstTen = Array.from({ length: 10 }, (_, second) => perSecond.get(second) ?? 0);
    expect(firstTen.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(25);
    const serving = truth.pods.map((pod) => pod.serving.at(-1)?.to);
    expect(serving).toEqual(truth.pods.map(() => truth.end));
  }
});
