import { describe, expect, test } from "vitest";
import type { OwnSlot } from "../../../../provisioner/fleet/own-slot.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import type { Listed } from "../../../../provisioner/observe/list-reader.ts";
import { createOwnLists } from "../../../../provisioner/observe/own-lists.ts";
import { nextListAmongMany, pollSlotOf } from "../../../../provisioner/observe/poll-schedule.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, type Journal } from "../fakes.ts";
import { desired, HOUR, MINUTE, NOW, row, SECOND } from "../plan/situation.ts";

const shared: Listed = { listedAt: NOW - MINUTE, list: known([row()]) };

function ownLists(own: OwnSlot) {
  const clock = fakeClock(NOW);
  const journal: Journal = [];
  const lists = createOwnLists({
    client: fakeClient(journal, { rows: () => [row()] }),
    clock,
    random: () => 0.5,
    desired,
    slot: pollSlotOf("vast-pod-3"),
    own,
    fresh: false,
    firstCreateWaitMs: 10 * SECOND,
    listAvailableAt: () => 0,
    blockCreateUntil: () => undefined,
  });
  return { clock, journal, lists };
}

describe("the own lists of a pod whose fleet has lost Redis", () => {
  test("do not come at the same time as those of the others: each pod has one slot in a round for all", async () => {
    const starts = new Set<number>();
    for (let index = 0; index < 50; index += 1) {
      const own = { index, pods: () => 50, redisIsAway: () => true };
      const { clock, lists, journal } = ownLists(own);
      expect(await lists.next(shared, "starting")).toBeNull();
      const at = lists.wakeAt(shared, "starting", NOW + HOUR);
      expect(at).toBe(nextListAmongMany(own, false, NOW));
      await clock.advance(at - NOW);
      expect(await lists.next(shared, "starting")).toMatchObject({ listedAt: at });
      expect(journal).toEqual(["list"]);
      starts.add(at);
    }
    const sorted = [...starts].sort((a, b) => a - b);
    expect(sorted).toHaveLength(50);
    // One slot may have begun a moment ago.
    expect(sorted.slice(1).every((at, i) => at - (sorted[i] ?? 0) >= SECOND / 5)).toBe(true);
    expect((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)).toBeGreaterThan(100 * SECOND);
  });

  test("wait for the next slot while all is well, and not at all before a change", async () => {
    const own = { index: 7, pods: () => 50, redisIsAway: () => true };
    const { lists } = ownLists(own);
    const listed = await lists.next(null, "ready");
    expect(listed).toMatchObject({ listedAt: NOW });
    expect(lists.wakeAt(listed, "ready", NOW + HOUR)).toBe(nextListAmongMany(own, true, NOW));
    expect(await lists.next(listed, "ready")).toBeNull();
    expect(await lists.next(listed, "now")).toMatchObject({ listedAt: NOW });
  });

  test("follow the slots of pods without Redis while there are ten pods at most", async () => {
    const { lists } = ownLists({ index: 7, pods: () => 10, redisIsAway: () => true });
    expect(await lists.next(shared, "starting")).toMatchObject({ listedAt: NOW });
  });
});
