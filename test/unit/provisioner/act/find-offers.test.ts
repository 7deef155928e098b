import { describe, expect, test } from "vitest";
import { type FindOfferParts, findOffers } from "../../../../provisioner/act/find-offers.ts";
import type { FoundOffers, OfferMarket } from "../../../../provisioner/fleet/offer-market.ts";
import type { Ban } from "../../../../provisioner/model/observation.ts";
import { exclusionText } from "../../../../provisioner/search/exclusions.ts";
import { requirements } from "../../../../provisioner/search/requirements.ts";
import type { Offer } from "../../../../provisioner/vast/rows.ts";
import { never } from "../fakes.ts";
import { offer, query, state, template } from "../plan/situation.ts";

const needs = requirements(template, undefined, []);
const offers = (count: number, from = 1): Offer[] =>
  Array.from({ length: count }, (_, i) => offer({ id: from + i, machineId: 100 + from + i }));
const list = (found: readonly Offer[], over: Partial<FoundOffers> = {}): FoundOffers => ({
  offers: found,
  total: found.length,
  without: { hosts: [], machines: [] },
  own: false,
  sharedAt: 1,
  ...over,
});

/** What renting needs and finding does not. */
const UNUSED: Pick<OfferMarket, "reserve" | "settle" | "freed" | "look"> = {
  look: async () => [],
  reserve: async () => true,
  settle: async () => undefined,
  freed: async () => undefined,
};

/** What a pod finds on a market that answers these lists one after another, and what it asked for. */
async function findOn(
  lists: readonly FoundOffers[],
  before: FoundOffers | null = null,
  avoided: number[] = [],
  served = false,
  bans: readonly Ban[] = [],
  gone: readonly number[] = [],
) {
  const bodies: unknown[] = [];
  const asked: unknown[] = [];
  const left = [...lists];
  const answer = (question: unknown): FoundOffers => {
    asked.push(question);
    const next = left.shift();
    if (next === undefined) throw new Error("it asked once more");
    return next;
  };
  const market: OfferMarket = {
    find: async ({ shared }, earlier) => {
      bodies.push(shared.body);
      return answer(earlier === null ? "any" : `after ${earlier.sharedAt}`);
    },
    refuse: ({ sharedAt }) => void asked.push(`refused ${sharedAt}`),
    refill: (_, earlier) => void asked.push(`refill ${earlier === null ? "old ones" : `after ${earlier.sharedAt}`}`),
    findAlone: async ({ alone }) => {
      bodies.push(alone.body);
      return answer("alone");
    },
    ...UNUSED,
  };
  const memory = state({
    avoided: avoided.map((machineId) => ({ machineId, until: Number.MAX_SAFE_INTEGER, served })),
    goneOffers: gone.map((id) => ({ id, until: Number.MAX_SAFE_INTEGER })),
  });
  const choice = await findOffers(
    { market, query: query(), recordsOf: async () => ({}) },
    { ...needs, bans },
    memory,
    before,
    never.stop,
  );
  return { asked, bodies, ids: choice.offers.map(({ id }) => id), excluded: exclusionText(choice.exclusions) };
}

describe("the offers of a create", () => {
  test("are those of another pod's search, which is made again when it is old", async () => {
    expect((await findOn([list(offers(12), { total: 64 })])).asked).toEqual(["any", "refill old ones"]);
  });

  test("are searched for the next pods when fewer than twelve are left, while this one uses what there is", async () => {
    const { asked, ids } = await findOn([list(offers(1), { total: 64 })]);
    expect(asked).toEqual(["any", "refill after 1"]);
    expect(ids).toEqual([1]);
    expect((await findOn([list(offers(1), { total: 64, own: true })])).asked).toEqual(["any"]);
  });

  test("of a small market are enough while half of them is left", async () => {
    expect((await findOn([list(offers(4), { total: 8 })])).asked).toEqual(["any", "refill old ones"]);
    expect((await findOn([list(offers(3), { total: 8 })])).asked).toEqual(["any", "refill after 1"]);
  });

  test("do not exclude a machine where an instance served before it ended", async () => {
    const served = await findOn([list(offers(1), { own: true })], null, [7], true);
    expect(JSON.stringify(served.bodies)).not.toContain("machine_id");
    const unshared = list([], { own: true, sharedAt: null });
    const failed = await findOn([list(offers(1), { own: true })], unshared, [7]);
    expect(failed.bodies).toMatchObject([{ machine_id: { notin: [7] } }]);
  });

  test("are searched for all pods without what is banned, but with the machines that only this pod avoids", async () => {
    const banned: Ban = { kind: "machine", id: 5, reason: "it did not start" };
    const { bodies } = await findOn([list(offers(1))], null, [7], false, [banned]);
    expect(bodies).toMatchObject([{ machine_id: { notin: [5] } }]);
  });

  test("come in the order of expected cost with what is known of their machines, if that is wanted", async () => {
    const find = async () => list(offers(3), { own: true });
    const unused = { refill: () => undefined, refuse: () => undefined };
    const market: OfferMarket = { ...UNUSED, ...unused, find, findAlone: find };
    const asked: number[] = [];
    const recordsOf: FindOfferParts["recordsOf"] = async (found) => {
      asked.push(found.length);
      return { m101: { boots: 9, readyMs: 0, failures: 0, ends: 9, servedMs: 0 } };
    };
    const found = async (byExpectedCost: boolean) => {
      const parts = { market, query: { ...query(), byExpectedCost }, recordsOf };
      return (await findOffers(parts, needs, state(), null, never.stop)).offers.map(({ id }) => id);
    };
    expect(await found(false)).toEqual([1, 2, 3]);
    expect(asked).toEqual([]);
    expect(await found(true)).toEqual([2, 3, 1]);
    expect(asked).toEqual([3]);
  });

  test("count only where this pod may rent: its avoided machines are its own", async () => {
    const avoided = offers(12).map(({ machineId }) => machineId ?? 0);
    const { asked, ids } = await findOn([list(offers(12))], null, avoided);
    expect([asked, ids]).toEqual([["any", "refused 1"], []]);
  });

  const full = offers(64);
  test.each<[string, FoundOffers, number[]]>([
    ["that another pod has made", list([]), []],
    ["that leaves out what this pod avoids", list([], { without: { hosts: [], machines: [7] } }), [7, 8]],
    ["that is full, and left out the same", list(full, { without: { hosts: [], machines: [] } }), []],
  ])("are none after a search %s, which is not counted twice", async (_, found, avoided) => {
    const dear = { ...found, offers: found.offers.map((one) => ({ ...one, rentable: false })) };
    const { asked, ids } = await findOn([dear], null, avoided);
    expect([asked, ids]).toEqual([["any", "refused 1"], []]);
  });

  test.each<[string, FoundOffers, number[]]>([
    ["left out another host", list([], { without: { hosts: [3], machines: [] } }), []],
    ["left out another machine", list([], { without: { hosts: [], machines: [7, 8] } }), [7]],
    ["is full of what this pod avoids", list(offers(64).map((one) => ({ ...one, machineId: 7 }))), [7]],
    ["shows one that others are renting", list([], { total: 1 }), []],
  ])(
    "are searched anew, and then by this pod for itself, after one of another pod that %s",
    async (_, found, avoided) => {
      const alone = list([], { own: true, sharedAt: null, without: { hosts: [], machines: avoided } });
      const { asked, ids } = await findOn([found, { ...found, sharedAt: 2 }, alone], null, avoided);
      expect([asked, ids]).toEqual([["any", "after 1", "alone", "refused null"], []]);
    },
  );

  test("are searched by this pod for itself after its own search for all that is full of what it avoids", async () => {
    const shared = list(
      offers(64).map((one) => ({ ...one, machineId: 7 })),
      { own: true },
    );
    const alone = list(offers(1), { own: true, sharedAt: null });
    expect((await findOn([shared, alone], null, [7])).asked).toEqual(["any", "alone"]);
  });

  test("that this pod has just lost are no proof that there are none", async () => {
    const later = list(offers(1, 50), { sharedAt: 2, own: true });
    const { asked, ids } = await findOn([list(offers(1)), later], null, [], false, [], [1]);
    expect([asked, ids]).toEqual([["any", "after 1"], [50]]);
  });

  test("after lost ones are of a later search", async () => {
    const lost = list(offers(12), { sharedAt: 5 });
    expect((await findOn([list(offers(3), { sharedAt: 6 })], lost)).asked).toEqual(["after 5", "refill old ones"]);
    const unshared = list(offers(12), { own: true, sharedAt: null });
    expect((await findOn([list(offers(3), { own: true })], unshared)).asked).toEqual(["alone"]);
  });

  test("say how many are reserved", async () => {
    const reserved = list([], { total: 3, own: true });
    expect((await findOn([reserved])).excluded).toBe("3 that other pods are renting");
  });
});
