import { expect, test } from "vitest";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import { podReport, reportedChange } from "../../../../provisioner/report/pod-report.ts";
import { desired, limits, NOW, observation, planned, SECOND, state } from "../plan/situation.ts";

const SETTINGS = { podName: "web-0", desired, limits, policy: "observe", firstCreateWaitMs: 10 * SECOND } as const;

const loop = (over: Partial<LoopState> = {}): LoopState => ({
  ...startState(state(), NOW),
  plan: planned({ seen: observation([]), state: state() }),
  ...over,
});
const wouldRent = (id: number) => ({
  at: NOW,
  offer: { id, hostId: 500, machineId: 50, gpu: "RTX 4090", dollarsPerHour: 0.2 },
  message: `would rent offer ${id} (RTX 4090)`,
});

test("a report says what would be rented, without secrets", () => {
  const report = podReport(
    loop({ wouldRent: wouldRent(5) }),
    SETTINGS,
    (text) => text.replaceAll("4090", "[secret]"),
    NOW,
  );
  expect(report?.message).toMatch(/^no instance has the label .+; would rent offer 5 \(RTX \[secret\]\)$/);
});

test("another offer is news, a later search that finds the same one is none", () => {
  const first = reportedChange(loop({ wouldRent: wouldRent(5) }));
  expect(reportedChange(loop({ wouldRent: { ...wouldRent(5), at: NOW + SECOND } }))).toBe(first);
  expect(reportedChange(loop({ wouldRent: wouldRent(6) }))).not.toBe(first);
});
