// A bid that is raised unless another instance is much cheaper: what the search before it decides, and what it never prevents.
import { expect, test } from "vitest";
import { raiseUnlessCheaper } from "../../../../provisioner/act/raise-unless-cheaper.ts";
import type { OfferMarket } from "../../../../provisioner/fleet/offer-market.ts";
import type { Offer } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeDisk, fakeLog, type Journal, never, noPauses, ownMarket, vastError } from "../fakes.ts";
import { bidOffer, createAction, NOW, observation, query, SECOND, state, unknown } from "../plan/situation.ts";

const ID = 7835610;
const OWN_MACHINE = 4821;
const create = { ...createAction, bid: { factor: 1 }, maxDollarsPerHour: 0.5 };
const unless = { create, machineId: OWN_MACHINE, belowDollarsPerHour: 0.25 };
const raise = { kind: "raise_bid", id: ID, dollarsPerHour: 0.3, unless } as const;
const raised = { raisedBid: { instanceId: ID, dollarsPerHour: 0.3, at: NOW, times: 1, refused: null, cheaper: null } };
/** Its disk costs $0.01/h. */
interface Given {
  seen?: ReturnType<typeof observation>;
  before?: ReturnType<typeof state>;
  action?: typeof raise | { kind: "raise_bid"; id: number; dollarsPerHour: number };
  market?: Partial<OfferMarket>;
  pausedMs?: () => number;
}

async function outcome(
  search: () => Offer[],
  { seen, before = state(), action = raise, market, pausedMs }: Given = {},
) {
  const journal: Journal = [];
  const client = fakeClient(journal, { offers: search, changeBid: () => undefined });
  const clock = fakeClock(NOW);
  const { log, lines } = fakeLog();
  const parts = {
    client,
    clock,
    log,
    query: query(),
    market: { ...ownMarket(client, clock), ...market },
    recordsOf: async () => ({}),
    save: fakeDisk(journal).save,
    mayMutate: async () => true,
    pauses: pausedMs === undefined ? noPauses : { ...noPauses, totalMs: pausedMs },
  };
  const work = raiseUnlessCheaper(parts, action, "it is raised", seen ?? observation(), before, never);
  return { after: await clock.drive(work), journal, lines, ms: clock.now() - NOW };
}

test("it is not raised where another instance is cheaper, and the price and the log say so", async () => {
  const { after, journal, lines } = await outcome(() => [bidOffer(1, 0.2)]);
  expect(journal).toEqual(["search"]);
  expect(after).toEqual(state({ raisedBid: { ...raised.raisedBid, cheaper: expect.closeTo(0.21) } }));
  expect(lines.at(-1)).toMatchObject({
    instance: ID,
    msg: "the bid of instance 7835610 is not raised to $0.3000/h: another one costs $0.2100/h with its disk, and this one is replaced",
  });
});

const fails = () => {
  throw vastError("unavailable");
};
test.each<[string, () => Offer[], Given]>([
  ["no other is cheap enough", () => [bidOffer(1, 0.24)], {}],
  ["the first by the order is not, whatever the next one costs", () => [bidOffer(1, 0.3), bidOffer(2, 0.1)], {}],
  ["there is none", () => [], {}],
  ["the cheaper one is on the same machine", () => [bidOffer(OWN_MACHINE, 0.1)], {}],
  ["the search fails", fails, {}],
  ["other pods rent what is cheaper", () => [bidOffer(1, 0.1)], { market: { reserve: async () => false } }],
])("it is raised where %s", async (_, search, given) => {
  const { after, journal } = await outcome(search, given);
  expect(journal).toEqual(["search", "save", `bid ${ID}`]);
  expect(after).toEqual(state(raised));
});

test("it is raised without a search where no template is known, or nothing else is to be rented", async () => {
  const seen = observation([], { template: unknown() });
  const first = await outcome(fails, { seen, before: state({ template: null }) });
  const second = await outcome(fails, { action: { kind: "raise_bid", id: ID, dollarsPerHour: 0.3 } });
  for (const { journal } of [first, second]) expect(journal).toEqual(["save", `bid ${ID}`]);
});

test("a search that gets no answer holds the raise up for 8 s", async () => {
  const find: OfferMarket["find"] = (_search, _before, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(vastError("unavailable")), { once: true });
    });
  const { after, ms } = await outcome(() => [], { market: { find } });
  expect(after.raisedBid).toMatchObject({ dollarsPerHour: 0.3, cheaper: null });
  expect(ms).toBe(8 * SECOND);
});

test("nothing is decided after a pause, or by a list that has become too old meanwhile: the next pass looks again", async () => {
  let pausedMs = 0;
  const paused = await outcome(
    () => {
      pausedMs = 1;
      return [bidOffer(1, 0.3)];
    },
    { pausedMs: () => pausedMs },
  );
  const old = { ...observation(), listedAt: NOW - 21 * SECOND, shared: true as const };
  for (const { after, journal } of [paused, await outcome(() => [bidOffer(1, 0.3)], { seen: old })]) {
    expect(after).toEqual(state());
    expect(journal).toEqual(["search"]);
  }
});
