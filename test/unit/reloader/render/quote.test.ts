import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comment, endpoint, quoted, size, UnsafeValueError, whole } from "../../../../reloader/render/quote.ts";
import { directives } from "../../../fakes/nginx-directives.ts";

describe("text in quotes", () => {
  test.each([
    ["plain", '"plain"'],
    ["a; } server {", '"a; } server {"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ["", '""'],
  ])("quotes %j for nginx", (text, spelled) => {
    expect(quoted("NAME", text)).toBe(spelled);
  });

  test.each(["$host", "a\nb", "a\0b", "a\tb", "\x7f"])("refuses %j, which nginx cannot quote", (text) => {
    expect(() => quoted("NAME", text)).toThrow(UnsafeValueError);
    expect(() => quoted("NAME", text)).toThrow("NAME is ");
  });

  test("is the same one word in nginx' parser, or is refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary-ascii" }), fc.string()), (text) => {
        let spelled: string;
        try {
          spelled = quoted("NAME", text);
        } catch (error) {
          expect(error).toBeInstanceOf(UnsafeValueError);
          return;
        }
        expect(directives(`root ${spelled};`)).toEqual([{ words: ["root", text], block: null }]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("an endpoint", () => {
  test("has brackets around an IPv6 address only", () => {
    expect(endpoint("host", "203.0.113.9", 80)).toBe("203.0.113.9:80");
    expect(endpoint("host", "2001:db8::1", 65535)).toBe("[2001:db8::1]:65535");
  });

  test.each(["example.test", "a; }", "203.0.113.9;", "fe80::1%eth0", "999.1.1.1", "", "beef"])(
    "is refused for %j, which is not an address",
    (host) => {
      expect(() => endpoint("host", host, 80)).toThrow(UnsafeValueError);
    },
  );

  test.each([0, 65536, 1.5, Number.NaN, -1])("is refused for port %d", (port) => {
    expect(() => endpoint("host", "203.0.113.9", port)).toThrow(UnsafeValueError);
  });
});

test("a size is digits and at most one unit", () => {
  expect(size("NAME", "10M")).toBe("10M");
  expect(size("NAME", "0")).toBe("0");
  for (const text of ["10MB", "10m;", "", "1.5G", "-1"]) expect(() => size("NAME", text)).toThrow(UnsafeValueError);
});

test("a whole number outside its bounds is refused", () => {
  expect(whole("NAME", 600, 1, 1000)).toBe("600");
  for (const value of [0, 1001, 1.5, Number.NaN]) expect(() => whole("NAME", value, 1, 1000)).toThrow(UnsafeValueError);
});

test("a comment stays on its line", () => {
  expect(directives(`# ${comment("NAME", { host: 'a"\n; }' })}`)).toEqual([]);
});
