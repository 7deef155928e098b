import { expect, test } from "vitest";
import { contestant, interleave } from "../../bench/interleave.ts";
import { isVersion } from "../../bench/machine.ts";

test("contestants take turns, and each keeps its results", async () => {
  const order: string[] = [];
  const runner = (name: string) =>
    contestant(async (round) => {
      order.push(name);
      return `${name}${round}`;
    });
  const [a, b] = [runner("a"), runner("b")];
  await interleave(3, [a, b]);
  expect(order.join("")).toBe("ababab");
  expect(a.samples).toEqual(["a0", "a1", "a2"]);
  expect(b.samples).toEqual(["b0", "b1", "b2"]);
});

test.each([
  ["1.22.1", false],
  ["1.27.3", false],
  ["1.27.4", true],
  ["1.28.0", true],
  ["1.30.6", true],
  ["2.0.0", true],
  ["0.99.99", false],
])("version %s is 1.27.4 or later: %s", (version, later) => {
  expect(isVersion(version, "1.27.4")).toBe(later);
});
