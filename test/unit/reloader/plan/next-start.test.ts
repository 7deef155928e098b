import { expect, test } from "vitest";
import { configForNextStart } from "../../../../reloader/plan/next-start.ts";
import { configFor, server } from "../samples.ts";

const DESIRED = configFor(server(2));
const UNAVAILABLE = configFor(null);
const at = (seconds: number, good = configFor(server(2))) =>
  configForNextStart({
    config: DESIRED,
    good,
    unavailableConfig: UNAVAILABLE,
    nginxDownSince: 1_000,
    now: 1_000 + seconds * 1_000,
  });

test("the desired config is on the disk for a minute, then a safer one for a minute, and so on", () => {
  expect([0, 59, 60, 119, 120, 179, 180].map((seconds) => at(seconds, configFor(null)) === DESIRED)).toEqual([
    true,
    true,
    false,
    false,
    true,
    true,
    false,
  ]);
});

test("the safer config is the good one when it serves the same server", () => {
  const good = { ...DESIRED, text: "with other settings", hash: "f".repeat(64) };
  expect(at(60, good)).toBe(good);
});

test("the safer config answers 503 when the good one serves another server, which somebody else may have by now", () => {
  expect(at(60, configFor(server(1)))).toBe(UNAVAILABLE);
  expect(
    configForNextStart({ config: DESIRED, good: null, unavailableConfig: UNAVAILABLE, nginxDownSince: 0, now: 60_000 }),
  ).toBe(UNAVAILABLE);
});
