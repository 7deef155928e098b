import { expect, test } from "vitest";
import { foreseeBid } from "../../../../provisioner/act/foresee-bid.ts";
import { bidNow } from "../../../../provisioner/state/bids.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import type { Offer } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeLog, type Journal, never, ownMarket, vastError } from "../fakes.ts";
import { bidOffer, createAction, desired, NOW, observation, query, SECOND, state, unknown } from "../plan/situation.ts";

const create = { ...createAction, bid: { factor: 1 }, maxDollarsPerHour: 0.2 };
/** The state of a waiting pod after it has looked at these offers, and what it asked the API. */
async function foresee(search: () => Offer[], before: State = state(), seen = observation()) {
  const journal: Journal = [];
  const client = fakeClient(journal, { offers: search });
  const clock = fakeClock(NOW);
  const { log } = fakeLog();
  const market = ownMarket(client, clock);
  const parts = { clock, log, desired, query: query(), market, recordsOf: async () => ({}) };
  return { after: await foreseeBid(parts, create, seen, before, never.stop), journal };
}

test("a bid that is below all offers has failed: the pod waits as after a search of its own, and bids no more after three", async () => {
  let memory = state();
  for (const failures of [1, 2, 3]) {
    const { after } = await foresee(() => [bidOffer(1, 0.3)], memory);
    expect(after.bidFailures).toHaveLength(failures);
    expect(after.backoff).toMatchObject({
      reason: "no_offer",
      failures,
      until: NOW + 30 * SECOND * 2 ** (failures - 1),
      message: expect.stringContaining("none of 1 offers can be taken: 1 above VAST_MAX_DPH"),
    });
    memory = after;
  }
  expect(bidNow(memory, { bid: { factor: 1 }, fallsBack: true })).toBeNull();
});

test("where nothing is offered at all, the message says what to do", async () => {
  const { after, journal } = await foresee(() => []);
  expect(after.backoff?.message).toMatch(/^VAST_SEARCH_QUERY finds no offer: loosen its filters/);
  expect(journal).toEqual(["search", "search"]);
});

test.each<[string, () => Offer[], State, ReturnType<typeof observation>]>([
  ["an offer is low enough", () => [bidOffer(1, 0.3), bidOffer(2, 0.1)], state(), observation()],
  [
    "the search fails",
    () => {
      throw vastError("unavailable");
    },
    state(),
    observation(),
  ],
  ["no template is known", () => [], state({ template: null }), observation([], { template: unknown() })],
])("where %s, nothing has failed", async (_, search, before, seen) => {
  expect((await foresee(search, before, seen)).after).toBe(before);
});
