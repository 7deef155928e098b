import { describe, expect, test } from "vitest";
import { codeOf, messageOf } from "../../../common/errors.ts";

describe("the code of a thrown value", () => {
  test("is the error's own code", () => {
    expect(codeOf(Object.assign(new Error("no file"), { code: "ENOENT" }))).toBe("ENOENT");
  });

  test.each([
    new Error("without a code"),
    Object.assign(new Error("with a number"), { code: 404 }),
    { code: "ENOENT" },
    "ENOENT",
    null,
    undefined,
  ])("is null when it is not a text of an error: %j", (thrown) => {
    expect(codeOf(thrown)).toBeNull();
  });
});

describe("the message of a thrown value", () => {
  test("is the error's own message", () => {
    expect(messageOf(new TypeError("wrong type"))).toBe("wrong type");
  });

  test.each([
    ["text", "text"],
    [7, "7"],
    [null, "null"],
    [undefined, "undefined"],
  ])("is the value as text when it is not an error: %j", (thrown, text) => {
    expect(messageOf(thrown)).toBe(text);
  });
});
