import { describe, expect, test } from "vitest";
import { createPreview } from "../../../../provisioner/act/preview-create.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import type { CreateAction } from "../../../../provisioner/model/plan.ts";
import type { Offer } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeDisk, fakeLog, type Journal, noPauses, ownMarket, ownReadings, vastError } from "../fakes.ts";
import {
  createAction,
  desired,
  MINUTE,
  NOW,
  observation,
  offer,
  query,
  SECOND,
  state,
  template,
} from "../plan/situation.ts";

/** A pod that is asked again and again what it would rent. */
function preview(offers: () => Offer[], stop = new AbortController()) {
  const journal: Journal = [];
  const clock = fakeClock(NOW);
  const { log, lines } = fakeLog();
  const client = fakeClient(journal, { offers });
  const previewCreate = createPreview({
    client,
    market: ownMarket(client, clock),
    turns: { untilCreateIsNext: () => Promise.reject(new Error("no turn may be waited for")) },
    readings: ownReadings(client, clock),
    clock,
    log,
    desired,
    query: query({}, { order: [["dph_total", "asc"]] }),
    imageLogin: () => null,
    save: fakeDisk(journal).save,
    mayMutate: async () => true,
    recordsOf: async () => ({}),
    pauses: noPauses,
    nextCreateSlot: (notBefore) => notBefore,
  });
  const look = (create: CreateAction | null = createAction) => {
    const seen = observation([], { template: known(template), templateAt: clock.now() });
    return clock.drive(previewCreate(create, seen, state(), stop.signal));
  };
  const searches = () => journal.filter((entry) => entry === "search").length;
  const said = () => lines.flatMap(({ msg }) => (typeof msg === "string" && msg.startsWith("would rent") ? [msg] : []));
  return { look, clock, journal, searches, said, stop };
}

const CHEAP = offer({
  id: 5,
  machineId: 50,
  hostId: 500,
  gpuName: "RTX 4090",
  dollarsPerHour: 0.2,
  fields: { dph_total: 0.2 },
});
const DEAR = offer({
  id: 6,
  machineId: 60,
  hostId: 600,
  gpuName: "RTX 4090",
  dollarsPerHour: 0.4,
  fields: { dph_total: 0.4 },
});

describe("what a suppressed create would rent", () => {
  test("is the first offer that its own search finds, with the reason, and nothing is reserved, written or sent", async () => {
    const p = preview(() => [DEAR, CHEAP]);
    expect(await p.look()).toEqual({
      at: NOW,
      offer: { id: 5, hostId: 500, machineId: 50, gpu: "RTX 4090", dollarsPerHour: 0.2 },
      message:
        "would rent offer 5 (RTX 4090, $0.2000/h) on machine 50 of host 500: the first of 2 that can be taken, by dph_total",
    });
    expect(p.journal).toEqual(["search"]);
    expect(p.said()).toHaveLength(1);
  });

  test("has the reasons of the create where no offer can be taken", async () => {
    const p = preview(() => [offer({ rentable: false })]);
    expect(await p.look()).toMatchObject({
      offer: null,
      message: "would rent nothing: none of 1 offers can be taken: 1 not rentable",
    });
  });

  test("says so where the search is refused, and asks again", async () => {
    let refused = true;
    const p = preview(() => {
      if (refused) throw vastError("invalid");
      return [CHEAP];
    });
    expect((await p.look())?.message).toContain("would rent nothing: the API refuses the search");
    refused = false;
    await p.clock.advance(30 * SECOND);
    expect((await p.look())?.offer?.id).toBe(5);
  });

  test("is searched for after 30 s, then ever more rarely up to 10 min while nothing changes, and said once", async () => {
    const p = preview(() => [CHEAP]);
    const gaps: number[] = [];
    let last = NOW;
    for (let found = 0; gaps.length < 8; await p.clock.advance(SECOND)) {
      await p.look();
      if (p.searches() === found) continue;
      gaps.push(p.clock.now() - last);
      [found, last] = [p.searches(), p.clock.now()];
    }
    expect(gaps.map((gap) => gap / SECOND)).toEqual([0, 30, 60, 120, 240, 480, 600, 600]);
    expect(p.said()).toHaveLength(1);
  });

  test("is said again when another offer would be taken, and the searches are frequent again", async () => {
    let offers = [CHEAP];
    const p = preview(() => offers);
    await p.look();
    await p.clock.advance(30 * SECOND);
    offers = [DEAR];
    await p.look();
    await p.clock.advance(30 * SECOND);
    await p.look();
    expect(p.searches()).toBe(3);
    expect(p.said()).toEqual([expect.stringContaining("offer 5 "), expect.stringContaining("offer 6 ")]);
  });

  test("is searched for at once when another image or price is wanted, and when none was suppressed meanwhile", async () => {
    const p = preview(() => [CHEAP]);
    await p.look();
    await p.look({ ...createAction, maxDollarsPerHour: 0.3 });
    expect(p.searches()).toBe(2);
    expect(await p.look(null)).toBeNull();
    await p.look({ ...createAction, maxDollarsPerHour: 0.3 });
    expect(p.searches()).toBe(3);
  });

  test("is not what a search that the stop has ended did not find", async () => {
    const p = preview(() => {
      p.stop.abort();
      throw vastError("unavailable");
    });
    expect(await p.look()).toBeNull();
    expect(p.said()).toEqual([]);
    expect(p.clock.now()).toBeLessThan(NOW + MINUTE);
  });
});
