// nginx closes an idle connection before the instance does, so that no POST is lost on a connection that is being closed.
// Uses a tenth of the real times; `test/slow` uses the real ones.
import { expect, test } from "vitest";
import { postsLostWith } from "./posts-on-idle-connections.ts";

test("10,000 POSTs near the idle limits, some after slow readers of 1 MB, are all answered", async () => {
  // Around both limits, approaching them from both sides.
  const gapsMs = Array.from({ length: 25 }, (_, i) => 370 + ((i * 7) % 25) * 7);
  expect(await postsLostWith({ keepaliveMs: 400, idleMs: 500, gapsMs })).toEqual([]);
});
