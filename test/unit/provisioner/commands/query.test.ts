import { describe, expect, test } from "vitest";
import type { OutputFormat } from "../../../../common/command.ts";
import { showQuery } from "../../../../provisioner/commands/query.ts";

function show(words: string[], options: { noDefault?: boolean; output?: OutputFormat; allowUnknown?: boolean } = {}) {
  const printed = { out: "", err: "" };
  const code = showQuery(
    words,
    { noDefault: false, output: "table", allowUnknown: false, ...options },
    {
      out: (text) => {
        printed.out += text;
      },
      err: (text) => {
        printed.err += text;
      },
      width: () => 50,
    },
  );
  return { code, ...printed };
}

describe("a query is printed", () => {
  test("as filters in JSON on one line, with the default filters", () => {
    expect(show(["gpu_ram>=24", "num_gpus=1"], { output: "json" })).toEqual({
      code: 0,
      out: '{"filters":{"verified":{"eq":true},"external":{"eq":false},"rentable":{"eq":true},"gpu_ram":{"gte":24000},"num_gpus":{"eq":"1"}}}\n',
      err: "",
    });
  });

  test("as a table, without the default filters with --no-default, and cut to the screen unless it is wide", () => {
    const words = ["dph<0.5", "geolocation in [SE,DE,FR,NL,FI,NO,DK,PL]"];
    const lines = (output: OutputFormat) => show(words, { noDefault: true, output }).out.split("\n");
    expect(lines("table").slice(0, 2)).toEqual(["FIELD        OPERATOR  VALUE", "dph_total    lt        0.5"]);
    expect(lines("table")[2]).toHaveLength(50);
    expect(lines("wide")[2]).toMatch(/^geolocation {2}in {8}.*"SE".*"PL"/);
    expect(show([""], { noDefault: true }).out).toBe("no filters: every offer fits\n");
  });

  test("as the names of its fields", () => {
    expect(show(["dph<0.5"], { noDefault: true, output: "name" }).out).toBe("dph_total\n");
  });

  test("with the options of a JSON query, to which no default filters are added", () => {
    const text = '{"num_gpus": {"eq": 1}, "order": [["dph_total", "asc"]]}';
    expect(JSON.parse(show([text], { output: "json" }).out)).toEqual({
      filters: { num_gpus: { eq: 1 } },
      order: [["dph_total", "asc"]],
    });
  });

  test("with its warnings on stderr, so that stdout stays JSON", () => {
    const { code, out, err } = show(["min_bid<1"], { noDefault: true, output: "json" });
    expect([code, out]).toEqual([0, '{"filters":{"min_bid":{"lt":"1"}}}\n']);
    expect(err).toBe(
      "Warning: the query: min_bid is the price of a bid, which is not what is billed: compare dph_total.\n",
    );
  });

  test("as an error when it has a field that the API does not know, unless that is allowed", () => {
    const text = ["gpu_nme=x"];
    expect(show(text, { noDefault: true })).toEqual({
      code: 2,
      out: "",
      err:
        "vast-provisioner: the query has the field gpu_nme, which the API does not know and ignores: did you mean gpu_name? " +
        "VAST_SEARCH_ALLOW_UNKNOWN=true sends it all the same.\n",
    });
    const { code, out, err } = show(text, { noDefault: true, output: "json", allowUnknown: true });
    expect([code, out]).toEqual([0, '{"filters":{"gpu_nme":{"eq":"x"}}}\n']);
    expect(err).toMatch(
      /^Warning: the query has the field gpu_nme: it is sent because of VAST_SEARCH_ALLOW_UNKNOWN=true/,
    );
  });

  test("as an error with what was probably meant instead of a field", () => {
    const remedy = (text: string) => /ignores: (.*) VAST_SEARCH_ALLOW_UNKNOWN/.exec(show([text]).err)?.[1];
    expect(remedy('{"order":[["expected_cost","asc"]]}')).toBe("did you mean VAST_SEARCH_ORDER=expected_cost?");
    expect(remedy('{"template_id":{"eq":4}}')).toBe('it takes a plain value, as in {"template_id": 1}.');
    expect(remedy("colour=blue")).toBe("correct its name, or remove it.");
  });

  test("without what is no filter and is not sent, with a warning", () => {
    const { out, err } = show(["num_gpus=1", "limit=5"], { noDefault: true, output: "json" });
    expect(out).toBe('{"filters":{"num_gpus":{"eq":"1"}}}\n');
    expect(err).toContain("limit is not a filter and is not sent");
    expect(show(["limit=5"], { noDefault: true }).out).toBe("no filters: every offer fits\n");
  });

  test("as only the default filters when it is empty", () => {
    expect(show([""], { noDefault: true, output: "json" }).out).toBe('{"filters":{}}\n');
  });

  test("as an error with its position when it is invalid", () => {
    const { code, out, err } = show(["gpu_name=RTX", "4090"], { output: "json" });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`at position 13, "4090": Unknown operator. Did you forget to quote your query? ''`);
  });

  test("as an error when it is missing", () => {
    expect(show([])).toMatchObject({ code: 2, out: "" });
  });
});
