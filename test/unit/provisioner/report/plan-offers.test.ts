import { describe, expect, test } from "vitest";
import { needsCompleteSearch, planOffers } from "../../../../provisioner/report/plan-offers.ts";
import { MAX_ROWS, requirements } from "../../../../provisioner/search/requirements.ts";
import { offer, query, state, template } from "../plan/situation.ts";

const byPrice = query({}, { order: [["dph_total", "asc"]] });
const needs = requirements(template, 0.5, []);
const many = Array.from({ length: MAX_ROWS }, (_, i) => offer({ id: i + 1, machineId: i + 1, dollarsPerHour: 0.6 }));

describe("the offers of a plan", () => {
  test("are the first five in the order in which they are tried, with what an operator chooses by", () => {
    const fields = {
      num_gpus: 2,
      geolocation: "Sweden, SE",
      reliability2: 0.998,
      inet_down: 812.4,
      duration: 3_542_400,
    };
    const offers = planOffers(
      [3, 1, 2, 4, 5, 6].map((id) =>
        offer({ id, machineId: id, fields: { ...fields, dph_total: id / 10 }, dollarsPerHour: 0.1 }),
      ),
      null,
      byPrice,
      needs,
      state(),
    );
    expect(offers.best.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(offers.best[0]).toMatchObject({
      gpus: 2,
      gpu: "RTX 4090",
      place: "Sweden, SE",
      reliability: 0.998,
      downMbps: 812.4,
      seconds: 3_542_400,
    });
    expect(offers).toMatchObject({ found: 6, foundIsLeast: false, left: 6, leftIsLeast: false, order: "dph_total" });
  });

  test("say what an offer is taken to cost where instances ended on its machine", () => {
    const avoided = [{ machineId: 2, until: Number.MAX_SAFE_INTEGER, served: true }];
    const offers = [
      offer({ id: 1, machineId: 1, dollarsPerHour: 0.2 }),
      offer({ id: 2, machineId: 2, dollarsPerHour: 0.1 }),
    ];
    const { best } = planOffers(offers, null, query(), needs, state({ avoided }));
    expect(best.map(({ id, ranking }) => [id, ranking])).toEqual([
      [1, null],
      [2, { dollarsPerHour: 0.125, why: "an instance ended there within the last hour" }],
    ]);
  });

  test("show what an offer does not tell as unknown", () => {
    const { best } = planOffers(
      [offer({ fields: { reliability: null, geolocation: " " } })],
      null,
      byPrice,
      needs,
      state(),
    );
    expect(best[0]).toMatchObject({ gpus: null, place: null, reliability: null, downMbps: null, seconds: null });
  });

  test("say why the others cannot be taken, by what the query alone finds", () => {
    const complete = [offer({ id: 900, dollarsPerHour: 0.3 })];
    const offers = planOffers(many, complete, byPrice, needs, state());
    expect(offers).toMatchObject({ found: MAX_ROWS, foundIsLeast: true, left: 1, leftIsLeast: false });
    expect(offers.excluded).toMatchObject([{ reason: "price", count: MAX_ROWS, cheapestDollarsPerHour: 0.6 }]);
    expect(offers.best.map(({ id }) => id)).toEqual([900]);
  });

  test("need a second search where the first one does not show which one is taken", () => {
    expect(needsCompleteSearch([offer()], byPrice)).toBe(false);
    expect(needsCompleteSearch(many, byPrice)).toBe(true);
    expect(needsCompleteSearch([offer()], query())).toBe(true); // the API's own order
    expect(needsCompleteSearch([offer()], query({}, { order: [["dph_total", "asc"]], limit: 3 }))).toBe(true);
  });

  test("name the order", () => {
    const order = (options: object) => planOffers([], null, query({}, { ...options }), needs, state()).order;
    expect(
      order({
        order: [
          ["dlperf", "desc"],
          ["dph_total", "asc"],
        ],
      }),
    ).toBe("dlperf-, dph_total");
    expect(order({})).toBe("the API's own order");
  });
});
