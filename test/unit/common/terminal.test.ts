import { EventEmitter } from "node:events";
import { WriteStream } from "node:tty";
import { describe, expect, test } from "vitest";
import {
  createTerminal,
  cutToWidth,
  displayWidth,
  mayLoseItsReader,
  oneLine,
  printableLines,
} from "../../../common/terminal.ts";

const HOSTILE = "\u001b[2J\u001b]0;owned\u0007a\rb\u202ec\u0000\u009b31md\n\te\u2028f";

test("a stranger's text becomes one line that controls nothing", () => {
  expect(oneLine(HOSTILE)).toBe("a bcd e f");
});

test("a stranger's lines stay lines and control nothing", () => {
  expect(printableLines(HOSTILE)).toBe("abcd\n\tef");
  expect(printableLines("one\r\ntwo\r\r\n")).toBe("one\ntwo\n");
});

describe("the width of a text", () => {
  test.each([
    ["abc", 3],
    ["Côte d'Ivoire", 13],
    ["e\u0301", 1],
    ["東京", 4],
    ["\u001b[31mred\u001b[39m", 3],
    ["", 0],
  ])("of %j is %i columns", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test.each([
    ["abcdef", 6, "abcdef"],
    ["abcdef", 5, "abcd…"],
    ["東京都", 5, "東京…"],
    ["abc def", 5, "abc…"],
    ["abc", 0, ""],
    ["\u001b[31mabcdef\u001b[39m", 4, "abc…"],
  ])("cuts %j to %i columns", (text, width, cut) => {
    expect(cutToWidth(text, width)).toBe(cut);
  });
});

describe("a terminal", () => {
  const streams = (isTTY: boolean, columns: number) => {
    const stdout = Object.assign(Object.create(WriteStream.prototype, {}), {
      isTTY,
      columns,
      getColorDepth: () => (isTTY ? 8 : 1),
    });
    return { stdout, stderr: stdout };
  };

  test("opens no stream before it is used", () => {
    const opened = { stdout: 0 };
    createTerminal({
      get stdout(): never {
        opened.stdout += 1;
        throw new Error("opened");
      },
      stderr: process.stderr,
    });
    expect(opened.stdout).toBe(0);
  });

  test.each([
    [true, 72, 72],
    // A terminal that does not tell its size.
    [true, 0, 80],
    [false, 0, null],
  ])("isTTY %s with %i columns is %s wide", (isTTY, columns, width) => {
    expect(createTerminal(streams(isTTY, columns)).width()).toBe(width);
  });
});

test("a stream that has lost its reader throws nothing, and other errors are not hidden", () => {
  const stream = new EventEmitter();
  mayLoseItsReader(stream);
  stream.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
  expect(() => stream.emit("error", full)).toThrow("no space");
});
