import { describe, expect, test } from "vitest";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { createOfferMarket, type OfferSearch } from "../../../../provisioner/fleet/offer-market.ts";
import type { Offer } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { fakeClient, type Journal } from "../fakes.ts";
import { NOW, offer, SECOND } from "../plan/situation.ts";

const without = { hosts: [], machines: [] };
const body = { num_gpus: { eq: 1 } };
const search: OfferSearch = { common: body, shared: { body, without }, alone: { body, without } };
const [first, second] = [offer({ id: 1, machineId: 71 }), offer({ id: 2, machineId: 72 })];

/** Two pods of one account. `offers` is what the API has. */
function market(offers: () => Offer[] = () => [first, second]) {
  const clock = fakeClock(NOW);
  const redis = sharedRedis(clock.now);
  const journal: Journal = [];
  const podOf = (label: string) =>
    createOfferMarket({
      client: fakeClient(journal, { offers }),
      clock,
      label,
      fleet: { redis: redis.connect(clock.sleep), keys: () => fleetKeys(9), token: label },
    });
  return { clock, redis, journal, one: podOf("one"), two: podOf("two") };
}
const idsOf = ({ offers }: { offers: readonly Offer[] }) => offers.map(({ id }) => id);

describe("the market of all pods", () => {
  test("is searched once for all that ask within 45 s", async () => {
    const { clock, journal, one, two } = market();
    expect(await one.find(search, null)).toMatchObject({ own: true, total: 2 });
    await clock.advance(45 * SECOND);
    expect(await two.find(search, null)).toMatchObject({ own: false, total: 2, offers: [first, second] });
    await clock.advance(1);
    expect(await two.find(search, null)).toMatchObject({ own: true });
    expect(journal).toEqual(["search", "search"]);
  });

  test("is one market for each search, whatever a pod must not rent", async () => {
    const { journal, one, two } = market();
    await one.find(search, null);
    const shared = { body: { ...body, machine_id: { notin: [5] } }, without: { hosts: [], machines: [5] } };
    expect(await two.find({ ...search, shared }, null)).toMatchObject({ own: false, without });
    expect(journal).toEqual(["search"]);
    await two.find({ ...search, common: { num_gpus: { eq: 2 } } }, null);
    expect(journal).toEqual(["search", "search"]);
  });

  test("is searched again when the offers before are not enough", async () => {
    const { clock, journal, one, two } = market();
    const before = await one.find(search, null);
    await clock.advance(SECOND);
    expect((await two.find(search, before)).sharedAt).toBe(NOW + SECOND);
    expect(await one.find(search, before)).toMatchObject({ own: false, sharedAt: NOW + SECOND });
    expect(journal).toEqual(["search", "search"]);
  });

  test("is searched again for the next pods when its offers get old or few, and by one pod", async () => {
    const { clock, journal, one, two } = market();
    const found = await one.find(search, null);
    await clock.advance(SECOND);
    two.refill(search, null);
    await clock.advance(0);
    expect(journal).toEqual(["search"]);
    for (const pod of [one, two]) pod.refill(search, found);
    await clock.advance(0);
    expect(journal).toEqual(["search", "search"]);
    await clock.advance(39 * SECOND);
    for (const pod of [one, two]) pod.refill(search, null);
    await clock.advance(0);
    expect(journal).toEqual(["search", "search", "search"]);
  });

  test("has a machine for one pod only: the others are not even shown it", async () => {
    const { one, two } = market();
    const found = await one.find(search, null);
    expect(await one.reserve(first, found)).toBe(true);
    expect(await two.reserve(first, found)).toBe(false);
    expect(await one.reserve(first, found)).toBe(true);
    expect(await two.find(search, null)).toMatchObject({ offers: [second], total: 2 });
    expect(idsOf(await one.find(search, null))).toEqual([1, 2]);
  });

  test("gives a machine back that was left", async () => {
    const { one, two } = market();
    const found = await one.find(search, null);
    await one.reserve(first, found);
    await two.settle(first, "left"); // not its own
    expect(await two.reserve(first, found)).toBe(false);
    await one.settle(first, "left");
    expect(await two.reserve(first, found)).toBe(true);
  });

  test("does not offer a rented machine again from the same list; a later list shows what is left of it", async () => {
    const { clock, one, two } = market();
    const found = await one.find(search, null);
    await one.reserve(first, found);
    await one.settle(first, "rented");
    expect(await two.reserve(first, found)).toBe(false);
    expect(await one.reserve(first, found)).toBe(false);
    await clock.advance(5 * SECOND);
    const soon = await two.find(search, found);
    expect(idsOf(soon)).toEqual([2]);
    await clock.advance(1);
    const later = await two.find(search, soon);
    expect(idsOf(later)).toEqual([1, 2]);
    expect(await two.reserve(first, later)).toBe(true);
  });

  test("does not offer a machine from an older list when an instance there was destroyed: its offers have new ids", async () => {
    const { clock, one, two } = market();
    const found = await one.find(search, null);
    await clock.advance(SECOND);
    await two.freed(71);
    await two.freed(null);
    expect(await one.reserve(first, found)).toBe(false);
    expect(idsOf(await one.find(search, null))).toEqual([2]);
    await clock.advance(6 * SECOND);
    expect(await one.reserve(first, await one.find(search, found))).toBe(true);
  });

  test("leaves a reservation alone when an instance on its machine is destroyed", async () => {
    const { one, two } = market();
    const found = await one.find(search, null);
    await one.reserve(first, found);
    await two.freed(71);
    expect(await one.reserve(first, found)).toBe(true);
    expect(await two.reserve(first, found)).toBe(false);
  });

  test("reserves nothing from a list that is older than 45 s", async () => {
    const { clock, one } = market();
    const found = await one.find(search, null);
    await clock.advance(45 * SECOND + 1);
    expect(await one.reserve(first, found)).toBe(false);
  });

  test("forgets the reservation of a pod that died", async () => {
    const { clock, one, two } = market();
    await one.reserve(first, await one.find(search, null));
    await clock.advance(91 * SECOND);
    expect(await two.reserve(first, await two.find(search, null))).toBe(true);
  });

  test("leaves it to the API who comes first while Redis is away", async () => {
    const { clock, redis, one, two } = market();
    redis.away = true;
    const found = await clock.drive(one.find(search, null));
    expect(found).toMatchObject({ own: true, sharedAt: null, offers: [first, second] });
    expect(await clock.drive(one.reserve(first, found))).toBe(true);
    expect(await clock.drive(two.reserve(first, found))).toBe(true);
    await clock.drive(two.settle(first, "rented"));
  });

  test("says what its search left out, and what the search of one pod for itself", async () => {
    const { one, two } = market();
    const [banned, avoided] = [
      { hosts: [9], machines: [5] },
      { hosts: [9], machines: [5, 6] },
    ];
    const limited = { ...search, shared: { body, without: banned }, alone: { body, without: avoided } };
    expect(await one.find(limited, null)).toMatchObject({ own: true, without: banned });
    expect(await two.find(search, null)).toMatchObject({ own: false, without: banned });
    expect(await one.findAlone(limited)).toMatchObject({ without: avoided });
  });

  test("shows a pod that rents nothing of a list a later one, and the others go on with theirs", async () => {
    const { clock, journal, one, two } = market();
    one.refuse(await one.find(search, null));
    await clock.advance(SECOND);
    expect(await two.find(search, null)).toMatchObject({ own: false, sharedAt: NOW });
    expect(await one.find(search, null)).toMatchObject({ own: true, sharedAt: NOW + SECOND });
    expect(journal).toEqual(["search", "search"]);
    one.refuse(await one.findAlone(search)); // not shared: forbids nothing
    expect(await one.find(search, null)).toMatchObject({ own: false, sharedAt: NOW + SECOND });
  });

  test("is looked at as a whole by one pod for all, reserved machines as well", async () => {
    const { journal, one, two } = market();
    await one.reserve(first, await one.find(search, null));
    expect(await one.look({ limit: 64 })).toEqual([first, second]);
    expect(await two.look({ limit: 64 })).toEqual([first, second]);
    expect(await two.look({ limit: 32 })).toEqual([first, second]);
    expect(journal).toEqual(["search", "search", "search"]);
  });

  test("can be searched by one pod for itself", async () => {
    const { journal, one, two } = market();
    await one.find(search, null);
    await two.reserve(second, await two.find(search, null));
    expect(await one.findAlone(search)).toEqual({ offers: [first], total: 2, without, own: true, sharedAt: null });
    expect(journal).toEqual(["search", "search"]);
  });
});

test("a pod without a fleet searches for itself each time, and leaves out what it avoids", async () => {
  const journal: Journal = [];
  const client = fakeClient(journal, { offers: () => [first] });
  const pod = createOfferMarket({ client, clock: fakeClock(NOW), label: "one", fleet: null });
  const alone = { body: { ...body, machine_id: { notin: [5] } }, without: { hosts: [], machines: [5] } };
  for (const _ of [1, 2])
    expect(await pod.find({ ...search, alone }, null)).toMatchObject({ own: true, without: alone.without });
  expect(client.searches).toEqual([alone.body, alone.body]);
});
