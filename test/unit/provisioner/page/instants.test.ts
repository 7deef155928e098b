import { describe, expect, test } from "vitest";
import { clockTime, writtenAt, writtenByBrowser } from "../../../../provisioner/page/instants.ts";
import { shortDuration } from "../../../../provisioner/screens/amounts.ts";

test("the browser can run the text of the function for durations on its own", () => {
  const alone = new Function(`return ${shortDuration};`)() as typeof shortDuration;
  for (let ms = 0; ms < 360_000_000; ms += 102_947) expect(alone(ms)).toBe(shortDuration(ms));
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
