import { expect, test } from "vitest";
import type { ApplyOutcome } from "../../../../reloader/apply/apply.ts";
import { foldOutcome } from "../../../../reloader/plan/fold-outcome.ts";
import { EMPTY_MEMORY, type ReloadMemory } from "../../../../reloader/plan/memory.ts";
import { planReload } from "../../../../reloader/plan/plan-reload.ts";
import { passReport } from "../../../../reloader/report/pass-report.ts";
import { inputFor, unusable } from "../plan/plan-input.ts";
import { configFor, server } from "../samples.ts";

const NOW = Date.UTC(2026, 10, 23, 15);
const OLD = server(1);
const NEW = server(2);
type Reported = Exclude<ApplyOutcome, { kind: "stopped" }> | null;

/** The report of a pass with this input and outcome. */
function report(outcome: Reported, input = inputFor(NEW), before: ReloadMemory = EMPTY_MEMORY, errors: string[] = []) {
  const plan = planReload(input, before, NOW);
  return passReport(input, plan, outcome, foldOutcome(before, input, plan, outcome, NOW), errors);
}

test("a pass that settled reports the applied server and no problem", () => {
  expect(report({ kind: "settled", reload: null, why: null })).toMatchObject({
    desired: { generation: 6, server: NEW, hash: configFor(NEW).hash },
    applied: { generation: 6, server: NEW, hash: configFor(NEW).hash },
    problem: null,
    state: "applied",
    nginxUp: true,
    upstreamWrittenAt: 400,
  });
});

test("a refusal is reported with its try and the wait for the next one, also while the next try waits", () => {
  const why = "unknown directive";
  const refused = report({ kind: "refused", why, rolledBack: true, running: true });
  const problem = `${why} (try 1, next try 5 s after it; nginx keeps the config that it runs)`;
  expect(refused).toMatchObject({ problem, state: "refused", refused: true, refusing: true, applied: null });
  const memory = { ...EMPTY_MEMORY, refused: { hash: configFor(NEW).hash, why, failures: 1, retryAt: NOW + 5_000 } };
  const waiting = report({ kind: "settled", reload: null, why: null }, inputFor(NEW, { good: configFor(OLD) }), memory);
  expect(waiting).toMatchObject({
    problem,
    state: "refused",
    refused: false,
    refusing: true,
    applied: { server: OLD },
  });
});

test("all problems of a pass are in one line, those of the inputs first", () => {
  const input = inputFor(NEW, { good: configFor(OLD), ...unusable("the file is gone") });
  const { problem, state } = report({ kind: "nginx_down", why: "nginx is not running" }, input, EMPTY_MEMORY, [
    "no room",
  ]);
  expect(problem).toBe("the file is gone; nginx is not running; no room");
  expect(state).toBe("nginx_down");
});

test("a pass while nginx is down reports that the config file alternates, once it has held a safer config", () => {
  const down = { since: NOW - 60_000, usedFallback: false };
  const { problem } = report({ kind: "nginx_down", why: "nginx is not running" }, inputFor(NEW), {
    ...EMPTY_MEMORY,
    nginxDown: down,
  });
  expect(problem).toContain("alternates every 60 s between the desired config and a safer one");
});
