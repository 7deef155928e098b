import { describe, expect, test } from "vitest";
import { counter, countOf, createRegistry, gaugeOf, histogram } from "../../../common/metrics.ts";

const lines = async (registry: ReturnType<typeof createRegistry>) =>
  (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("a gauge", () => {
  test("is read at each scrape", async () => {
    const registry = createRegistry();
    let value = 1;
    gaugeOf(registry, { name: "a", help: "A." }, () => value);
    expect(await lines(registry)).toEqual(["a 1"]);
    value = 2;
    expect(await lines(registry)).toEqual(["a 2"]);
  });

  test("has no line while its value is unknown", async () => {
    const registry = createRegistry();
    let value: number | null = 5;
    gaugeOf(registry, { name: "a", help: "A." }, () => value);
    expect(await lines(registry)).toEqual(["a 5"]);
    value = null;
    expect(await lines(registry)).toEqual([]);
  });

  test("has only the current lines", async () => {
    const registry = createRegistry();
    let id = "1";
    gaugeOf(registry, { name: "a", help: "A.", labels: ["id"] }, () => [{ labels: { id }, value: 1 }]);
    expect(await lines(registry)).toEqual(['a{id="1"} 1']);
    id = '2"\n';
    expect(await lines(registry)).toEqual(['a{id="2\\"\\n"} 1']);
  });
});

test("a counter that is kept elsewhere does not add up over scrapes", async () => {
  const registry = createRegistry();
  countOf(registry, { name: "a_total", help: "A.", labels: ["of"] }, () => [{ labels: { of: "x" }, value: 3 }]);
  expect(await lines(registry)).toEqual(['a_total{of="x"} 3']);
  expect(await lines(registry)).toEqual(['a_total{of="x"} 3']);
});

test("a counter counts, and a histogram has buckets", async () => {
  const registry = createRegistry();
  counter(registry, { name: "a_total", help: "A.", labels: ["of"] }).inc({ of: "x" });
  histogram(registry, { name: "b_seconds", help: "B.", buckets: [1, 2] }).observe(1.5);
  expect(await lines(registry)).toEqual([
    'a_total{of="x"} 1',
    'b_seconds_bucket{le="1"} 0',
    'b_seconds_bucket{le="2"} 1',
    'b_seconds_bucket{le="+Inf"} 1',
    "b_seconds_sum 1.5",
    "b_seconds_count 1",
  ]);
});

test("two registries are independent", async () => {
  const [one, other] = [createRegistry(), createRegistry()];
  gaugeOf(one, { name: "a", help: "A." }, () => 1);
  gaugeOf(other, { name: "a", help: "A." }, () => 2);
  expect(await lines(other)).toEqual(["a 2"]);
});
