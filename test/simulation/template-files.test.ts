// Pods with a template file (VAST_TEMPLATE_FILE): an edit of the file reaches the account's template once, and every instance.
import { expect, test } from "vitest";
import { HOLD_PROBES_MS } from "./held-probes.ts";
import { judge } from "./laws/all.ts";
import type { Injection } from "./scenario.ts";
import { MINUTE_MS, podKilled, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const PODS = 3;
const edit = (atMinute: number, losesDisk = false): Injection => ({
  kind: "template-file",
  at: atMinute * MINUTE_MS,
  readme: `edited at ${atMinute}`,
  losesDisk,
});

async function edited(injections: Injection[], env: Record<string, string>) {
  const scenario = scenarioWith(injections, { pods: PODS, templateFile: true, env, emulator: { bootSeconds: 60 } });
  const run = await simulate(scenario, { timeline: true, holdProbesMs: HOLD_PROBES_MS });
  const writes = run.timeline.filter((line) => line.includes("PUT /api/v0/template/ "));
  return { ...run, writes, laws: [...new Set(judge(run.truth).map(({ law }) => law))] };
}
const hashes = ({ truth }: Awaited<ReturnType<typeof edited>>) =>
  truth.pods.map(({ serving }) => serving.at(-1)?.shows?.split(" ").at(-1));

test.each([
  ["with Redis", "true"],
  ["without", "false"],
])("an edit of the file is written once and replaces every instance, %s", async (_, enabled) => {
  const run = await edited([edit(10), podKilled(12, false)], { BLACKLIST_ENABLED: enabled });
  expect(run.laws).toEqual([]);
  expect(run.writes).toHaveLength(1);
  expect(new Set(hashes(run)).size).toBe(1);
  expect(run.truth.contracts.filter(({ endedBy }) => endedBy === "api")).toHaveLength(PODS);
});

test("a file that says what the account has is not written, and replaces nothing", async () => {
  const run = await edited([podKilled(10, true)], {});
  expect(run.laws).toEqual([]);
  expect(run.writes).toEqual([]);
  expect(run.truth.contracts.filter(({ endedBy }) => endedBy === "api")).toEqual([]);
});

test("the last of two edits counts, also where pods of the first one start again while the second is rolled out", async () => {
  const run = await edited([edit(10), edit(10.4, true), podKilled(10.5, false)], { BLACKLIST_ENABLED: "true" });
  expect(run.laws).toEqual([]);
  expect(new Set(hashes(run)).size).toBe(1);
});
