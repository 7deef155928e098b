import fc from "fast-check";
import { expect, test } from "vitest";
import { closestWord, typingMistakes } from "../../../common/suggest.ts";

const COMMANDS = ["run", "destroy", "query", "reap", "plan", "status"];

test.each([
  ["destory", "destroy"],
  ["stats", "status"],
  ["rnu", "run"],
  ["plann", "plan"],
  ["staus", "status"],
])("%s means %s", (word, meant) => {
  expect(closestWord(word, COMMANDS)).toBe(meant);
});

test.each(["serve", "x", "destroyer-of-worlds", ""])("%j is similar to no command", (word) => {
  expect(closestWord(word, COMMANDS)).toBeNull();
});

test.each([
  ["", "abc", 3],
  ["abc", "abc", 0],
  ["abcd", "abdc", 1],
  ["abc", "ab", 1],
  ["abc", "xbc", 1],
  ["kitten", "sitting", 3],
])("%j and %j differ by %i mistakes", (a, b, mistakes) => {
  expect(typingMistakes(a, b, mistakes)).toBe(mistakes);
  expect(typingMistakes(b, a, mistakes)).toBe(mistakes);
});

test("mistakes above the limit are told from those within it without being counted", () => {
  const word = fc.string({ unit: fc.constantFrom("A", "B", "_"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 8 }), (a, b, most) => {
      const all = typingMistakes(a, b, Number.POSITIVE_INFINITY);
      expect(Math.min(typingMistakes(a, b, most), most + 1)).toBe(Math.min(all, most + 1));
    }),
  );
});
