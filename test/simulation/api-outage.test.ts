// An outage of the API in which an instance ends. Its pod has probed it all the time: how long it waits then depends on that.
import { expect, test } from "vitest";
import { judge } from "./laws/all.ts";
import { instanceEvent, MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

test.each([
  { what: "soon after ten minutes of silence", minutes: 10, from: 0, to: 30 },
  { what: "after its grace when it was silent for three minutes", minutes: 3, from: 45, to: 75 },
])("an instance that exited in an outage of the API is replaced $what", async ({ minutes, from, to }) => {
  const at = 10 * MINUTE_MS;
  const outage = {
    kind: "network",
    at,
    forMs: minutes * MINUTE_MS,
    to: "api",
    code: "ECONNREFUSED",
    pod: null,
  } as const;
  const { truth } = await simulate(scenarioWith([outage, instanceEvent(10, "exit")]));
  const back = truth.start + at + outage.forMs;
  const seconds = truth.creates.map((create) => (create.at - back) / 1000).filter((after) => after > 0);
  expect(seconds).toHaveLength(1);
  expect(seconds[0]).toBeGreaterThan(from);
  expect(seconds[0]).toBeLessThan(to);
  expect(judge(truth)).toEqual([]);
});
