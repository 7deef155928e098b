import { describe, expect, test } from "vitest";
import { known } from "../../../../provisioner/model/observation.ts";
import {
  HOUR,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  unknown,
  waitingTrack,
} from "./situation.ts";

const lost = silentTrack(HOUR, { endpoint: null, lost: { since: NOW - HOUR, reads: 9, readAt: NOW } });
const destroyedOf = (rows: ReturnType<typeof row>[], tracks = {}) =>
  planned({ seen: observation(rows), state: state({ tracks }) })
    .actions.filter((action) => action.kind === "destroy")
    .map(({ id }) => id);

describe("of two instances", () => {
  test.each([
    ["stopped", { curState: "stopped" }],
    ["outbid", { intendedStatus: "stopped", isBid: true }],
    ["exited", { actualStatus: "exited" }],
  ])("the older one that is %s is destroyed, and the newer one that is loading is kept", (_, over) => {
    const tracks = { 1: lost, 2: waitingTrack(MINUTE) };
    expect(destroyedOf([row({ id: 1, ...over }), startingRow({ id: 2 })], tracks)).toEqual([1]);
  });

  test("a stopped one is not kept for its image either", () => {
    const tracks = { 1: lost, 2: waitingTrack(MINUTE) };
    const rows = [row({ id: 1, curState: "stopped" }), startingRow({ id: 2, image: "example/app:1" })];
    expect(destroyedOf(rows, tracks)).toEqual([1]);
  });

  test("the one that serves is kept, whatever its status is", () => {
    const tracks = { 1: servingTrack(), 2: waitingTrack(MINUTE) };
    expect(destroyedOf([row({ id: 1, curState: "stopped" }), startingRow({ id: 2 })], tracks)).toEqual([2]);
  });
});

test("of many duplicates four are destroyed in a pass", () => {
  const rows = [1, 2, 3, 4, 5, 6, 7].map((id) => startingRow({ id }));
  const tracks = Object.fromEntries(rows.map(({ id }) => [id, waitingTrack(MINUTE)]));
  expect(destroyedOf(rows, tracks)).toEqual([2, 3, 4, 5]);
});

describe.each([
  ["missing", known(null), null],
  ["unknown", unknown<null>(), null],
] as const)("while the template is %s", (_, seen, remembered) => {
  const planOf = (instance: ReturnType<typeof row>, track: ReturnType<typeof servingTrack>) =>
    planned({
      seen: observation([instance], { template: seen }),
      state: state({ tracks: { [instance.id]: track }, template: remembered }),
    });

  test("an instance that is lost for good is destroyed, because it is billed for nothing", () => {
    const plan = planOf(row({ actualStatus: "offline" }), lost);
    expect(plan).toMatchObject({ reason: "instance_offline", actions: [{ kind: "destroy" }] });
  });

  test.each([
    ["serves", row(), servingTrack()],
    ["starts", startingRow(), waitingTrack(MINUTE)],
    ["may come back", row(), silentTrack(MINUTE)],
  ])("one that %s is kept", (__, instance, track) => {
    expect(planOf(instance, track).reason).toMatch(/^template_/);
  });
});
