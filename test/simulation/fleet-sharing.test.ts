// Twenty pods with one key, one address and one Redis start together: they share what they read, and no two try for one machine.
import { expect, test } from "vitest";
import { scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const PODS = 20;
// Without a limit of its own: a search finds as many as the API returns.
const QUERY = JSON.stringify({ rentable: { eq: true }, num_gpus: { eq: 1 }, order: [["dph_total", "asc"]] });

async function start(seed: number) {
  const env = { BLACKLIST_ENABLED: "true", VAST_SEARCH_QUERY: QUERY };
  const run = scenarioWith([], { faultyMinutes: 0, hours: 0.5, pods: PODS, seed, env });
  const { truth, requests } = await simulate(run, { startsAt: () => 0 });
  const made = truth.creates.filter((create) => create.made !== null);
  const count = (call: RegExp, is: (status: number) => boolean) =>
    requests.filter(({ method, path, status }) => call.test(`${method} ${path}`) && is(status ?? 0)).length;
  return {
    made: made.length,
    /** Creates for an offer that somebody else had rented. */
    lost: count(/^PUT .*\/asks\//, (status) => status >= 400 && status !== 429),
    searches: count(/^POST .*\/bundles\//, () => true),
    users: count(/users\/current/, () => true),
    prices: count(/pending-price-increases/, () => true),
    charges: count(/\/charges\//, () => true),
  };
}

test.each([1, 2])("twenty pods search a few times and lose no offer to each other (seed %i)", async (seed) => {
  const { made, lost, searches, users, prices, charges } = await start(seed);
  expect(made).toBe(PODS);
  expect(lost).toBe(0);
  // The first one, and another one after each 38 s.
  expect(searches).toBeLessThanOrEqual(PODS / 12 + 3);
  // For the account's id, and for its credit once in ten minutes.
  expect(users).toBeLessThanOrEqual(5);
  expect(prices).toBeLessThanOrEqual(4);
  expect(charges).toBeLessThanOrEqual(2);
});

test("twenty pods whose bids are all too low share the answer that none is enough, and then rent on demand", async () => {
  const env = {
    BLACKLIST_ENABLED: "true",
    VAST_INSTANCE_TYPE: "interruptible",
    VAST_MAX_DPH: "0.8",
    VAST_BID: "0.01",
    VAST_BID_FALLBACK: "ondemand",
  };
  const run = scenarioWith([], { faultyMinutes: 0, hours: 0.5, pods: PODS, env });
  const { truth, requests } = await simulate(run, { startsAt: () => 0 });
  const firstMade = Math.min(...truth.creates.map(({ at }) => at));
  const searches = requests.filter(
    ({ method, path, at }) => `${method} ${path}`.match(/^POST .*\/bundles\//) && Date.parse(at) < firstMade,
  );
  // Three attempts each, 30 and 60 s apart, of which none may count one list twice.
  expect(searches.length).toBeLessThanOrEqual(8);
  expect(truth.creates.filter(({ made }) => made !== null)).toHaveLength(PODS);
  const last = Math.max(...truth.creates.map(({ at }) => at));
  expect((last - truth.start) / 60_000).toBeLessThan(6);
});
