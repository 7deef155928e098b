import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderOf, readOrder, sorted } from "../../../../provisioner/search/order.ts";
import { QueryError } from "../../../../provisioner/search/query-error.ts";

describe("an order is read as the official command line's -o", () => {
  test.each([
    ["score-", [["score", "desc"]]],
    ["-dph", [["dph_total", "desc"]]],
    ["dph+", [["dph_total", "asc"]]],
    [
      "num_gpus,total_flops-",
      [
        ["num_gpus", "asc"],
        ["total_flops", "desc"],
      ],
    ],
    [
      " dph , num_gpus- ",
      [
        ["dph_total", "asc"],
        ["num_gpus", "desc"],
      ],
    ],
    ["", []],
    [" , ", []],
    ["dph-+", [["dph-", "asc"]]],
    ["--dph--", [["dph_total", "desc"]]],
    ["-dph+", [["-dph", "asc"]]],
    ["dph_total desc", [["dph_total desc", "asc"]]],
    [
      "cuda_vers,flops_usd-",
      [
        ["cuda_max_good", "asc"],
        ["flops_per_dphtotal", "desc"],
      ],
    ],
  ])("%j", (text, order) => {
    expect(readOrder(text).order).toEqual(order);
  });

  test("with the fields that the API does not know, and a warning for a price that nobody pays", () => {
    expect(readOrder("dph,score-,reliability2")).toMatchObject({ unknown: [], warnings: [] });
    expect(readOrder("dph_total desc").unknown).toEqual(["dph_total desc"]);
    expect(readOrder("min_bid").warnings).toEqual([
      "min_bid is the price of a bid, which is not what is billed: compare dph_total",
    ]);
  });

  test("and refuses a direction without a field, with its position", () => {
    expect(() => readOrder("dph, -")).toThrow(
      new QueryError("the field name is missing", 4, "-", "write for example dph or dlperf-"),
    );
  });

  test("for any text: an order or an error", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("d", "-", "+", ",", " ", "_", "\u00e9"), maxLength: 30 }),
        (text) => {
          try {
            for (const [field, direction] of readOrder(text).order) {
              expect(field).not.toBe("");
              expect(["asc", "desc"]).toContain(direction);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(QueryError);
          }
        },
      ),
    );
  });
});

test("a query's own order is applied as far as it has the API's shape", () => {
  expect(orderOf([["dph_total", "asc"], ["score", "DESC"], "num_gpus", [5], ["gpu_ram"]])).toEqual([
    ["dph_total", "asc"],
    ["score", "desc"],
    ["gpu_ram", "asc"],
  ]);
  expect(orderOf("dph")).toEqual([]);
  expect(orderOf(undefined)).toEqual([]);
});

describe("sorted rows", () => {
  const rows = (...values: unknown[]) => values.map((value, i) => ({ i, fields: { x: value, y: -i } }));
  const at = (list: readonly { i: number }[]) => list.map((row) => row.i);

  test("are compared as numbers when both are numbers, also as text, and by the next field when they are equal", () => {
    expect(at(sorted(rows("10", 9, "9", 100), [["x", "asc"]]))).toEqual([1, 2, 0, 3]);
    expect(
      at(
        sorted(rows(1, 1, 0), [
          ["x", "asc"],
          ["y", "asc"],
        ]),
      ),
    ).toEqual([2, 1, 0]);
  });

  test("are compared by letters when both are texts, false before true", () => {
    expect(at(sorted(rows("b", "a"), [["x", "asc"]]))).toEqual([1, 0]);
    expect(at(sorted(rows(true, false), [["x", "asc"]]))).toEqual([1, 0]);
  });

  test("without the field come last in both directions", () => {
    expect(at(sorted(rows(null, 2, undefined, 1), [["x", "asc"]]))).toEqual([3, 1, 0, 2]);
    expect(at(sorted(rows(null, 2, undefined, 1), [["x", "desc"]]))).toEqual([1, 3, 0, 2]);
  });

  test("keep the API's order when they compare equal, and find columns under their other names", () => {
    expect(at(sorted(rows(1, 1, 1), [["x", "desc"]]))).toEqual([0, 1, 2]);
    const named = [0.2, 0.9].map((reliability2, i) => ({ i, fields: { reliability2 } }));
    expect(at(sorted(named, [["reliability", "desc"]]))).toEqual([1, 0]);
  });
});

describe("the order by expected cost", () => {
  test("stands alone, and is asked of the API as the order by price", () => {
    const byPrice = { order: [["dph_total", "asc"]], unknown: [], warnings: [] };
    expect(readOrder(" expected_cost ")).toEqual({ ...byPrice, byExpectedCost: true });
    expect(readOrder("dph")).toEqual({ ...byPrice, byExpectedCost: false });
  });

  test.each(["expected_cost,dph", "dph,expected_cost", "expected_cost-", "-expected_cost"])("%s is refused", (text) => {
    expect(() => readOrder(text)).toThrow(QueryError);
    expect(() => readOrder(text)).toThrow(/write expected_cost and nothing else/);
  });
});
