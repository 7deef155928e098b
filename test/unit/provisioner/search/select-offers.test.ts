import { describe, expect, test } from "vitest";
import { exclusionText } from "../../../../provisioner/search/exclusions.ts";
import { explainNoOffers } from "../../../../provisioner/search/explain-no-offers.ts";
import type { SearchQuery } from "../../../../provisioner/search/query.ts";
import { requirements } from "../../../../provisioner/search/requirements.ts";
import { selectOffers } from "../../../../provisioner/search/select-offers.ts";
import { HOUR, NOW, offer, query, state, template } from "../plan/situation.ts";

const ban = (id: number, kind: "host" | "machine" = "host") => ({ kind, id, reason: "start_timeout" });
const ids = (choice: ReturnType<typeof selectOffers>) => choice.offers.map((o) => o.id);
const excluded = (choice: ReturnType<typeof selectOffers>) => exclusionText(choice.exclusions);
const row = (id: number, fields: object) => offer({ id, fields: { ...fields } });

interface More {
  state?: object;
  ceiling?: number;
  bans?: ReturnType<typeof ban>[];
  query?: SearchQuery;
}
const choose = (offers: ReturnType<typeof offer>[], more: More = {}) =>
  selectOffers(offers, more.query ?? query(), requirements(template, more.ceiling, more.bans ?? []), state(more.state));

describe("the selection", () => {
  test("keeps the API's order when no order is requested", () => {
    expect(ids(choose([offer({ id: 3 }), offer({ id: 1 }), offer({ id: 2 })]))).toEqual([3, 1, 2]);
  });

  test("sorts the offers when the API did not", () => {
    const offers = [row(1, { dph_total: 0.5 }), row(2, {}), row(3, { dph_total: "0.4" }), row(4, { dph_total: 0.4 })];
    const order = (direction: string) => query({}, { order: [["dph_total", direction]] });
    expect(ids(choose(offers, { query: order("asc") }))).toEqual([3, 4, 1, 2]);
    expect(ids(choose(offers, { query: order("desc") }))).toEqual([1, 3, 4, 2]);
  });

  test("excludes offers that are not rentable", () => {
    const none = choose([offer({ rentable: false })]);
    expect(none.offers).toEqual([]);
    expect(excluded(none)).toBe("1 not rentable");
  });

  test("excludes banned hosts even if the search did not", () => {
    const offers = [offer({ id: 1, hostId: 5 }), offer({ id: 2, hostId: 6 })];
    expect(ids(choose(offers, { bans: [ban(5)] }))).toEqual([2]);
  });

  test("excludes a banned machine, but not other machines of its host", () => {
    const offers = [offer({ id: 1, hostId: 5, machineId: 50 }), offer({ id: 2, hostId: 5, machineId: 51 })];
    const choice = choose(offers, { bans: [ban(50, "machine"), ban(51)] });
    expect(ids(choice)).toEqual([2]);
    expect(excluded(choice)).toBe("1 on a banned machine");
  });

  test("excludes machines that failed within the last hour", () => {
    const avoided = [{ machineId: 1, until: NOW + HOUR, served: false }];
    const offers = [offer({ id: 1, machineId: 1 }), offer({ id: 2, machineId: 2 }), offer({ id: 3, machineId: null })];
    expect(ids(choose(offers, { state: { avoided } }))).toEqual([2, 3]);
  });

  describe("on a machine where an instance served and ended within the last hour", () => {
    const ended = (...machines: number[]) => ({
      avoided: machines.map((machineId) => ({ machineId, until: NOW + HOUR, served: true })),
    });
    const priced = (...prices: (number | null)[]) =>
      prices.map((dollarsPerHour, i) =>
        offer({ id: i + 1, machineId: i + 1, dollarsPerHour, fields: { dph_total: dollarsPerHour, dlperf: i } }),
      );
    const byPrice = query({}, { order: [["dph_total", "asc"]] });

    test("come after those that cost less than it with a quarter more", () => {
      const offers = priced(0.2, 0.24, 0.25, 0.26);
      expect(ids(choose(offers, { query: byPrice, state: ended(1) }))).toEqual([2, 1, 3, 4]);
      expect(ids(choose(offers, { query: byPrice, state: ended(1, 1) }))).toEqual([2, 3, 4, 1]);
      expect(ids(choose(offers, { query: byPrice, state: ended(1, 2) }))).toEqual([1, 3, 4, 2]);
    });

    test("are still taken where they are much cheaper, or alone", () => {
      expect(ids(choose(priced(0.1, 0.2), { query: byPrice, state: ended(1) }))).toEqual([1, 2]);
      expect(ids(choose(priced(0.1), { query: byPrice, state: ended(1, 1, 1) }))).toEqual([1]);
    });

    test("never come earlier than the order has them", () => {
      const byScore = query({}, { order: [["dlperf", "desc"]] });
      expect(ids(choose(priced(0.1, 0.5, 0.3), { query: byScore, state: ended(1) }))).toEqual([3, 2, 1]);
      expect(ids(choose(priced(0.1, 0.5, 0.3), { query: byScore, state: ended(2) }))).toEqual([3, 1, 2]);
    });

    test("come last without a price", () => {
      expect(ids(choose(priced(null, 0.2, 9), { state: ended(1) }))).toEqual([2, 3, 1]);
    });
  });

  test("excludes offers that were just found to be taken", () => {
    const goneOffers = [{ id: 1, until: NOW + 1 }];
    expect(ids(choose([offer({ id: 1 }), offer({ id: 2 })], { state: { goneOffers } }))).toEqual([2]);
  });

  test("excludes offers above the price ceiling, and offers without a price when there is a ceiling", () => {
    const offers = [
      offer({ id: 1, dollarsPerHour: 0.51 }),
      offer({ id: 2, dollarsPerHour: 0.5 }),
      offer({ id: 3, dollarsPerHour: null }),
    ];
    expect(ids(choose(offers, { ceiling: 0.5 }))).toEqual([2]);
    expect(ids(choose(offers))).toEqual([1, 2, 3]);
  });

  test.each([
    ["too small a disk", { disk_space: 31.9 }, { disk_space: 32 }, "1 with less than 32 GB of disk"],
    ["too few ports", { direct_port_count: 1 }, { direct_port_count: 2 }, "1 with fewer than 2 direct ports"],
    ["an end within a day", { duration: 86_000 }, { duration: 86_400.5 }, "1 that end within a day"],
  ])("excludes offers with %s, but not offers without the field", (_, bad, good, reason) => {
    const choice = choose([row(1, bad), row(2, good), row(3, {})]);
    expect(ids(choice)).toEqual([2, 3]);
    expect(excluded(choice)).toBe(reason);
  });

  test("does not check the duration when the query does", () => {
    expect(ids(choose([row(1, { duration: 60 })], { query: query({ duration: { gt: 0 } }) }))).toEqual([1]);
  });

  test("excludes offers that the API returned against the query, and names the condition", () => {
    const offers = [row(1, { gpu_ram: 16_000 }), row(2, { gpu_ram: 24_564 })];
    const choice = choose(offers, { query: query({ gpu_ram: { gte: 24_000 } }) });
    expect(ids(choice)).toEqual([2]);
    expect(excluded(choice)).toBe("1 that do not meet gpu_ram gte 24000 of VAST_SEARCH_QUERY");
  });

  test("counts each excluded offer once, by reason", () => {
    const offers = [
      offer({ id: 1 }),
      offer({ id: 2, rentable: false }),
      offer({ id: 3, hostId: 5 }),
      offer({ id: 4, dollarsPerHour: 0.9 }),
      offer({ id: 5, dollarsPerHour: 0.41 }),
    ];
    expect(excluded(choose(offers, { bans: [ban(5)], ceiling: 0.4 }))).toBe(
      "1 not rentable, 1 on a banned host, 2 above VAST_MAX_DPH (the cheapest $0.4100/h)",
    );
    const { exclusions } = choose(offers, { bans: [ban(5)], ceiling: 0.4 });
    expect(
      exclusions.map(({ reason, count, cheapestDollarsPerHour }) => [reason, count, cheapestDollarsPerHour]),
    ).toEqual([
      ["not_rentable", 1, 0.3164],
      ["banned_host", 1, 0.3164],
      ["price", 2, 0.41],
    ]);
  });

  test("knows no cheapest price where no excluded offer shows one", () => {
    const { exclusions } = choose([offer({ id: 1, dollarsPerHour: null })], { ceiling: 0.4 });
    expect(exclusions).toMatchObject([{ reason: "no_price", count: 1, cheapestDollarsPerHour: null }]);
  });
});

describe("why a search finds nothing", () => {
  const needs = requirements(template, 0.4, [ban(5)]);
  const why = (offers: ReturnType<typeof offer>[] | null) => explainNoOffers(offers, query(), needs, state());

  test("is the query itself when the query alone finds nothing", () => {
    expect(why([])).toMatch(/^VAST_SEARCH_QUERY finds no offer: loosen its filters \(.*32 GB of disk at any price/);
  });

  test("names each excluding condition, and the price of the cheapest offer", () => {
    const offers = [offer({ dollarsPerHour: 0.41 }), offer({ dollarsPerHour: 0.5 }), offer({ hostId: 5 })];
    expect(why(offers)).toBe(
      "no offer can be taken; VAST_SEARCH_QUERY alone finds 3: 2 above VAST_MAX_DPH (the cheapest $0.4100/h), 1 on a banned host",
    );
  });

  test("says that there may be more offers than the API returned", () => {
    expect(why(Array.from({ length: 64 }, () => offer({ hostId: 5 })))).toContain("64 or more: 64 on a banned host");
  });

  test("mentions offers that have appeared since", () => {
    expect(why([offer({ dollarsPerHour: 0.3 })])).toContain("alone finds 1: 1 appeared just now");
  });

  test("is not explained in detail when the API does not answer", () => {
    expect(why(null)).toContain("VAST_SEARCH_QUERY finds no offer: loosen its filters, or raise VAST_MAX_DPH");
  });
});
