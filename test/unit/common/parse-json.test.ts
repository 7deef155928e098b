import { describe, expect, test } from "vitest";
import * as z from "zod";
import { parseJson } from "../../../common/parse-json.ts";

const schema = z.object({ name: z.string(), size: z.object({ width: z.number() }) });

describe("parsing JSON", () => {
  test("returns the checked value", () => {
    expect(parseJson('{"name":"a","size":{"width":2}}', schema)).toEqual({ value: { name: "a", size: { width: 2 } } });
  });

  test("converts an earlier version before the check", () => {
    const upgrade = (json: unknown) => ({ ...z.looseObject({}).parse(json), size: { width: 1 } });
    expect(parseJson('{"name":"a"}', schema, upgrade)).toEqual({ value: { name: "a", size: { width: 1 } } });
  });

  test("names every wrong field with its path", () => {
    const result = parseJson('{"size":{"width":"2"}}', schema);
    expect(result).toEqual({ why: expect.stringMatching(/^name: .*; size\.width: /) });
  });

  test("says when the value as a whole has the wrong type", () => {
    expect(parseJson("7", schema)).toEqual({ why: expect.stringMatching(/^top level: .*object/) });
  });

  test.each(["", '{"name":', "text"])("says when the text is not JSON, without quoting it: %j", (text) => {
    expect(parseJson(text, schema)).toEqual({
      why: `it is not JSON (${text.length} characters, possibly half-written)`,
    });
  });

  test("does not hide an internal error of the conversion", () => {
    const fail = () => {
      throw new TypeError("a defect");
    };
    expect(() => parseJson("{}", schema, fail)).toThrow(TypeError);
  });
});
