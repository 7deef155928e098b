import { describe, expect, test } from "vitest";
import { lastServed } from "../../../provisioner/expected-server.ts";
import {
  keepProbe,
  type LoopState,
  noteFile,
  startState,
  takeState,
  withCosts,
  withSeen,
} from "../../../provisioner/loop-state.ts";
import { fileOf } from "./loop.ts";
import {
  atOnce,
  desired,
  endpoint,
  failing,
  MINUTE,
  NOW,
  observation,
  passing,
  published,
  row,
  SECOND,
  servingTrack,
  state,
  tracks,
} from "./plan/situation.ts";

const ID = 7835610;
const newLoop = () => startState(state({ tracks: { [ID]: servingTrack() } }), NOW);
const withdrawn = (generation: number) => fileOf({ generation, server: null, state: "unavailable" });

describe("the state of two loops", () => {
  test("keeps the probes that one of them made while the other worked on an earlier state", () => {
    const loop = newLoop();
    const older = { ...loop.state, confirmedNone: false };
    for (let i = 0; i < 3; i += 1) keepProbe(loop, ID, failing(), NOW);
    takeState(loop, older);
    expect(loop.state.confirmedNone).toBe(false);
    expect(loop.state.tracks[ID]).toMatchObject({ serving: false, failedProbes: 3, notServingSince: NOW });
  });

  test("keeps the transitions that one of them recorded while the other worked on an earlier state", () => {
    const loop = newLoop();
    const older = { ...loop.state };
    const history = [{ at: NOW, state: "unavailable", reason: "instance_unreachable", message: "m", instanceId: ID }];
    loop.state = { ...loop.state, history };
    takeState(loop, older);
    expect(loop.state.history).toEqual(history);
  });

  test("takes over what is newer than the probes, and instances that are gone", () => {
    const loop = newLoop();
    keepProbe(loop, ID, failing(), NOW);
    const elsewhere = servingTrack({ endpoint: { ...endpoint, port: 50000 } });
    takeState(loop, state({ tracks: { [ID]: elsewhere } }));
    expect(loop.state.tracks[ID]).toEqual(elsewhere);
    takeState(loop, state());
    expect(loop.state.tracks).toEqual({});
  });

  test("counts probes also after the clock was set back", () => {
    const loop = newLoop();
    loop.state = state({ tracks: { [ID]: servingTrack({ probedAt: NOW + MINUTE, streakSince: NOW + MINUTE }) } });
    for (let i = 1; i <= 4; i += 1)
      keepProbe(loop, ID, { ...failing(), ...atOnce(NOW + i * 5 * SECOND) }, NOW + i * 5 * SECOND);
    expect(loop.state.tracks[ID]).toMatchObject({ serving: false, failedProbes: 3 });
  });

  test("never goes back to an older generation", () => {
    const loop = newLoop();
    const older = loop.state;
    noteFile(loop, fileOf({ generation: 7 }), 0);
    noteFile(loop, withdrawn(6), 0);
    takeState(loop, older);
    expect(loop).toMatchObject({ file: { generation: 7 }, state: { generation: 7 }, served: { id: ID } });
  });
});

describe("the server that was served last", () => {
  const down = (ms: number, httpProbe: boolean) => {
    const loop = newLoop();
    noteFile(loop, fileOf({ generation: 1 }), 0);
    noteFile(loop, withdrawn(2), 1000);
    noteFile(loop, withdrawn(3), 9000); // only its message changed
    return lastServed(loop, httpProbe, 1000 + ms, true).server;
  };

  test("may come back after a short outage, and after any outage when HTTP proves it", () => {
    expect(down(120 * SECOND, false)).toEqual(published().server);
    expect(down(120 * SECOND + 1, false)).toBeNull();
    expect(down(60 * MINUTE, true)).toEqual(published().server);
  });

  test("is forgotten when another instance has taken its place", () => {
    const loop = newLoop();
    noteFile(loop, fileOf({ generation: 1 }), 0);
    noteFile(loop, fileOf({ generation: 2, server: null, instance: published(row({ id: 9 })).instance }), 1);
    expect(lastServed(loop, true, 2, false).server).toBeNull();
  });

  test("a passing probe of it is recorded only while the instance is known", () => {
    const loop = startState(state(), NOW);
    keepProbe(loop, ID, passing(), NOW);
    expect(loop.state.tracks).toEqual({});
  });
});

describe("a pause for the account's trouble", () => {
  const why = { message: "no", account: "auth" } as const;
  const pause = (trouble: "auth" | "no_credit") => ({ trouble, message: "no", failures: 1, until: NOW + MINUTE });
  const until = (last: LoopState["seen"], trouble: "auth" | "no_credit", seen = observation([])) => {
    const paused = state({ account: pause(trouble) });
    const parts = { desired, firstCreateWaitMs: 0 };
    return (withSeen({ seen: last }, parts, paused, seen, NOW).account?.until ?? 0) - NOW;
  };
  const refused = observation([], { list: { known: false, why } });

  test("ends when the list comes that the same trouble refused before", () => {
    expect(until(refused, "auth")).toBe(0);
    expect(until(refused, "no_credit")).toBe(MINUTE);
    expect(until(refused, "auth", refused)).toBe(MINUTE);
    expect(until(observation([]), "auth")).toBe(MINUTE);
    expect(until(null, "auth")).toBe(MINUTE);
  });
});

describe("the records of machines", () => {
  const unsent = (over: Partial<Pick<LoopState, "sharesLists" | "ownership">>) => {
    const loop = { ...newLoop(), sharesLists: true, ...over };
    const fresh = row({ createdAt: NOW });
    const serving = state({ tracks: tracks(fresh.id, servingTrack({ firstSeenAt: NOW })) });
    return Object.keys(withCosts(loop, serving, observation([fresh]), NOW).records.unsent);
  };

  test("go to the fleet from the provisioner that acts under the label: another one would count the same", () => {
    expect(unsent({})).toContain("all");
    expect(unsent({ sharesLists: false })).toEqual([]);
    expect(unsent({ ownership: { kind: "other", owner: "b", until: null } })).toEqual([]);
    expect(unsent({ ownership: { kind: "unknown", why: "", until: null } })).toEqual([]);
  });
});
