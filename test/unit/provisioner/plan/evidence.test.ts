// A dead instance is given up as soon as a wait is no longer worth it, but only where the API and the probe agree that it is dead.
import { describe, expect, test } from "vitest";
import type { Limits } from "../../../../provisioner/model/desired.ts";
import type { State, Track } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  decided,
  MINUTE,
  NOW,
  observation,
  row,
  SECOND,
  silentTrack,
  startingRow,
  state,
  tracks,
} from "./situation.ts";

const ID = 7835610;
const GRACE = 80 * SECOND;
const boots = [{ image: "example/app:2", bootMs: 100 * SECOND, appMs: 30 * SECOND }];

interface Silence {
  silentMs: number;
  reads?: number;
  track?: Partial<Track>;
  state?: Partial<State>;
  limits?: Partial<Limits>;
}

/** The reason of the destroy of an instance that was ready, or null when it is waited for. */
function destroyedFor(r: Instance, { silentMs, reads = 2, track = {}, limits = {}, ...more }: Silence): string | null {
  const since = NOW - silentMs;
  const lost = { lost: { since, reads, readAt: NOW } };
  const refused = { refusedSince: since - 10 * SECOND, failedProbes: 9 };
  const silent = silentTrack(silentMs, { ...lost, ...refused, ...track });
  const before = state({ boots, tracks: tracks(ID, silent), ...more.state });
  const [action] = decided({ seen: observation([r]), state: before, limits }).actions.filter(
    ({ kind }) => kind === "destroy",
  );
  return action?.kind === "destroy" ? action.reason : null;
}

const exited = row({ actualStatus: "exited" });
const young = row({ actualStatus: "exited", createdAt: NOW - 9 * MINUTE });
const offline = row({ actualStatus: "offline" });
const again = startingRow();
const timedOut = { refusedSince: null };

describe("an instance that was ready and is dead by the API's word and the probe", () => {
  test.each([
    ["exited", exited, GRACE, "instance_exited"],
    ["exited soon after its start", young, GRACE, "instance_exited"],
    ["offline", offline, 2 * GRACE, "instance_offline"],
    ["running, and its host refuses connections", row(), GRACE, "unreachable"],
    ["loading again", again, GRACE + 20 * SECOND, "restart_timeout"],
  ])("%s: is waited for as long as it is worth it", (_, r, graceMs, reason) => {
    expect(destroyedFor(r, { silentMs: graceMs - 1 })).toBeNull();
    expect(destroyedFor(r, { silentMs: graceMs + 1 })).toBe(reason);
  });

  test.each([
    ["exited", exited, 120],
    ["running", row(), 300],
    ["loading again", again, 300],
  ])("%s: a probe without an answer keeps the long grace", (_, r, seconds) => {
    expect(destroyedFor(r, { silentMs: seconds * SECOND - 1, track: timedOut })).toBeNull();
    expect(destroyedFor(r, { silentMs: seconds * SECOND + 1, track: timedOut })).not.toBeNull();
  });

  test("a host that is not heard of agrees with a probe without an answer", () => {
    expect(destroyedFor(offline, { silentMs: 2 * GRACE + 1, track: timedOut })).toBe("instance_offline");
  });

  test.each([
    ["exited", exited],
    ["running", row()],
    ["offline", offline],
    ["loading again", again],
  ])("%s: is waited for longer while nothing is known about boots of its image", (_, r) => {
    expect(destroyedFor(r, { silentMs: 2 * GRACE - 50 * SECOND, state: { boots: [] } })).toBeNull();
    const other = [{ image: "example/app:1", bootMs: 1, appMs: 1 }];
    expect(destroyedFor(r, { silentMs: 2 * GRACE - 50 * SECOND, state: { boots: other } })).toBeNull();
  });

  test.each([
    ["exited", exited],
    ["offline", offline],
  ])("%s: one list is not enough", (_, r) => {
    expect(destroyedFor(r, { silentMs: 2 * GRACE + 1, reads: 1 })).toBeNull();
  });

  test("is waited for longer where another one on another host could not be reached either", () => {
    const ownNetwork = { state: { unreachableHost: 5 } };
    expect(destroyedFor(exited, { silentMs: GRACE + 1, ...ownNetwork })).toBeNull();
    expect(destroyedFor(row(), { silentMs: GRACE + 1, ...ownNetwork })).toBeNull();
  });

  test("the refusals count from the first of them in a row", () => {
    const late = { refusedSince: NOW - GRACE };
    expect(destroyedFor(row(), { silentMs: 200 * SECOND, track: late })).toBeNull();
    expect(destroyedFor(row(), { silentMs: 200 * SECOND, track: { refusedSince: NOW - GRACE - 1 } })).toBe(
      "unreachable",
    );
  });

  test.each([
    ["running", row()],
    ["loading again", again],
  ])("%s: a shorter VAST_UNREACHABLE_TIMEOUT_SECONDS still is the upper bound", (_, r) => {
    expect(destroyedFor(r, { silentMs: 50 * SECOND + 1, limits: { unreachableMs: 50 * SECOND } })).not.toBeNull();
  });

  test("an instance that was never ready keeps its own limits", () => {
    const since = NOW - 6 * MINUTE;
    const track = { wasReady: false, waitingSince: since, firstSeenAt: since, runningSince: since };
    expect(destroyedFor(row(), { silentMs: 5 * MINUTE, track })).toBeNull();
  });
});
