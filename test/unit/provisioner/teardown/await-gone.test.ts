import { describe, expect, test } from "vitest";
import { type AwaitGoneParts, awaitGone } from "../../../../provisioner/teardown/await-gone.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { NOW, row } from "../plan/situation.ts";

async function wait(over: Partial<AwaitGoneParts<{ id: number }>>) {
  const clock = fakeClock(NOW);
  const parts = { targets: [{ id: 1 }, { id: 2 }], clock, deadlineMs: 10_000, pollMs: 1000, list: async () => [] };
  const left = await clock.drive(awaitGone({ ...parts, ...over }));
  return { left: left.map(({ id }) => id), ms: clock.now() - NOW };
}

describe("waiting until instances are gone", () => {
  test("ends with the first complete list that lacks them all", async () => {
    let lists = 0;
    const list = async () => (++lists < 3 ? [row({ id: 2 })] : []);
    expect(await wait({ list })).toEqual({ left: [], ms: 3000 });
  });

  test("returns at the deadline what is still listed", async () => {
    expect(await wait({ list: async () => [row({ id: 2 })] })).toEqual({ left: [2], ms: 10_000 });
  });

  test("counts nothing as gone while the list is unknown", async () => {
    expect(await wait({ list: async () => null })).toEqual({ left: [1, 2], ms: 10_000 });
  });

  test("counts nothing as gone that may still be hidden", async () => {
    expect(await wait({ mayBeHidden: ({ id }) => id === 1 })).toEqual({ left: [1], ms: 10_000 });
  });

  test("calls its hook before each list with what is left, and stops when the hook says so", async () => {
    const seen: number[][] = [];
    const list = async () => [row({ id: 2 })];
    const beforeList = async (left: readonly { id: number }[]) => seen.push(left.map(({ id }) => id)) < 3;
    expect(await wait({ list, beforeList })).toEqual({ left: [2], ms: 2000 });
    expect(seen).toEqual([[1, 2], [2], [2]]);
  });

  test("lists nothing when there is nothing to wait for", async () => {
    expect(await wait({ targets: [] })).toEqual({ left: [], ms: 0 });
  });
});
