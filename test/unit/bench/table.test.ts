import { expect, test } from "vitest";
import { formatNumber, formatTable } from "../../bench/table.ts";

test("the table has a row for each line, columns aligned, and says which goals are reached", () => {
  const table = formatTable([
    {
      what: "proxied",
      ours: { value: 46_485.2, unit: "requests/s" },
      against: { value: 15_000, unit: "requests/s", what: "plain" },
      goal: { atLeast: 3 },
    },
    { what: "settled", ours: { value: 180, unit: "ms" }, against: null, goal: { atMost: 150 } },
    { what: "lost", ours: { value: 0, unit: "of 9" }, against: null, goal: { atMost: 0 } },
    { what: "calls", ours: { value: 3, unit: "/min" }, against: { value: 0, unit: "/min", what: "none" }, goal: null },
    { what: "newer nginx", notMeasured: "no network" },
  ]);
  expect(table).toEqual([
    "| what        | ours                     | measured against         | ratio | goal              |",
    "|-------------|--------------------------|--------------------------|-------|-------------------|",
    "| proxied     | 46,485 requests/s        | 15,000 requests/s: plain | 3.10x | >= 3x, reached    |",
    "| settled     | 180 ms                   |                          |       | <= 150 ms, missed |",
    "| lost        | 0 of 9                   |                          |       | <= 0, reached     |",
    "| calls       | 3 /min                   | 0 /min: none             |       |                   |",
    "| newer nginx | not measured: no network |                          |       |                   |",
  ]);
});

test("a goal that cannot be judged says so", () => {
  const against = { value: 0, unit: "ms", what: "nothing" };
  const line = { what: "it", ours: { value: 1, unit: "ms" }, against, goal: { atMost: 2 } };
  expect(formatTable([line]).at(-1)).toContain("| <= 2x, cannot be told |");
});

test.each([
  [0.2841, "0.284"],
  [1.006, "1.01"],
  [3, "3"],
  [12.34, "12.3"],
  [99.96, "100"],
  [456.7, "457"],
  [46_485.2, "46,485"],
])("%d is printed as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
