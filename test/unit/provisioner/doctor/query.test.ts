import { describe, expect, test } from "vitest";
import { judgeQuery } from "../../../../provisioner/doctor/query.ts";
import { readQuery } from "../../../../provisioner/search/query.ts";
import { requirements } from "../../../../provisioner/search/requirements.ts";
import { offer, template } from "../plan/situation.ts";

const FIELDS = {
  gpu_name: "RTX 4090",
  gpu_ram: 24_564,
  num_gpus: 1,
  disk_space: 800,
  direct_port_count: 10,
  duration: 2_594_000,
  reliability2: 0.99,
  geolocation: "Sweden, SE",
  rentable: true,
  external: null,
  verification: "verified",
};
const rows = (...all: object[]) =>
  all.map((fields, i) => offer({ id: i + 1, dollarsPerHour: 0.3 + i / 100, fields: { ...FIELDS, ...fields } }));
const some = rows({}, { gpu_ram: 81_000, gpu_name: "A100 SXM4" }, { gpu_ram: 12_000 }, {});

interface Found {
  found?: typeof some;
  sample?: typeof some;
  ceiling?: number;
}
function judge(text: string, { found = [], sample = some, ceiling }: Found = {}) {
  const isJson = text.startsWith("{");
  return judgeQuery(readQuery(text), isJson, requirements(template, ceiling, []), { found, sample });
}

describe("a query that finds nothing", () => {
  test.each([
    // The value that is too large by a factor of ten, and the unit.
    [
      '{"gpu_ram":{"gte":240000}}',
      "gpu_ram gte 240000 excludes 4 of 4 others",
      "did you mean 24000 (JSON is in MB) for gpu_ram?",
    ],
    [
      "gpu_ram>=24000",
      "gpu_ram gte 24000000 excludes 4 of 4 others",
      "did you mean 24 (this form is in GB) for gpu_ram?",
    ],
    [
      '{"gpu_ram":{"lte":24}}',
      "gpu_ram lte 24 excludes 4 of 4 others",
      "did you mean 24000 (JSON is in MB) for gpu_ram?",
    ],
    [
      '{"gpu_name":{"eq":"RTX_4090"}}',
      'gpu_name eq "RTX_4090" excludes 4 of 4 others',
      'did you mean "RTX 4090" for gpu_name?',
    ],
    ['{"reliability":{"gte":99}}', "reliability gte 99 excludes 4 of 4 others", "did you mean 0.99 for reliability?"],
    [
      "duration>=2592000",
      "duration gte 223948800000 excludes 4 of 4 others",
      "did you mean 30 (this form is in days) for duration?",
    ],
    ['{"num_gpus":{"eq":7}}', "num_gpus eq 7 excludes 4 of 4 others", "loosen num_gpus in VAST_SEARCH_QUERY"],
  ])("names the condition and the likely slip: %s", (text, message, remedy) => {
    expect(judge(text)).toMatchObject([{ check: "query", verdict: "fail", message: `0 offers: ${message}`, remedy }]);
  });

  test("blames the condition that excludes most", () => {
    const [finding] = judge('{"gpu_ram":{"gte":20000},"num_gpus":{"gte":2}}');
    expect(finding).toMatchObject({ message: "0 offers: num_gpus gte 2 excludes 4 of 4 others" });
  });

  test("blames no condition without a sample", () => {
    expect(judge("num_gpus=1", { sample: [] })).toMatchObject([
      { verdict: "fail", message: "0 offers, and no single condition is the reason" },
    ]);
  });
});

describe("a query that finds offers", () => {
  test("is fine when some can be taken, and says why others cannot", () => {
    const found = rows({}, {}, {}, {}, {});
    expect(judge("num_gpus=1", { found, ceiling: 0.325 })).toEqual([
      {
        check: "query",
        verdict: "ok",
        message:
          "4 conditions: 5 offers, 3 can be taken, from $0.300/h; out: 2 above VAST_MAX_DPH (the cheapest $0.3300/h)",
        remedy: null,
      },
    ]);
  });

  test("fails when none can be taken", () => {
    expect(judge("num_gpus=1", { found: rows({}, {}), ceiling: 0.1 })).toMatchObject([
      {
        verdict: "fail",
        message: "2 offers, and none can be taken; out: 2 above VAST_MAX_DPH (the cheapest $0.3000/h)",
      },
    ]);
  });

  test("may have one condition alone", () => {
    const [finding] = judge('{"num_gpus":{"eq":1}}', { found: rows({}, {}, {}) });
    expect(finding?.message).toBe("1 condition: 3 offers, 3 can be taken, from $0.300/h");
  });

  test("is doubtful when few can be taken", () => {
    expect(judge("num_gpus=1", { found: rows({}) })).toMatchObject([{ verdict: "warn" }]);
  });

  test("is doubtful when it names a field that no offer shows", () => {
    const [, doubt] = judge('{"inet_dwon":{"gte":100}}', { found: rows({}, {}, {}) });
    expect(doubt).toMatchObject({ verdict: "warn", message: "no offer shows the field inet_dwon" });
  });
});
