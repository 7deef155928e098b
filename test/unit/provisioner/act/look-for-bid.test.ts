import { expect, test } from "vitest";
import { lookForBid } from "../../../../provisioner/act/look-for-bid.ts";
import type { Offer } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeLog, never, ownMarket, vastError } from "../fakes.ts";
import { bidOffer, createAction, MINUTE, NOW, observation, query, state, unknown } from "../plan/situation.ts";

const fallback = { instanceIds: [5], since: NOW, looks: 0, attempts: 0, until: NOW, found: null };
const create = { ...createAction, bid: { factor: 1 }, maxDollarsPerHour: 0.2 };
/** The state after a look on a market with these offers. */
async function look(search: () => Offer[], seen = observation(), stop = never.stop, before = state({ fallback })) {
  const client = fakeClient([], { offers: search });
  const clock = fakeClock(NOW);
  const { log } = fakeLog();
  const parts = { clock, log, query: query(), market: ownMarket(client, clock), recordsOf: async () => ({}) };
  return await lookForBid(parts, create, seen, before, stop);
}

test("a look keeps the price of the first offer that is cheap enough, its disk included", async () => {
  const after = await look(() => [bidOffer(1, 0.3), bidOffer(2, 0.1)]);
  expect(after.fallback?.found).toEqual({ dollarsPerHour: expect.closeTo(0.11), at: NOW });
});

test.each<[string, () => Offer[], ReturnType<typeof observation>]>([
  ["no offer is cheap enough", () => [bidOffer(1, 0.3)], observation()],
  [
    "the search fails",
    () => {
      throw vastError("unavailable");
    },
    observation(),
  ],
])("where %s, the next look waits and nothing else changes", async (_, search, seen) => {
  const { fallback: after, ...rest } = await look(search, seen);
  expect(after).toMatchObject({ looks: 1, found: null, until: NOW + 15 * MINUTE });
  const { fallback: _before, ...unchanged } = state({ fallback });
  expect(rest).toEqual(unchanged);
});

test("without a template it searches nothing", async () => {
  const search = () => {
    throw new Error("it searches");
  };
  const noTemplate = state({ fallback, template: null });
  const after = await look(search, observation([], { template: unknown() }), never.stop, noTemplate);
  expect(after.fallback).toMatchObject({ looks: 1 });
});
