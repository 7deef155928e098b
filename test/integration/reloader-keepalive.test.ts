// nginx gives an idle connection up before the instance does, so that no POST dies on one that is being closed. A tenth of
// the real times; `test/slow` has those.
import { expect, test } from "vitest";
import { postsLostWith } from "./posts-on-idle-connections.ts";

test("10,000 POSTs at awkward gaps, among them after slow readers of 1 MB, are all answered", async () => {
  // Around both limits, in an order that meets them from either side.
  const gapsMs = Array.from({ length: 25 }, (_, i) => 370 + ((i * 7) % 25) * 7);
  expect(await postsLostWith({ keepaliveMs: 400, idleMs: 500, gapsMs })).toEqual([]);
});
