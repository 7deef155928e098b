import { expect, test } from "vitest";
import { appliedState, isNginxUp, type PassSummary } from "../../../../reloader/report/applied-state.ts";

const reload = { at: 0, acceptedMs: 10, settledMs: null };
const SETTLED = { kind: "settled", reload: null, why: null } as const;
const REFUSED = { kind: "refused", why: "", rolledBack: true, running: true } as const;
const state = (change: Partial<PassSummary>) =>
  appliedState({ outcome: SETTLED, refusing: false, hasConfig: true, serves: true, ...change });

test.each([
  ["applied", {}],
  ["invalid_input", { hasConfig: false }],
  ["settling", { serves: false }],
  ["refused", { refusing: true }],
  ["refused", { outcome: REFUSED, refusing: true }],
  ["refused", { outcome: null }],
  ["settling", { outcome: { kind: "settling", reload, why: "" } }],
  ["nginx_down", { outcome: { kind: "nginx_down", why: "" } }],
  ["nginx_unresponsive", { outcome: { kind: "nginx_unresponsive", why: "" } }],
  ["disk", { outcome: { kind: "failed", why: "", because: "disk" } }],
  ["signal_failed", { outcome: { kind: "failed", why: "", because: "signal_failed" } }],
] as const)("the state is %s after %j", (expected, change) => {
  expect(state(change)).toBe(expected);
});

test("an nginx that still runs after a refusal is up, and one that does not start is not", () => {
  expect(isNginxUp(REFUSED)).toBe(true);
  expect(isNginxUp({ ...REFUSED, running: false })).toBe(false);
  expect(isNginxUp({ kind: "nginx_down", why: "" })).toBe(false);
  expect(isNginxUp({ kind: "failed", why: "", because: "disk" })).toBeNull();
});
