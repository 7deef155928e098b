import { describe, expect, test } from "vitest";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import { statusDocument } from "../../../../provisioner/report/status.ts";
import { statusDocumentSchema } from "../../../../provisioner/report/status-document.ts";
import {
  createAction,
  desired,
  HOUR,
  LABEL,
  limits,
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

const SETTINGS = { podName: "vast-pod-0", desired, limits, policy: "sync", firstCreateWaitMs: 10 * SECOND } as const;
const loop = (over: Partial<LoopState> = {}): LoopState => ({ ...startState(state(), NOW), ...over });

describe("the status document", () => {
  const show = (over: Partial<LoopState>) => statusDocument(loop(over), SETTINGS, null, NOW);

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

  test("has the bans, those that Redis does not have yet included", () => {
    const unwrittenBans = [
      { kind: "host" as const, id: 7, reason: "stopped", instanceId: 1 },
      { kind: "machine" as const, id: 9, reason: "start_timeout", instanceId: 2 },
    ];
    const seen = observation([], { bans: known([{ kind: "host", id: 7, reason: "slow\u001b[31m disk" }]) });
    expect(show({ seen, state: state({ unwrittenBans }) }).bans).toEqual([
      { kind: "host", id: 7, reason: "slow disk", written: true },
      { kind: "machine", id: 9, reason: "start_timeout", written: false },
    ]);
    expect(show({}).bans).toBeNull();
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
      wouldRent: { at: NOW, offer: null, message: "would rent nothing: no offer can be taken" },
      problem: "the disk is full",
    });
    expect(shown.wouldRent).toMatchObject({ at: "2026-11-23T15:00:00.000Z", offer: null });
    expect(shown).toMatchObject({
      list: { known: false, why: "HTTP 502" },
      suppressed: [createAction],
      problem: "the disk is full",
    });
  });

  test("has the documented form, before the first pass and with everything in it", () => {
    const before = JSON.parse(JSON.stringify(show({})));
    expect(statusDocumentSchema.parse(before)).toEqual(before);
    const backoff = { reason: "no_offer" as const, message: "m", failures: 1, until: NOW, wanted: "w" };
    const intent = {
      offerId: 5,
      hostId: 1,
      machineId: 2,
      dollarsPerHour: 0.3,
      label: LABEL,
      startedAt: NOW,
      contract: 7,
    };
    const pendingDeletes = [{ id: 8, reason: "duplicate", since: NOW, deleteSentAt: NOW }];
    const history = [{ at: NOW, state: "ready", reason: "instance_ready", message: "it serves", instanceId: 1 }];
    const tracks = { 1: servingTrack() };
    const all = show({
      state: state({ tracks, backoff, intent, pendingDeletes, history }),
      seen: observation([row({ id: 1 }), row({ id: 8 })]),
      plan: planned({ seen: observation([row({ id: 1 })]), state: state({ tracks }) }),
      passes: 1,
      nextPassAt: NOW + 15 * SECOND,
    });
    const printed = JSON.parse(JSON.stringify(all));
    expect(statusDocumentSchema.parse(printed)).toEqual(printed);
    expect(printed).toMatchObject({
      since: "2026-11-23T15:00:00.000Z",
      backoff: { reason: "no_offer", until: "2026-11-23T15:00:00.000Z" },
      next: { lookAt: "2026-11-23T15:00:15.000Z" },
      money: { dollarsPerHour: 0.6328 },
      instances: [
        { id: 1, current: true, pendingDelete: false },
        { id: 8, current: false, pendingDelete: true },
      ],
    });
  });

  test("has how old the list is, and what the last hour's creates leave of the budget", () => {
    const creates = Array.from({ length: limits.maxCreatesPerHour }, (_, i) => NOW - (50 - i) * MINUTE);
    const seen = observation([], { listedAt: NOW - 11 * SECOND });
    expect(show({ seen, state: state({ creates }) })).toMatchObject({
      list: { ageSeconds: 11 },
      budget: { createsLeft: 0, createsPerHour: 6, freeAt: "2026-11-23T15:11:00.000Z" },
    });
    expect(show({ seen, state: state({ creates: [NOW] }) }).budget).toEqual({
      createsLeft: 5,
      createsPerHour: 6,
      freeAt: null,
    });
  });

  test("has the sum of the prices, and none where one of them is unknown", () => {
    const dollars = (rows: Parameters<typeof observation>[0]) => show({ seen: observation(rows) }).money.dollarsPerHour;
    expect(dollars([row({ id: 1, dollarsPerHour: 0.25 }), row({ id: 2, dollarsPerHour: 0.5 })])).toBe(0.75);
    expect(dollars([row({ id: 1, dollarsPerHour: null })])).toBeNull();
    expect(show({}).money.dollarsPerHour).toBeNull();
  });

  test("has what the host says in one line, without control characters", () => {
    const statusMessage = "pulling\u001b[31m 3.1\r\nof 9.8 GB\u0000 \u202e";
    const seen = observation([row({ id: 1, statusMessage })]);
    expect(show({ seen }).instances[0]?.statusMessage).toBe("pulling 3.1 of 9.8 GB");
  });
});
