import { describe, expect, test } from "vitest";
import type { Bid } from "../../../../provisioner/model/bid.ts";
import { atBid } from "../../../../provisioner/search/bids.ts";
import { readQuery } from "../../../../provisioner/search/query.ts";
import { queryAlone, requirements, searchBody } from "../../../../provisioner/search/requirements.ts";
import { selectOffers } from "../../../../provisioner/search/select-offers.ts";
import type { Offer } from "../../../../provisioner/vast/rows.ts";
import { template } from "../plan/situation.ts";

/** As in a search for bids: the price of the GPUs is the smallest bid. */
function offer(id: number, smallest: number, over: object = {}): Offer {
  const disk = 0.01;
  const prices = { dph_base: smallest, min_bid: smallest, dph_total: smallest + disk, storage_total_cost: disk };
  const fields = { id, is_bid: true, disk_space: 100, direct_port_count: 9, duration: 1e7, ...prices, ...over };
  return { id, hostId: id, machineId: id, dollarsPerHour: smallest + disk, gpuName: "A", rentable: true, fields };
}
const query = readQuery('{"order":[["dph_total","asc"]]}');
const needs = (bid: Bid, most = 0.5) => requirements(template, most, [], bid);
const NOTHING = { avoided: [], goneOffers: [] };
const chosen = (offers: Offer[], bid: Bid, most?: number) => selectOffers(offers, query, needs(bid, most), NOTHING);

test("a search for bids is of that type, with the query's own conditions and the ceiling", () => {
  const body = searchBody(query, needs({ factor: 1.2 }), []);
  expect(body).toMatchObject({ type: "bid", dph_total: { lte: 0.5 }, order: [["dph_total", "asc"]] });
  expect(queryAlone(query, needs({ factor: 1.2 }))).toMatchObject({ type: "bid" });
  expect(searchBody(query, requirements(template, 0.5, []), [])).toMatchObject({ type: "on-demand" });
});

describe("an offer for a bid", () => {
  test("costs what is bid for it, and its disk", () => {
    const priced = atBid(offer(1, 0.1), { factor: 1.2 }, 0.5);
    expect(priced.bid).toBe(0.12);
    expect(priced.dollarsPerHour).toBeCloseTo(0.13, 10);
    expect(priced.fields).toMatchObject({ dph_base: 0.12, dph_total: priced.dollarsPerHour });
  });

  test("is bid for by the higher one of two smallest bids, and by the named one where it is not of a search for bids", () => {
    expect(atBid(offer(1, 0.1, { min_bid: 0.2 }), { factor: 1 }, 0.5).bid).toBe(0.2);
    expect(atBid(offer(1, 0.1, { min_bid: null }), { factor: 1 }, 0.5).bid).toBe(0.1);
    expect(atBid(offer(1, 0.3, { min_bid: 0.2, is_bid: false }), { factor: 1 }, 0.5).bid).toBe(0.2);
  });

  test("cannot be taken where no smallest bid or no price of the disk is shown", () => {
    const unknown = chosen([offer(1, 0.1, { min_bid: null, dph_base: null })], { factor: 1.2 });
    expect(unknown.offers).toEqual([]);
    expect(unknown.exclusions).toMatchObject([{ reason: "no_price" }]);
    const noDisk = offer(1, 0.1, { storage_total_cost: null, dph_total: null });
    expect(chosen([noDisk], { factor: 1.2 }).exclusions).toMatchObject([{ reason: "no_price" }]);
  });

  test("cannot be taken above the ceiling with its disk, nor above a fixed bid", () => {
    const offers = [offer(1, 0.1), offer(2, 0.3), offer(3, 0.495)];
    const factor = chosen(offers, { factor: 1.2 });
    expect(factor.offers.map(({ id, bid }) => [id, bid])).toEqual([
      [1, 0.12],
      [2, 0.36],
    ]);
    expect(factor.exclusions).toMatchObject([{ text: "above VAST_MAX_DPH", count: 1 }]);
    const fixed = chosen(offers, { dollarsPerHour: 0.2 });
    expect(fixed.offers.map(({ id, bid }) => [id, bid])).toEqual([[1, 0.2]]);
    expect(fixed.exclusions.map(({ text }) => text)).toContain("whose smallest bid is above VAST_BID");
  });

  test("meets the query's price by what is paid, not by the smallest bid", () => {
    const cheap = readQuery('{"dph_total":{"lte":0.12}}');
    expect(selectOffers([offer(1, 0.1)], cheap, needs({ factor: 1.2 }), NOTHING).offers).toEqual([]);
    expect(selectOffers([offer(1, 0.1)], cheap, needs({ factor: 1 }), NOTHING).offers).toHaveLength(1);
  });
});
