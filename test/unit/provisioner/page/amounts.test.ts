import { describe, expect, test } from "vitest";
import {
  clockTime,
  dollars,
  durationText,
  rate,
  writtenAt,
  writtenByBrowser,
} from "../../../../provisioner/page/amounts.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

test.each([
  [-5, "0s"],
  [42.4 * SECOND, "42s"],
  [59.6 * SECOND, "1m"],
  [6 * MINUTE + 12 * SECOND, "6m 12s"],
  [41 * MINUTE + 59 * SECOND, "41m"],
  [3 * HOUR + 5 * MINUTE, "3h 5m"],
  [5 * HOUR, "5h"],
  [48 * HOUR, "2d"],
  [76 * HOUR + 59 * MINUTE, "3d 4h"],
])("%d ms are written as %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test("the browser can run the text of the function on its own", () => {
  const alone = new Function(`return ${durationText};`)() as typeof durationText;
  for (let ms = 0; ms < 100 * HOUR; ms += 7919 * 13) expect(alone(ms)).toBe(durationText(ms));
});

test.each([
  [null, "?"],
  [0, "$0.00"],
  [0.004, "<$0.01"],
  [24.018, "$24.02"],
  [-3.5, "-$3.50"],
])("an amount of %s is written as %s", (amount, text) => {
  expect(dollars(amount)).toBe(text);
});

test("an unknown price is a question mark", () => {
  expect([rate(null), rate(0.3164)]).toEqual(["?", "$0.316/h"]);
});

test("a time of another day has its date", () => {
  const now = "2026-11-29T10:31:02.000Z";
  expect(clockTime("2026-11-29T09:50:00.000Z", now)).toBe("09:50:00 UTC");
  expect(clockTime("2026-11-26T06:31:00.000Z", now)).toBe("11-26 06:31 UTC");
});

describe("a time", () => {
  const now = "2026-11-29T10:31:02.000Z";
  test.each([
    ["2026-11-29T10:30:51.000Z", "ago", "11s ago"],
    ["2026-11-29T10:45:02.000Z", "in", "in 14m"],
    ["2026-11-29T10:31:01.000Z", "in", "now"],
    ["2026-11-29T10:21:02.000Z", "for", "10m"],
  ] as const)("at %s in the form %s is written as %s", (instant, form, words) => {
    expect(writtenAt(now)(instant, form).text).toBe(
      `<time datetime="${instant}" data-form="${form}" title="${instant.slice(0, 19).replace("T", " ")} UTC">${words}</time>`,
    );
  });

  test("has no words in an update: the browser writes them", () => {
    expect(writtenByBrowser(now, "ago").text).toMatch(/^<time [^>]*><\/time>$/);
  });
});
