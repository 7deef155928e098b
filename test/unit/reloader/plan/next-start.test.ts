import { expect, test } from "vitest";
import { configForNextStart } from "../../../../reloader/plan/next-start.ts";
import { configFor, server } from "../samples.ts";

const WANTED = configFor(server(2));
const WITHOUT = configFor(null);
const at = (seconds: number, good = configFor(server(2))) =>
  configForNextStart({
    config: WANTED,
    good,
    unavailableConfig: WITHOUT,
    nginxDownSince: 1_000,
    now: 1_000 + seconds * 1_000,
  });

test("the wanted config lies there for a minute, then a safer one for as long, and so on", () => {
  expect([0, 59, 60, 119, 120, 179, 180].map((seconds) => at(seconds, configFor(null)) === WANTED)).toEqual([
    true,
    true,
    false,
    false,
    true,
    true,
    false,
  ]);
});

test("safer is the good one where it serves the same server", () => {
  const good = { ...WANTED, text: "with other settings", hash: "f".repeat(64) };
  expect(at(60, good)).toBe(good);
});

test("safer is the one without a server where the good one serves another: a stranger may have that by now", () => {
  expect(at(60, configFor(server(1)))).toBe(WITHOUT);
  expect(
    configForNextStart({ config: WANTED, good: null, unavailableConfig: WITHOUT, nginxDownSince: 0, now: 60_000 }),
  ).toBe(WITHOUT);
});
