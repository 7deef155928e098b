import { describe, expect, test } from "vitest";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import { liveness, readiness, statusDocument } from "../../../../provisioner/report/status.ts";
import {
  createAction,
  HOUR,
  LABEL,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  servingTrack,
  state,
  waitingTrack,
} from "../plan/situation.ts";

const loop = (over: Partial<LoopState> = {}): LoopState => ({ ...startState(state(), NOW), ...over });

describe("livez", () => {
  test("is alive while the last pass finished within three times the deadline of a pass", () => {
    const at = (ms: number) => liveness(loop(), 10 * SECOND, NOW + ms);
    expect(at(390 * SECOND)).toEqual({ ok: true, why: "the last pass finished 390 s ago, the limit is 390 s" });
    expect(at(390 * SECOND + 1).ok).toBe(false);
  });

  test("does not depend on the API: only passes count", () => {
    const seen = observation([], { list: { known: false, why: { message: "HTTP 502", account: null } } });
    expect(liveness(loop({ seen, problem: "the disk is full" }), 0, NOW).ok).toBe(true);
  });
});

describe("readyz", () => {
  test("is ready after the first pass, whatever its result", () => {
    expect(readiness(loop())).toEqual({ ok: false, why: "the first pass has not finished" });
    expect(readiness(loop({ passes: 1 }))).toEqual({ ok: true, why: "ready" });
  });
});

describe("the status document", () => {
  const show = (over: Partial<LoopState>) => statusDocument(loop(over), "vast-pod-0", LABEL, "sync", NOW);

  test("has nothing known before the first pass", () => {
    expect(show({})).toMatchObject({
      pod: "vast-pod-0",
      label: LABEL,
      state: null,
      reason: null,
      list: null,
      instances: [],
      passes: 0,
      finishedAt: null,
    });
  });

  test("has the state of each instance and since when", () => {
    const waiting = waitingTrack(5 * MINUTE, { runningSince: NOW - MINUTE });
    const tracks = { 1: servingTrack({ servingSince: NOW - HOUR }), 2: waiting };
    const shown = show({
      state: state({ tracks, pendingDeletes: [{ id: 2, reason: "duplicate", since: NOW, deleteSentAt: null }] }),
      seen: observation([row({ id: 1 }), row({ id: 2 })]),
      plan: planned({}),
      passes: 3,
    });
    expect(shown).toMatchObject({
      reason: "no_instance",
      list: { known: true },
      bansKnown: true,
      finishedAt: "2026-11-23T15:00:00.000Z",
      instances: [
        { id: 1, serving: true, waitingSeconds: null, pendingDelete: false, dollarsPerHour: 0.3164 },
        {
          id: 2,
          serving: false,
          waitingSeconds: 300,
          runningSeconds: 60,
          notServingSeconds: 300,
          pendingDelete: true,
        },
      ],
    });
  });

  test("has why the list is unknown and what is suppressed", () => {
    const shown = show({
      seen: observation([], { list: { known: false, why: { message: "HTTP 502", account: null } }, bans: known([]) }),
      suppressed: [createAction],
      problem: "the disk is full",
    });
    expect(shown).toMatchObject({
      list: { known: false, why: "HTTP 502" },
      suppressed: [createAction],
      problem: "the disk is full",
    });
  });

  test("can be printed as JSON", () => {
    const backoff = { reason: "no_offer" as const, message: "m", failures: 1, until: NOW, wanted: "w" };
    expect(JSON.parse(JSON.stringify(show({ state: state({ backoff }) })))).toMatchObject({
      backoff: { reason: "no_offer", until: "2026-11-23T15:00:00.000Z" },
    });
  });
});
