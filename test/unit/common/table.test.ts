import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { type Column, hiddenColumns, renderTable } from "../../../common/table.ts";

const COLUMNS = [
  { head: "POD", key: "pod" },
  { head: "GPU", key: "gpu", drop: 1 },
  { head: "$/H", key: "price", right: true },
  { head: "HOST", key: "host", drop: 3 },
  { head: "IMAGE", key: "image", drop: 2 },
  { head: "WHY", key: "why", shrink: true },
] as const satisfies readonly Column[];

const ROWS = [
  {
    pod: "vast-pod-0",
    gpu: "1x RTX 4090",
    price: "0.316",
    host: "77001",
    image: "app:2",
    why: "serving 203.0.113.9:41234",
  },
  {
    pod: "vast-pod-1",
    gpu: "",
    price: "?",
    host: "",
    image: "app:2",
    why: "pulling 3.1 of 9.8 GB; replaced and banned in 14m",
  },
];

const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

describe("a table", () => {
  test("has columns as wide as their longest cell, and numbers to the right", () => {
    expect(renderTable(COLUMNS, ROWS, null)).toEqual({
      text: [
        "POD         GPU            $/H  HOST   IMAGE  WHY\n",
        "vast-pod-0  1x RTX 4090  0.316  77001  app:2  serving 203.0.113.9:41234\n",
        "vast-pod-1                   ?         app:2  pulling 3.1 of 9.8 GB; replaced and banned in 14m\n",
      ].join(""),
      hidden: [],
    });
  });

  test("cuts the last column before anything is left out", () => {
    const { text, hidden } = renderTable(COLUMNS, ROWS, 76);
    expect(hidden).toEqual([]);
    expect(text).toContain("  pulling 3.1 of 9.8 GB; replac…\n");
    expect(widest(text)).toBe(76);
  });

  test.each([
    [68, ["HOST"]],
    [60, ["HOST", "IMAGE"]],
    [50, ["GPU", "HOST", "IMAGE"]],
    // Nothing more can be left out: the screen folds the lines.
    [20, ["GPU", "HOST", "IMAGE"]],
  ])("of %i columns leaves out %j and names them", (width, hidden) => {
    const table = renderTable(COLUMNS, ROWS, width);
    expect(table.hidden).toEqual(hidden);
    expect(hiddenColumns(table)).toBe(`(hidden to fit: ${hidden.join(", ")}; -o wide shows them)\n`);
    if (width > 43) expect(widest(table.text)).toBeLessThanOrEqual(width);
  });

  test("names nothing when all fits", () => {
    expect(hiddenColumns(renderTable(COLUMNS, ROWS, 200))).toBe("");
  });

  test("with coloured cells has the same columns", () => {
    const coloured = ROWS.map((row) => ({ ...row, pod: `\u001b[31m${row.pod}\u001b[39m` }));
    const plain = stripVTControlCharacters(renderTable(COLUMNS, coloured, null).text);
    expect(plain).toBe(renderTable(COLUMNS, ROWS, null).text);
  });

  test("without rows is its heading", () => {
    expect(renderTable(COLUMNS, [], 80).text).toBe("POD  GPU  $/H  HOST  IMAGE  WHY\n");
  });
});
