// Probes that are answered late save most of the time of a large simulation: the laws must hold with them too.
import { expect, test } from "vitest";
import { HOLD_PROBES_MS } from "./held-probes.ts";
import { judge } from "./laws/all.ts";
import { instanceEvent, podKilled, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

test("a held probe is answered when the instance changes, so that a dead one is withdrawn in time", async () => {
  const injections = [instanceEvent(10, "exit"), instanceEvent(25, "mute"), podKilled(40, false), podKilled(50, true)];
  const { truth } = await simulate(scenarioWith(injections), { holdProbesMs: HOLD_PROBES_MS });
  expect(judge(truth)).toEqual([]);
  expect(truth.contracts.length).toBeGreaterThan(2);
});
