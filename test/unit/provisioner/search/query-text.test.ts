import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type Filters, RECOGNISED, UNITS } from "../../../../provisioner/search/fields.ts";
import { QueryError } from "../../../../provisioner/search/query-error.ts";
import { DEFAULT_FILTERS, parseQueryText } from "../../../../provisioner/search/query-text.ts";

const filters = z.record(z.string(), z.record(z.string(), z.unknown()));
/** Pairs that the vendor's own parser has computed. */
const cases = z
  .array(
    z.object({
      query: z.string(),
      initial: filters.default({}),
      result: filters.optional(),
      error: z.string().optional(),
      errorType: z.enum(["ValueError", "TypeError", "AttributeError"]).optional(),
      warnings: z.array(z.string()).default([]),
    }),
  )
  .parse(JSON.parse(readFileSync(new URL("query-cases.json", import.meta.url), "utf8")));

/** The filters and warnings, or the refusal and the warnings before it. Anything else that is thrown fails the test. */
function parse(text: string, seed: Filters = {}) {
  const warnings: string[] = [];
  try {
    return { result: parseQueryText(text, seed, (field) => warnings.push(field)), refusal: null, warnings };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { result: null, refusal: error, warnings };
  }
}

test("the vendor's pairs are all there", () => {
  expect(cases).toHaveLength(110);
  expect(cases.filter((one) => one.error !== undefined).length).toBe(29);
});

describe("the query grammar agrees with the vendor's parser", () => {
  test.each(cases.map((one) => [JSON.stringify(one.query), one] as const))("%s", (_, one) => {
    const seed = structuredClone(one.initial);
    const { result, refusal, warnings } = parse(one.query, one.initial);
    expect(warnings).toEqual(one.warnings);
    expect(one.initial).toEqual(seed);
    if (one.error === undefined) {
      expect(refusal).toBeNull();
      // As text, so that the order of the fields counts, in which they are sent.
      expect(JSON.stringify(result)).toBe(JSON.stringify(one.result));
    } else if (one.errorType === "ValueError") expect(refusal?.reason).toBe(one.error);
    else expect(refusal).not.toBeNull(); // the vendor's client crashes; the words are ours
  });
});

describe("an error", () => {
  test.each([
    ["gpu_name=RTX 4090", 13, "4090"],
    ["  num_gpus>=2 & gpu_ram>=24", 14, "& "],
    ["-num_gpus=1", 0, "-"],
    ["num_gpus=1 gpu_ram>=24GB", 11, "gpu_ram>=24GB"],
    ["num_gpus=1 driver_version>=535.86", 11, "driver_version>=535.86"],
    ["dph>any", 0, "dph>any"],
  ])("of %j names position %i and the piece", (text, position, piece) => {
    const { refusal } = parse(text);
    expect(refusal).toMatchObject({ position, piece });
    expect(refusal?.message).toContain(`at position ${position}, ${JSON.stringify(piece)}: `);
    expect(refusal?.message).toContain(refusal?.reason);
  });

  test.each([
    ["gpu_ram in [24,48]", /gpu_ram accepts one number, not a list/],
    ["driver_version in [535.86.05]", /no versions with dots/],
    ["gpu_ram>=inf", /'inf' is not a number that can be sent/],
    ["gpu_ram>=1e306", /'1e306' is not a number that can be sent/],
    ["duration=-NaN", /'-NaN' is not a number that can be sent/],
  ])("replaces a crash or invalid JSON: %s", (text, reason) => {
    expect(parse(text).refusal?.reason).toMatch(reason);
  });

  test("is short, however long the text is", () => {
    expect(parse(`${"a=1 ".repeat(10_000)} & b=2`).refusal?.message.length).toBeLessThan(700);
  });

  test.each([
    ["num_gpus=1 &'", `'num_gpus=1 ' != "num_gpus=1 &'"`],
    [`a=1 &'" b=1`, `'a=1 b=1' != 'a=1 &\\'" b=1'`],
    ["a=1 \\ b=1", "'a=1 b=1' != 'a=1 \\\\ b=1'"],
    [
      "a=1 \u00a0\u0001 b=\u00e9\u4e2d\u{1f600}",
      "'a=1 b=\u00e9\u4e2d\u{1f600}' != 'a=1 \\xa0\\x01 b=\u00e9\u4e2d\u{1f600}'",
    ],
    ["a=1 \u200b\u2028\u{e0001} b=1", "'a=1 b=1' != 'a=1 \\u200b\\u2028\\U000e0001 b=1'"],
  ])("quotes %j as Python does", (text, quoted) => {
    expect(parse(text).refusal?.reason).toContain(quoted);
  });
});

describe("numbers with a unit are read as Python reads them", () => {
  test.each([
    ["1e2", 100_000],
    ["1E2", 100_000],
    [".5", 500],
    ["5.", 5000],
    ["+5", 5000],
    ["-5", -5000],
    ["\t5\n", 5000],
    ["\u00a05", 5000],
    ["\u001f5", null],
    ["0x10", null],
    ["5 5", null],
    ["--5", null],
    [".", null],
    ["e5", null],
  ])("%j", (value, megabytes) => {
    const { result, refusal } = parse(`gpu_ram="${value}"`);
    if (megabytes === null) expect(refusal?.reason).toContain("could not convert string to float");
    else expect(result).toEqual({ gpu_ram: { eq: megabytes } });
  });

  test.each([
    ["535..05", 535_000_005],
    ["1.2.3", 1_002_003],
    ["535.86.0_5", 53_508_605],
    ["-5.1.1", -5_001_001],
  ])("and the parts of a driver version: %s", (version, number) => {
    expect(parse(`driver_version>=${version}`).result).toEqual({ driver_version: { gte: number } });
  });
});

test("no field name reaches the built-in properties of objects", () => {
  const { result } = parse("__proto__=1 constructor>2 toString=any hasOwnProperty=true");
  expect(Object.keys(result ?? {})).toEqual(["__proto__", "constructor", "hasOwnProperty"]);
  expect(JSON.stringify(result)).toBe('{"__proto__":{"eq":"1"},"constructor":{"gt":"2"},"hasOwnProperty":{"eq":true}}');
});

describe("any text", () => {
  const pieces = fc.constantFrom(
    ..."gpu_ram|driver_version|dph|num_gpus|foo|=|>=|!=|<| in | not in | notin |[|]|,|\"|'|_|.| |  |\t|\n|any|*|?|24|1e5|535.86.05|true|None|\\|-|+|é|&".split(
      "|",
    ),
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 60 }),
  );

  test("becomes filters that are valid JSON, or an error with a position in the text", () => {
    fc.assert(
      fc.property(text, fc.boolean(), (given, defaults) => {
        const { result, refusal } = parse(given, defaults ? DEFAULT_FILTERS : {});
        if (refusal !== null) {
          expect(refusal.position).toBeGreaterThanOrEqual(0);
          expect(given.startsWith(refusal.piece, refusal.position ?? -1)).toBe(true);
          return;
        }
        expect(JSON.parse(JSON.stringify(result))).toEqual(result);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ["one field", "a".repeat(100_000)],
    ["blanks before no operator", `a${" ".repeat(100_000)}b`],
    ["blanks before no value", `a=${" ".repeat(100_000)}`],
    ["signs", `a${"=".repeat(100_000)}`],
    ["lists that are never closed", "a=[ ".repeat(25_000)],
    ["lists, of which one is closed", `${"a=[ ".repeat(25_000)}]`],
    ["quotes", 'a=" '.repeat(25_001)],
    ["empty quotes", 'a="" '.repeat(20_000)],
    ["a long number", `gpu_ram=${"1".repeat(100_000)}x`],
    ["a long version", `driver_version=${"1".repeat(50_000)}.${"_1".repeat(25_000)}.x`],
    ["commas", `a in ${",".repeat(100_000)}`],
    ["what is no part of any query", "&".repeat(100_000)],
  ])("of 100,000 characters is parsed without backtracking: %s", (_, given) => {
    const { result, refusal } = parse(given);
    expect((result === null) !== (refusal === null)).toBe(true);
  });
});

describe("any valid query", () => {
  const field = fc.constantFrom(...[...RECOGNISED].filter((name) => name !== "driver_version" && !UNITS.has(name)));
  const word = fc
    .stringMatching(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,8}$/)
    .filter((one) => !/^(any|true|True|false|False|None|null)$/.test(one));
  const comparison = fc.oneof(
    fc.record({ field, operator: fc.constantFrom("eq", "neq", "gt", "gte", "lt", "lte"), value: word }),
    fc.record({
      field,
      operator: fc.constantFrom("in", "notin"),
      value: fc.array(word, { minLength: 1, maxLength: 4 }),
    }),
  );
  const spelling: Record<string, readonly string[]> = {
    eq: ["=", "==", " = ", " eq "],
    neq: ["!=", " != ", " neq ", " noteq ", " not eq "],
    gt: [">", " gt "],
    gte: [">=", " >=  ", " gte "],
    lt: ["<", " lt "],
    lte: ["<=", " lte "],
    in: [" in "],
    notin: [" notin ", " not in ", " nin "],
  };

  test("is parsed to the comparisons that it was made from, in any spelling", () => {
    fc.assert(
      fc.property(
        fc.array(comparison, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat(99)),
        (list, choices) => {
          const pick = <T>(from: readonly T[], otherwise: T): T =>
            from[(choices.next().value ?? 0) % from.length] ?? otherwise;
          const expected: Record<string, Record<string, unknown>> = {};
          const text = list.map(({ field: name, operator, value }) => {
            expected[name] = { ...expected[name], [operator]: value };
            const sign = pick(spelling[operator] ?? [], "=");
            if (typeof value === "string")
              return `${name}${sign}${pick([value, `"${value}"`, `[${value}]`, `${value},`], value)}`;
            return `${name}${sign}${pick([`[${value.join(",")}]`, `[${value.join(", ")}]`, value.join(",")], "")}`;
          });
          expect(parse(text.join(pick([" ", "  "], " ")))).toEqual({ result: expected, refusal: null, warnings: [] });
        },
      ),
      { numRuns: 500 },
    );
  });
});
