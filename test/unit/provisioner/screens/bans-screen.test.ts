import { expect, test } from "vitest";
import { bansScreen } from "../../../../provisioner/screens/bans-screen.ts";

const NOW = Date.UTC(2026, 10, 24, 12);

test("the bans are a table with the end of each", () => {
  const bans = [
    { kind: "host", id: 10479, reason: "start_timeout", until: NOW + 7_320_000 },
    { kind: "machine", id: 8, reason: "by\u001b[2J hand", until: null },
  ] as const;
  expect(bansScreen(bans, NOW, null)).toBe(
    [
      "KIND        ID  UNTIL                LEFT  REASON\n",
      "host     10479  2026-11-24T14:02Z   2h 2m  start_timeout\n",
      "machine      8  removed            no end  by hand\n",
      "2 bans\n",
    ].join(""),
  );
});

test("no ban is said in words", () => {
  expect(bansScreen([], NOW, 80)).toBe("no bans\n");
});
