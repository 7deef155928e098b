import { describe, expect, test } from "vitest";
import { prettyLine } from "../../../common/log-text.ts";

const AT = "2026-11-23T15:04:05.678Z";
const marked = (style: string, text: string) => `<${style}>${text}</${style}>`;
const pretty = (fields: Record<string, unknown>) =>
  prettyLine(`${JSON.stringify({ level: "info", time: AT, app: "vast-provisioner", ...fields })}\n`, marked).replace(
    new Date(AT).toTimeString().split(" ")[0] ?? "",
    "15:04:05",
  );

describe("a log line for people", () => {
  test("has the time, a word and the sentence", () => {
    expect(pretty({ event: "state", state: "provisioning", reason: "instance_starting", msg: "7 is loading" })).toBe(
      "15:04:05  loading      7 is loading\n",
    );
  });

  test("has its event where no word says more", () => {
    expect(pretty({ event: "fleet", msg: "reads for all pods" })).toBe("15:04:05  fleet        reads for all pods\n");
  });

  test("shows in words what is bad, good or unimportant, and in colours only besides", () => {
    expect(pretty({ level: "warn", event: "redis", msg: "x" })).toBe(
      "<yellow>15:04:05  redis        warn: x</yellow>\n",
    );
    expect(pretty({ level: "error", event: "disk", msg: "x", problem: "full" })).toBe(
      "<red>15:04:05  disk         error: x: full</red>\n",
    );
    expect(pretty({ event: "state", state: "ready", reason: "instance_ready", msg: "x" })).toBe(
      "<green>15:04:05  ready        x</green>\n",
    );
    expect(pretty({ level: "debug", event: "published", msg: "x" })).toBe(
      "<dim>15:04:05  published    debug: x</dim>\n",
    );
  });

  test("shows a defect with its stack, indented", () => {
    const err = { type: "TypeError", message: "x is null", stack: "TypeError: x is null\n    at pass" };
    const [, second, third] = pretty({ level: "error", event: "internal_error", msg: "a pass failed", err }).split(
      "\n",
    );
    expect([second?.trim(), third?.trim()]).toEqual(["TypeError: x is null", "at pass</red>"]);
    expect(second?.indexOf("T")).toBe("15:04:05  internal_error".length - "internal_error".length + 13);
  });

  test("lets no text of a stranger control the terminal", () => {
    const shown = pretty({
      event: "state",
      state: "blocked",
      reason: "x",
      msg: "host says \u001b[2J\u001b]0;owned\u0007boo\rhoo",
    });
    expect(shown).toBe("15:04:05  blocked      host says boohoo\n");
  });

  test("that is not JSON is shown as it is, but harmless", () => {
    expect(prettyLine("Segmentation \u001b[31mfault\n", marked)).toBe("Segmentation fault\n");
  });
});
