import { expect, test } from "vitest";
import type { ApplyOutcome } from "../../../../reloader/apply/apply.ts";
import { EMPTY_MEMORY } from "../../../../reloader/plan/memory.ts";
import { nextPassMs } from "../../../../reloader/plan/next-pass.ts";
import { planReload } from "../../../../reloader/plan/plan-reload.ts";
import { NO_RENDER_INPUTS } from "../../../../reloader/render/view.ts";
import { server } from "../samples.ts";
import { inputFor } from "./plan-input.ts";

const SETTLED = { kind: "settled", reload: null, why: null } as const;
const reload = { at: 0, acceptedMs: 10, settledMs: null };
const known = inputFor(server(), {
  inputs: { render: { ...NO_RENDER_INPUTS, nginxVersion: "1.30.0" }, usable: true, problem: null },
});

test.each<[string, number, ApplyOutcome | null]>([
  ["in 3 s when all is well", 3_000, SETTLED],
  ["in 1 s while nginx is down", 1_000, { kind: "nginx_down", why: "" }],
  ["in 1 s while nginx does not answer", 1_000, { kind: "nginx_unresponsive", why: "" }],
  ["in 0.25 s while old workers answer", 250, { kind: "settling", reload, why: "" }],
  ["in 3 s after a refusal", 3_000, { kind: "refused", why: "", rolledBack: true, running: true }],
  ["in 3 s when the config could not be applied", 3_000, { kind: "failed", why: "", because: "disk" }],
  ["in 3 s when there was nothing to apply", 3_000, null],
])("the next pass comes %s", (_, expected, outcome) => {
  expect(nextPassMs(known, planReload(known, EMPTY_MEMORY, 0), outcome, EMPTY_MEMORY)).toBe(expected);
});

test("the next pass comes at once when nginx has started with a fallback config", () => {
  const before = { ...EMPTY_MEMORY, nginxDown: { since: 0, usedFallback: true } };
  expect(nextPassMs(known, planReload(known, before, 60_000), SETTLED, before)).toBe(0);
  expect(nextPassMs(known, planReload(known, before, 0), SETTLED, before)).toBe(3_000);
});

test("the next pass comes at once when a new config makes nginx' version known", () => {
  const unknown = inputFor(server());
  const plan = planReload(unknown, EMPTY_MEMORY, 0);
  expect(nextPassMs(unknown, plan, SETTLED, EMPTY_MEMORY)).toBe(0);
  const applied = { generation: 1, server: server(), hash: plan.config?.hash ?? "" };
  expect(nextPassMs(unknown, plan, SETTLED, { ...EMPTY_MEMORY, applied })).toBe(3_000);
});
