// What the copy in Redis preserves when a pod is replaced and its disk is lost. Each test runs without Redis too, which shows
// that Redis makes the difference.
import { expect, test } from "vitest";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import { budgetKept } from "./laws/budget.ts";
import { nothingLeft } from "./laws/nothing-left.ts";
import type { Injection } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, podKilled, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const WITH = { env: { BLACKLIST_ENABLED: "true" } };

test("a label's budget holds although its pod is replaced", async () => {
  const rounds = Array.from({ length: 9 }, (_, i) => 4 + 6 * i);
  const injections = rounds.flatMap((minute): Injection[] => [
    instanceEvent(minute, "kill"),
    podKilled(minute + 0.02, true),
  ]);
  expect(budgetKept((await simulate(scenarioWith(injections, WITH))).truth)).toEqual([]);
  const { truth } = await simulate(scenarioWith(injections));
  expect(budgetKept(truth)).toEqual([]); // without Redis a new pod has a new budget
  expect(budgetKept({ ...truth, redisUnreliable: [] })).not.toEqual([]);
});

const rule = { method: "PUT", path: "^/api/v0/asks/", times: 1, effect: { kind: "no-row" } };
const injections: Injection[] = [{ kind: "api-fault", at: 0, forMs: MINUTE_MS, rule }, podKilled(1, true)];

test("a contract that is never listed is destroyed although its pod is replaced", async () => {
  expect(nothingLeft((await simulate(scenarioWith(injections, WITH))).truth)).toEqual([]);
  expect(nothingLeft((await simulate(scenarioWith(injections))).truth)).not.toEqual([]);
});

test("such a contract is destroyed even if its id could not be saved on the former pod's full disk", async () => {
  let processes = 0;
  let refused = 0;
  const alter = (dependencies: Dependencies): Dependencies => {
    processes += 1;
    if (processes > 1) return dependencies;
    const write: Dependencies["disk"]["write"] = async (path, text, mode) => {
      if (!/"contract":\d/.test(text)) return dependencies.disk.write(path, text, mode);
      refused += 1;
      throw Object.assign(new Error(`ENOSPC: ${path}`), { code: "ENOSPC" });
    };
    return { ...dependencies, disk: { ...dependencies.disk, write } };
  };
  expect(nothingLeft((await simulate(scenarioWith(injections, WITH), { alter })).truth)).toEqual([]);
  expect(refused).toBeGreaterThan(0);
});
