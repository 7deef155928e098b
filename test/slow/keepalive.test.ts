// The same as `test/integration/reloader-keepalive.test.ts` with the real times: nginx' default against uvicorn's.
import { expect, test } from "vitest";
import { postsLostWith } from "../integration/posts-on-idle-connections.ts";

test("10,000 POSTs at awkward gaps around 4 and 5 seconds are all answered", async () => {
  const gapsMs = Array.from({ length: 25 }, (_, i) => 3_700 + ((i * 7) % 25) * 60);
  expect(await postsLostWith({ keepaliveMs: 4_000, idleMs: 5_000, gapsMs })).toEqual([]);
});
