import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readOrder } from "../../../../provisioner/search/order.ts";
import { readQuery, withDuration, withOrder } from "../../../../provisioner/search/query.ts";
import { QueryError } from "../../../../provisioner/search/query-error.ts";

/** The refusal, or null for a query that is accepted. Anything else that is thrown fails the test. */
function attempt(text: string): { refusal: QueryError | null } {
  try {
    readQuery(text);
    return { refusal: null };
  } catch (error) {
    if (error instanceof QueryError) return { refusal: error };
    throw error;
  }
}

function refusalOf(text: string): QueryError {
  const { refusal } = attempt(text);
  if (refusal === null) throw new Error("the query was accepted");
  return refusal;
}

describe("a query that begins with a brace", () => {
  test("is JSON and used unchanged, with order, type and limit, without default filters", () => {
    const filters = { gpu_name: { eq: "RTX 4090" }, duration: { gte: 3000 }, num_gpus: { in: [1, "2"] } };
    const options = { order: [["dph_total", "asc"]], type: "on-demand", limit: 5 };
    const text = `\n ${JSON.stringify({ ...filters, ...options })}`;
    expect(readQuery(text)).toEqual({
      filters,
      options,
      unknown: [],
      warnings: [],
      byExpectedCost: false,
      minDurationSeconds: 0,
    });
    expect(readQuery("{}")).toEqual({
      filters: {},
      options: {},
      unknown: [],
      warnings: [],
      byExpectedCost: false,
      minDurationSeconds: 86_400,
    });
  });

  test.each([
    ["{broken", /^at position 1, "broken": .* in JSON/],
    ['{"num_gpus": x}', /^at position 13, "x}": Unexpected token 'x'/],
    [`{"a": {"in": [${"1,".repeat(5000)}+]}}`, /^at position 10014, "\+]}}": /],
    ['{"num_gpus": {"gte": 1}', /^at position 23, "": .*JSON/],
    ['{"num_gpus": {"gte": ', /^at position 21, "": Unexpected end/],
    ['{"num_gpus": {"gte": 1}} and more', /^at position 25, "and more": /],
    ['{"gpu_name": {"eq": "RTX', /^at position \d+, .*JSON/],
    ['{"gpu_name":"RTX 4090"}', /at position 1, "\\"gpu_name\\"": the condition of "gpu_name" must be an object/],
    ['{"num_gpus":{"eq":1},"gpu_name":{"like":"RTX"}}', /at position 21, .*the condition of "gpu_name"/],
    ['{"gpu_name":null}', /the condition of "gpu_name"/],
    ['{"gpu_name":["eq"]}', /the condition of "gpu_name"/],
    ['{"dph_total":{}}', /the condition of "dph_total"/],
    ['{"limt":5}', /at position 1, .*the condition of "limt" must be .*; or did you mean limit\?$/],
    [
      '{"order":"dph_total"}',
      /at position 1, .*"order" must be a list of pairs of a field and asc or desc - like \[\[/,
    ],
    ['{"order":["dph_total","asc"]}', /"order" must be/],
    ['{"order":[["dph_total"]]}', /"order" must be/],
    ['{"order":[["dph_total","down"]]}', /"order" must be/],
    ['{"order":null}', /"order" must be/],
    ['{"num_gpus":{"eq":1}, "limit":0}', /at position 22, .*"limit" must be a whole number, 1 or more - like 64$/],
    ['{"limit":"5"}', /"limit" must be/],
    [
      '{"dph_total":{"gte":0.1}, "dph_total":{"lte":0.5}}',
      /at position 26, .*"dph_total" is given twice, and only the last one would count - write one object/,
    ],
    ['{"gpu_ram":{"gte":1000,"gte":24000}}', /at position 23, .*"gte" is given twice/],
    ['{"dph_total":{"lte":1},"dph\\u005ftotal":{"gte":0}}', /is given twice/],
  ])("is refused with the position of the error: %s", (text, message) => {
    expect(refusalOf(text).message).toMatch(message);
  });

  test("may have one name in several objects, and what looks like a name in a text", () => {
    const filters = { gpu_ram: { gte: 24_000 }, cpu_ram: { gte: 24_000 }, gpu_name: { eq: '{"gpu_ram": {"gte":' } };
    expect(readQuery(JSON.stringify({ ...filters, order: [["gpu_ram", "DESC"]] })).filters).toEqual(filters);
  });

  test("is refused when it is nested too deeply to be sent", () => {
    const deep = `{"type": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    expect(refusalOf(deep).position).toBeNull();
  });

  test("is a query or an error with a position in the text, whatever follows the brace", () => {
    const json = fc.json({ maxDepth: 3 }).map((text) => `{"num_gpus": ${text}}`);
    const broken = fc.tuple(json, fc.nat(), fc.string({ maxLength: 3 })).map(([text, at, wrong]) => {
      const place = 1 + (at % (text.length - 1));
      return text.slice(0, place) + wrong + text.slice(place);
    });
    fc.assert(
      fc.property(
        fc.oneof(
          json,
          broken,
          fc.string({ unit: "binary" }).map((text) => `{${text}`),
        ),
        (text) => {
          const { refusal } = attempt(text);
          if (refusal === null) return;
          expect(refusal.position).toBeGreaterThanOrEqual(0);
          expect(refusal.position).toBeLessThanOrEqual(text.length);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("names the fields of filters and order that the API does not know; a short name is one of the command line alone", () => {
    const order = [
      ["dph_totl", "asc"],
      ["score", "desc"],
    ];
    const text = { dph: { lt: 1 }, reliability2: { gt: 0.9 }, score: { gt: 1 }, gpu_nam: { eq: "x" }, order };
    expect(readQuery(JSON.stringify(text)).unknown).toEqual(["dph", "gpu_nam", "dph_totl"]);
  });

  test("may have parameters of the search whose value is no condition", () => {
    const options = { external: false, disable_bundling: true, target_reliability: 0.9, extra_ids: [1] };
    expect(readQuery(JSON.stringify(options))).toEqual({
      filters: {},
      options,
      unknown: [],
      warnings: [],
      byExpectedCost: false,
      minDurationSeconds: 86_400,
    });
    expect(readQuery('{"external":{"eq":false}}').filters).toEqual({ external: { eq: false } });
  });
});

describe("any other query", () => {
  test("is in the official command line's grammar, with its default filters", () => {
    expect(readQuery(" gpu_name=RTX_4090 gpu_ram>=24 verified=any")).toEqual({
      filters: {
        external: { eq: false },
        rentable: { eq: true },
        gpu_name: { eq: "RTX 4090" },
        gpu_ram: { gte: 24_000 },
      },
      options: {},
      unknown: [],
      warnings: [],
      byExpectedCost: false,
      minDurationSeconds: 86_400,
    });
  });

  test.each(["[]", "null", '"{}"'])("which JSON of another kind is not: %s", (text) => {
    expect(refusalOf(text).message).toMatch(/at position 0/);
  });

  test("names once each field that the API does not know, but none that only the command line does not", () => {
    expect(readQuery("foo>1 foo<5 bar=any dph<1 reliability2>0.9 gpu_totalram>=48000 gpu_ram_GB>=24")).toMatchObject({
      unknown: ["foo", "bar"],
      warnings: [],
      byExpectedCost: false,
    });
  });
});

describe("a search for bids is refused", () => {
  test.each([
    '{"type":"bid"}',
    '{"type": "interruptible"}',
    '{"type":" BID "}',
    '{"type":{"eq":"bid"}}',
    '{"type":["bid"]}',
    '{"num_gpus":{"eq":1},"is_bid":{"eq":true}}',
    "num_gpus=1 type=bid",
    "is_bid=true",
    "is_bid != false",
    "type = Interruptible",
    "type in [bid]",
  ])("%s", (text) => {
    expect(refusalOf(text).message).toContain(
      "bids are made with VAST_INSTANCE_TYPE=interruptible and VAST_BID, whatever the query says",
    );
    expect(text.slice(refusalOf(text).position ?? 0)).toMatch(/^(type|is_bid)/);
  });

  test("as is one for reserved offers, which shows a price that holds after a prepayment", () => {
    for (const text of ['{"type":"reserved"}', "type=reserved", '{"type":["reserved"]}'])
      expect(refusalOf(text).message).toMatch(
        /^at position \d+, "type": "type" is .*: its prices hold after a prepayment, which is not made here; .* - remove "type"$/,
      );
  });

  test.each(['{"type":"on demand"}', '{"type":5}', '{"type":null}', "type=spot"])(
    "as is any other type: %s",
    (text) => {
      expect(refusalOf(text).message).toContain("VAST_INSTANCE_TYPE says what is rented, ondemand or interruptible");
    },
  );

  test.each(["-i num_gpus=1", "num_gpus=1 -b", "num_gpus=1 --type=bid", "num_gpus=1 -t reserved -o dph"])(
    "as is a flag of the vendor's command, with the settings to use: %s",
    (text) => {
      expect(refusalOf(text).message).toContain("VAST_INSTANCE_TYPE says what is rented, ondemand or interruptible");
      expect(text.slice(refusalOf(text).position ?? 0)).toMatch(/^-/);
    },
  );

  test("but not one on demand", () => {
    for (const type of ["on-demand", "ondemand"]) expect(readQuery(JSON.stringify({ type })).options).toEqual({ type });
    expect(readQuery("type=on-demand").warnings).toEqual([
      "type is not a filter and is not sent: VAST_INSTANCE_TYPE says what is rented",
    ]);
    expect(readQuery("is_bid=false").filters).toMatchObject({ is_bid: { eq: false } });
  });
});

describe("a condition that is valid but probably a mistake", () => {
  test("causes a warning: two conditions that became one value", () => {
    expect(readQuery("num_gpus>=2,gpu_ram>=24").warnings).toEqual([
      'the value of num_gpus gte is "2,gpu ram>=24": separate conditions only by spaces',
    ]);
  });

  test("causes a warning: a filter on id, which finds nothing", () => {
    expect(readQuery('{"id":{"eq":5}}').warnings).toEqual(["a filter on id finds nothing: use ask_contract_id"]);
  });

  test("causes a warning: a disk space, which the template sets", () => {
    expect(readQuery('{"allocated_storage":5}').warnings).toEqual([
      "allocated_storage is ignored: the template's disk space is used",
    ]);
  });

  test("causes a warning: order, type and limit in a text query, which are not filters", () => {
    expect(readQuery("limit=5 order=dph allocated_storage>9").warnings).toEqual([
      "limit is not a filter and is not sent: write the query as JSON to limit the number of offers",
      "order is not a filter and is not sent: set the order in VAST_SEARCH_ORDER",
      "allocated_storage is not a filter and is not sent: the template's disk space is used",
    ]);
  });

  test("causes a warning: a price that nobody pays, in a filter or in the order", () => {
    expect(readQuery("min_bid<1").warnings).toEqual([
      "min_bid is the price of a bid, which is not what is billed: compare dph_total",
    ]);
    expect(readQuery('{"dph_base":{"lt":1},"order":[["discounted_dph_total","asc"]]}').warnings).toEqual([
      "dph_base is the price without the disk, which is not what is billed: compare dph_total",
      "discounted_dph_total is the price after a prepayment, which is not what is billed: compare dph_total",
    ]);
  });
});

test("the order of the setting replaces the query's own", () => {
  const query = readQuery('{"order":[["score","desc"]],"limit":5}');
  expect(withOrder(query, readOrder("dph")).options).toEqual({ order: [["dph_total", "asc"]], limit: 5 });
  expect(withOrder(query, undefined)).toEqual(query);
});

describe("how long an offer must last", () => {
  const least = (text: string, minSeconds: number | undefined, marginSeconds: number) =>
    withDuration(readQuery(text), minSeconds, marginSeconds).minDurationSeconds;

  test("is a day, unless the query has its own condition or the setting says something else", () => {
    expect(least("num_gpus=1", undefined, 900)).toBe(86_400);
    expect(least("num_gpus=1 duration>=3", undefined, 900)).toBe(4500);
    expect(least('{"end_date":{"gte":1793000000}}', undefined, 900)).toBe(4500);
    expect(least("num_gpus=1", 172_800, 900)).toBe(172_800);
    expect(least("duration>=1", 172_800, 900)).toBe(172_800);
  });

  test("is an hour more than VAST_END_MARGIN_SECONDS at least: what is rented would be replaced at once", () => {
    expect(least("num_gpus=1", 60, 900)).toBe(4500);
    expect(least("num_gpus=1", undefined, 172_800)).toBe(176_400);
    expect(least("duration>=0", undefined, 0)).toBe(3600);
  });
});
