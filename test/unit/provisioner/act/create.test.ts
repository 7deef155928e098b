import { describe, expect, test } from "vitest";
import type { Clock } from "../../../../common/clock.ts";
import { createOne } from "../../../../provisioner/act/create.ts";
import type { OfferMarket } from "../../../../provisioner/fleet/offer-market.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import type { Pauses } from "../../../../provisioner/observe/pauses.ts";
import type { Choice } from "../../../../provisioner/search/select-offers.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import {
  type ClientScript,
  fakeClient,
  fakeDisk,
  fakeLog,
  type Journal,
  never,
  noPauses,
  ownMarket,
  ownReadings,
  vastError,
} from "../fakes.ts";
import {
  createAction,
  desired,
  HOUR,
  LABEL,
  NOW,
  observation,
  offer,
  query,
  SECOND,
  state,
  template,
  unknown,
} from "../plan/situation.ts";

interface Setup extends ClientScript {
  state?: Partial<State>;
  seen?: object;
  maxDollarsPerHour?: number;
  full?: boolean;
  stop?: AbortSignal;
  imageLogin?: string | null;
  mayMutate?: boolean;
  pauses?: Pauses;
  market?: (own: OfferMarket) => OfferMarket;
  untilCreateIsNext?: (clock: Clock) => Promise<boolean>;
  /** How long the API takes to answer a create. */
  answerMs?: number;
  /** Called with the fence of a create before it is answered. */
  onCreate?: (mayBeSent: () => boolean, clock: Clock) => Promise<void>;
}

/** Runs one create attempt and answers everything that happened. */
async function attempt(setup: Setup) {
  const journal: Journal = [];
  const clock = fakeClock(NOW);
  const fake = fakeClient(journal, { offers: () => [offer()], ...setup });
  const slowly: typeof fake.createInstance = async (...request) => {
    await setup.onCreate?.(request[1], clock);
    await clock.sleep(setup.answerMs ?? 0);
    return fake.createInstance(...request);
  };
  const client =
    setup.answerMs === undefined && setup.onCreate === undefined ? fake : { ...fake, createInstance: slowly };
  const disk = fakeDisk(journal);
  disk.full = setup.full ?? false;
  const { log, lines } = fakeLog();
  const choices: (number | string)[][] = [];
  const parts = {
    client,
    recordsOf: async () => ({}),
    market: setup.market?.(ownMarket(client, clock)) ?? ownMarket(client, clock),
    turns: { untilCreateIsNext: async () => (await setup.untilCreateIsNext?.(clock)) ?? true },
    readings: ownReadings(client, clock),
    clock,
    log,
    desired,
    query: query({ gpu_name: { eq: "RTX 4090" } }),
    imageLogin: () => (setup.imageLogin === undefined ? "-u me -p token registry.example" : setup.imageLogin),
    save: disk.save,
    mayMutate: async () => setup.mayMutate ?? true,
    pauses: setup.pauses ?? noPauses,
    nextCreateSlot: (notBefore: number) => notBefore + 7 * SECOND,
    onOffers: ({ offers, exclusions }: Choice) =>
      choices.push([offers.length, ...exclusions.map(({ reason, count }) => `${count} ${reason}`)]),
  };
  const seen = observation([], { template: unknown(), templateAt: 0, ...setup.seen });
  const signals = { ...never, stop: setup.stop ?? never.stop };
  const action = { ...createAction, maxDollarsPerHour: setup.maxDollarsPerHour ?? null };
  const created = createOne(parts, action, seen, state(setup.state), signals);
  const { result, outcome } = await clock.drive(
    created.then(
      ({ state: after, outcome: came }) => ({ result: after as unknown, outcome: came as string | null }),
      (error: unknown) => ({ result: error, outcome: null }),
    ),
  );
  return { result, outcome, journal, client, disk, lines, choices };
}
const stateOf = (result: unknown) => result as State;
const fails = (error: Error) => () => {
  throw error;
};

describe("a create", () => {
  test("puts the intent on disk before the call, and the id after it", async () => {
    const { result, journal, disk } = await attempt({ create: () => 42 });
    expect(journal).toEqual(["template", "search", "save", "create 31415926", "save"]);
    expect(disk.saved[0]).toMatchObject({
      intent: { offerId: 31415926, hostId: 77001, machineId: 4821, label: LABEL, startedAt: NOW, contract: null },
      creates: [NOW],
    });
    expect(disk.saved[1]).toMatchObject({ intent: { contract: 42 }, creates: [NOW] });
    expect(result).toMatchObject({ intent: { contract: 42 } });
  });

  test("is not sent when the intent cannot be put on disk", async () => {
    const { result, journal } = await attempt({ create: () => 42, full: true });
    expect(result).toMatchObject({ code: "ENOSPC" });
    expect(journal).not.toContain("create 31415926");
  });

  test("is not sent when another provisioner holds the lease, and leaves no intent behind", async () => {
    const { result, journal, disk } = await attempt({ create: () => 42, mayMutate: false });
    expect(journal).toEqual(["template", "search", "save", "save"]);
    expect(disk.saved.at(-1)).toMatchObject({ intent: null, creates: [] });
    expect(result).toMatchObject({ intent: null, creates: [] });
  });

  test("that was not sent because its time was over leaves no intent behind, and no other offer is tried", async () => {
    const offers = () => [offer(), offer({ id: 2 })];
    const { outcome, result, journal, disk } = await attempt({ offers, create: fails(vastError("not_sent")) });
    expect(journal).toEqual(["template", "search", "save", "create 31415926", "save"]);
    expect(disk.saved.at(-1)).toMatchObject({ intent: null, creates: [] });
    expect(result).toMatchObject({ intent: null, creates: [], backoff: null });
    expect(outcome).toBe("create_interrupted");
  });

  test("is given up when the process was paused while it searched: somebody else may have created one", async () => {
    let totalMs = 0;
    const offers = () => {
      totalMs += HOUR;
      return [offer()];
    };
    const { outcome, journal } = await attempt({ offers, create: () => 42, pauses: { totalMs: () => totalMs } });
    expect(journal).toEqual(["template", "search"]);
    expect(outcome).toBe("create_interrupted");
  });

  test("is given up when the shared list is more than 20 s old by the end of the search", async () => {
    const by = (listedAt: number) => attempt({ create: () => 42, seen: { listedAt, shared: true } });
    expect((await by(NOW - 20 * SECOND)).outcome).toBe("created");
    const { outcome, journal } = await by(NOW - 20 * SECOND - 1);
    expect(journal).toEqual(["template", "search"]);
    expect(outcome).toBe("create_interrupted");
  });

  test("reserves a machine only when its turn is next, and not when others have come before it or the shared list is too old by then", async () => {
    const waiting = (ms: number, isNext = true) => {
      const reserved: number[] = [];
      const market = (own: OfferMarket): OfferMarket => ({
        ...own,
        async reserve(...of) {
          reserved.push(clockNow());
          return own.reserve(...of);
        },
      });
      let clockNow = () => NOW;
      const untilCreateIsNext = async (clock: Clock) => {
        clockNow = clock.now;
        await clock.sleep(ms);
        return isNext;
      };
      const seen = { listedAt: NOW, shared: true };
      return attempt({ create: () => 42, seen, market, untilCreateIsNext }).then(({ outcome }) => ({
        outcome,
        reserved,
      }));
    };
    expect(await waiting(8 * SECOND)).toEqual({ outcome: "created", reserved: [NOW + 8 * SECOND] });
    expect(await waiting(21 * SECOND)).toEqual({ outcome: "create_interrupted", reserved: [] });
    expect(await waiting(0, false)).toEqual({ outcome: "create_interrupted", reserved: [] });
  });

  test("has a window for sending that is open when it is called, and closes while it waits", async () => {
    const open: boolean[] = [];
    await attempt({
      create: () => 42,
      onCreate: async (mayBeSent, clock) => {
        open.push(mayBeSent());
        await clock.sleep(31 * SECOND);
        open.push(mayBeSent());
      },
    });
    expect(open).toEqual([true, false]);
  });

  test("sends template, image, label, disk and login as desired", async () => {
    const { client } = await attempt({ create: () => 42 });
    expect(client.requests).toEqual([
      {
        offerId: 31415926,
        templateHash: template.hash,
        image: desired.image,
        label: LABEL,
        diskSpace: 32,
        imageLogin: "-u me -p token registry.example",
      },
    ]);
  });

  test("leaves the login to the template with DOCKER_LOGIN=none", async () => {
    const { client } = await attempt({ create: () => 42, imageLogin: null });
    expect(client.requests[0]).not.toHaveProperty("imageLogin");
  });

  test("skips a host whose ban could not be written to Redis yet", async () => {
    const unwrittenBans = [{ kind: "host" as const, id: 5, reason: "start_timeout", instanceId: 1 }];
    const { client } = await attempt({ create: () => 42, state: { unwrittenBans }, seen: { bans: unknown() } });
    expect(client.searches[0]).toMatchObject({ host_id: { notin: [5] } });
  });

  test("searches for the disk that it will request, without banned hosts, below the ceiling", async () => {
    const bans = known([{ kind: "host", id: 5, reason: "start_timeout" }]);
    const { client } = await attempt({ create: () => 42, seen: { bans }, maxDollarsPerHour: 0.5 });
    expect(client.searches).toEqual([
      {
        limit: 64,
        type: "on-demand",
        gpu_name: { eq: "RTX 4090" },
        allocated_storage: 32,
        host_id: { notin: [5] },
        dph_total: { lte: 0.5 },
        direct_port_count: { gte: 2 },
        duration: { gte: 86_400 },
      },
    ]);
  });

  test("takes the template's current hash, not the one in the state", async () => {
    const { client, result } = await attempt({ create: () => 42, template: () => ({ ...template, hash: "new" }) });
    expect(client.requests[0]?.templateHash).toBe("new");
    expect(stateOf(result).template).toMatchObject({ hash: "new", seenAt: NOW });
  });

  test("does not read a template again that the pass has just read", async () => {
    const { journal } = await attempt({ create: () => 42, seen: { template: known(template), templateAt: NOW } });
    expect(journal).not.toContain("template");
  });

  test("reads a template again that was read a while ago", async () => {
    const { journal } = await attempt({
      create: () => 42,
      seen: { template: known(template), templateAt: NOW - 15_000 },
    });
    expect(journal).toContain("template");
  });

  test("creates nothing without a template", async () => {
    const { result, journal } = await attempt({ template: () => null });
    expect(journal).toEqual(["template"]);
    expect(stateOf(result).backoff).toMatchObject({ reason: "create_refused" });
    expect(stateOf(result).backoff?.message).toContain("VAST_TEMPLATE_NAME");
  });
});

describe("offers", () => {
  const three = () => [offer({ id: 1, machineId: 1 }), offer({ id: 2, machineId: 2 }), offer({ id: 3, machineId: 3 })];
  const goneUntil = (id: number) => (offerId: number) => {
    if (offerId < id) throw vastError("offer_gone", { slug: "no_such_ask" });
    return 42;
  };

  test("that are gone are skipped without using the budget", async () => {
    const { result, journal } = await attempt({ offers: three, create: goneUntil(3) });
    expect(journal.filter((entry) => entry.startsWith("create"))).toEqual(["create 1", "create 2", "create 3"]);
    expect(result).toMatchObject({ creates: [NOW], intent: { offerId: 3, contract: 42 }, avoided: [] });
    expect(stateOf(result).goneOffers.map((gone) => gone.id)).toEqual([1, 2]);
  });

  test("that are gone leave no intent behind on disk while the next is tried", async () => {
    const { disk } = await attempt({ offers: three, create: goneUntil(2) });
    expect(disk.saved.map((m) => m.intent?.offerId ?? null)).toEqual([1, null, 2, 2]);
  });

  test("are tried five at most from one search, and then searched afresh at once", async () => {
    const many = () => [1, 2, 3, 4, 5, 6, 7].map((id) => offer({ id, machineId: id }));
    const { result, journal } = await attempt({ offers: many, create: goneUntil(7) });
    const calls = journal.filter((entry) => entry !== "save");
    expect(calls.slice(1, 7)).toEqual(["search", "create 1", "create 2", "create 3", "create 4", "create 5"]);
    expect(calls.slice(7)).toEqual(["search", "create 6", "create 7"]);
    expect(result).toMatchObject({ intent: { contract: 42 }, backoff: null });
  });

  test("that others always take first make a short wait after three searches", async () => {
    let id = 0;
    const fresh = () => Array.from({ length: 6 }, () => offer({ id: ++id, machineId: id }));
    const { result, journal } = await attempt({ offers: fresh, create: goneUntil(99) });
    expect(journal.filter((entry) => entry === "search")).toHaveLength(3);
    expect(journal.filter((entry) => entry.startsWith("create"))).toHaveLength(15);
    expect(result).toMatchObject({ creates: [], intent: null, backoff: { reason: "offers_lost", until: NOW + 5000 } });
  });

  test("are not tried for longer than a minute and a half, so that a slow API does not make the program seem hung", async () => {
    let id = 0;
    const fresh = () => Array.from({ length: 6 }, () => offer({ id: ++id, machineId: id }));
    const { result, journal } = await attempt({ offers: fresh, create: goneUntil(99), answerMs: 20 * SECOND });
    expect(journal.filter((entry) => entry.startsWith("create"))).toHaveLength(5);
    expect(journal.filter((entry) => entry === "search")).toHaveLength(1);
    expect(result).toMatchObject({ creates: [], intent: null, backoff: { reason: "offers_lost" } });
  });

  test("that a list still shows after they were lost make a short wait, not the long one of an empty market", async () => {
    const { result, journal } = await attempt({ offers: three, create: goneUntil(99) });
    expect(journal.filter((entry) => entry === "search")).toHaveLength(2);
    expect(stateOf(result).backoff).toMatchObject({
      reason: "offers_lost",
      until: NOW + 5000,
      message: "none of 3 offers can be taken: 3 just taken by somebody else",
    });
  });

  test("that were found taken, or whose machine failed, are not tried", async () => {
    const avoided = [{ machineId: 2, until: NOW + HOUR, served: false }];
    const goneOffers = [{ id: 1, until: NOW + HOUR }];
    const { journal } = await attempt({ offers: three, create: () => 42, state: { avoided, goneOffers } });
    expect(journal).toContain("create 3");
  });

  test("that do not exist make the next search wait, and the message names the remedy", async () => {
    const { result, journal } = await attempt({ offers: () => [] });
    expect(journal).toEqual(["template", "search", "search"]);
    expect(stateOf(result).backoff).toMatchObject({ reason: "no_offer" });
    expect(stateOf(result).backoff?.message).toContain("VAST_SEARCH_QUERY");
  });

  test("that only our own conditions exclude are counted by condition, with one more call", async () => {
    const answers = [[], [offer({ id: 1, hostId: 5 }), offer({ id: 2, dollarsPerHour: 0.41 })]];
    const bans = known([{ kind: "host" as const, id: 5, reason: "start_timeout" }]);
    const { result, client, choices } = await attempt({
      offers: () => answers.shift() ?? [],
      seen: { bans },
      maxDollarsPerHour: 0.4,
    });
    expect(client.searches[1]).toEqual({
      type: "on-demand",
      gpu_name: { eq: "RTX 4090" },
      allocated_storage: 32,
      order: [["dph_total", "asc"]],
      limit: 64,
    });
    expect(stateOf(result).backoff?.message).toBe(
      "no offer can be taken; VAST_SEARCH_QUERY alone finds 2: 1 on a banned host, 1 above VAST_MAX_DPH (the cheapest $0.4100/h)",
    );
    expect(choices).toEqual([[0], [0, "1 banned_host", "1 price"]]);
  });

  test("that were found and rejected cost no further call: the message counts them", async () => {
    const found = () => [offer({ id: 1, rentable: false }), offer({ id: 2, fields: { direct_port_count: 0 } })];
    const { result, journal } = await attempt({ offers: found });
    expect(journal).toEqual(["template", "search"]);
    expect(stateOf(result).backoff?.message).toBe(
      "none of 2 offers can be taken: 1 not rentable, 1 with fewer than 2 direct ports",
    );
  });

  test("wait as long when the call that explains why fails", async () => {
    let searches = 0;
    const offers = () => {
      searches += 1;
      if (searches === 2) throw vastError("unavailable", { status: 502 });
      return [];
    };
    const { result } = await attempt({ offers });
    expect(stateOf(result).backoff).toMatchObject({ reason: "no_offer" });
    expect(stateOf(result).backoff?.message).toContain("loosen its filters");
  });

  test("are not tried any more when the program is asked to stop", async () => {
    const stop = new AbortController();
    const create = () => {
      stop.abort();
      throw vastError("offer_gone");
    };
    const { result, journal } = await attempt({ offers: three, create, stop: stop.signal });
    expect(journal.filter((entry) => entry.startsWith("create"))).toEqual(["create 1"]);
    expect(result).toMatchObject({ intent: null, creates: [] });
  });
});

describe("a call before the create", () => {
  test("that the API refuses names the setting to check", async () => {
    const search = await attempt({ offers: fails(vastError("invalid")) });
    expect(stateOf(search.result).backoff).toMatchObject({ reason: "create_refused" });
    expect(stateOf(search.result).backoff?.message).toMatch(/refuses the search: check VAST_SEARCH_QUERY.*it said so/);
    const asked = await attempt({ template: fails(vastError("invalid")) });
    expect(stateOf(asked.result).backoff?.message).toMatch(/refuses to return the template: check VAST_TEMPLATE_NAME/);
  });

  test.each(["unavailable", "malformed"] as const)(
    "whose answer is %s is tried again soon, and blames no setting",
    async (kind) => {
      for (const script of [{ offers: fails(vastError(kind)) }, { template: fails(vastError(kind)) }]) {
        const { backoff } = stateOf((await attempt(script)).result);
        expect(backoff).toMatchObject({ reason: "create_rate_limited", until: NOW + 5 * SECOND });
        expect(backoff?.message).not.toContain("check");
      }
    },
  );
});

test("a rate-limited create is sent again in the pod's slot, after the lock-out", async () => {
  const refused = await attempt({ create: fails(vastError("rate_limited", { status: 429, retryAfterMs: 4500 })) });
  expect(stateOf(refused.result).backoff?.until).toBe(NOW + 12 * SECOND + 7 * SECOND);
  const late = await attempt({ create: fails(vastError("rate_limited", { status: 429, retryAfterMs: 17_000 })) });
  expect(stateOf(late.result).backoff?.until).toBe(NOW + 17 * SECOND + 7 * SECOND);
});

describe("a create that goes wrong", () => {
  test.each([
    ["a gateway error", vastError("unavailable", { status: 502 })],
    ["a timeout", vastError("unavailable", { status: null, slug: "timeout" })],
    ["an unreadable success", vastError("malformed", { status: 200 })],
  ])("keeps intent and budget when its outcome is unknown: %s", async (_, error) => {
    const { result, journal, disk } = await attempt({ create: fails(error) });
    expect(result).toMatchObject({ intent: { contract: null }, creates: [NOW], backoff: null });
    expect(disk.saved.at(-1)).toMatchObject({ intent: { contract: null } });
    expect(journal.filter((entry) => entry.startsWith("create"))).toHaveLength(1);
  });

  test.each([
    ["rate_limited", vastError("rate_limited", { status: 429 }), "create_rate_limited"],
    ["never sent", vastError("unavailable", { status: null, reached: false }), "create_rate_limited"],
    ["invalid", vastError("invalid"), "create_refused"],
    ["not found", vastError("not_found", { status: 404 }), "create_refused"],
  ])("gives the budget back and waits when nothing was created: %s", async (_, error, reason) => {
    const { result } = await attempt({ create: fails(error) });
    expect(result).toMatchObject({ intent: null, creates: [], backoff: { reason }, account: null, avoided: [] });
    expect(stateOf(result).backoff?.message).toContain("it said so");
  });

  test.each(["auth", "two_factor", "no_credit", "spend_limit"] as const)(
    "pauses the account, blames no machine and gives the budget back: %s",
    async (trouble) => {
      const { result, journal } = await attempt({ create: fails(vastError(trouble)) });
      expect(result).toMatchObject({ intent: null, creates: [], backoff: null, avoided: [], account: { trouble } });
      expect(journal.filter((entry) => entry.startsWith("destroy"))).toEqual([]);
    },
  );

  test("destroys a contract that a failure names, with a pending delete on disk first", async () => {
    const { result, journal, disk } = await attempt({ create: fails(vastError("invalid", { contract: 42 })) });
    expect(journal.slice(2)).toEqual(["save", "create 31415926", "save", "destroy 42", "save"]);
    expect(disk.saved[1]).toMatchObject({ pendingDeletes: [{ id: 42, reason: "create_failed", deleteSentAt: null }] });
    expect(result).toMatchObject({ intent: null, creates: [NOW], pendingDeletes: [{ id: 42, deleteSentAt: NOW }] });
  });

  test("destroys a contract that a failure names even if the outcome would be unknown without it", async () => {
    const error = vastError("unavailable", { status: 500, contract: 42 });
    expect((await attempt({ create: fails(error) })).journal).toContain("destroy 42");
  });

  test("avoids the machine of a contract that a failed create left, and pauses for the account's trouble", async () => {
    const { result } = await attempt({ create: fails(vastError("no_credit", { contract: 42 })) });
    expect(stateOf(result).avoided).toMatchObject([{ machineId: 4821 }]);
    expect(stateOf(result).account).toMatchObject({ trouble: "no_credit" });
  });

  test("keeps a contract whose destroy fails too", async () => {
    const { result } = await attempt({
      create: fails(vastError("invalid", { contract: 42 })),
      destroy: fails(vastError("rate_limited", { status: 429 })),
    });
    expect(stateOf(result).pendingDeletes).toMatchObject([{ id: 42, deleteSentAt: null }]);
  });

  test("keeps the intent when the program itself fails: the call may have been made", async () => {
    const { result, disk } = await attempt({ create: fails(new TypeError("an internal error")) });
    expect(result).toBeInstanceOf(TypeError);
    expect(disk.saved.at(-1)).toMatchObject({ intent: { contract: null } });
  });
});

describe("what came of a create", () => {
  const stopping = () => {
    const stop = new AbortController();
    const create = () => {
      stop.abort();
      throw vastError("offer_gone");
    };
    return { offers: () => [offer({ id: 1 }), offer({ id: 2, machineId: 2 })], create, stop: stop.signal };
  };
  test.each<[string, Setup]>([
    ["created", { create: () => 42 }],
    ["create_unresolved", { create: fails(vastError("unavailable", { status: 502 })) }],
    ["create_failed", { create: fails(vastError("no_credit", { contract: 42 })) }],
    ["account_no_credit", { create: fails(vastError("no_credit")) }],
    ["account_auth", { offers: fails(vastError("auth")) }],
    ["create_refused", { create: fails(vastError("invalid")) }],
    ["create_refused", { template: () => null }],
    ["create_rate_limited", { create: fails(vastError("rate_limited", { status: 429 })) }],
    ["no_offer", { offers: () => [] }],
    ["offers_lost", { create: fails(vastError("offer_gone")) }],
    ["create_interrupted", { mayMutate: false }],
    ["create_interrupted", stopping()],
    ["create_interrupted", { offers: fails(vastError("unavailable")), stop: AbortSignal.abort() }],
  ])("is %s", async (outcome, setup) => {
    expect((await attempt(setup)).outcome).toBe(outcome);
  });
});

describe("before an offer is tried", () => {
  test.each(["template", "offers"] as const)(
    "a failed read of the %s pauses or waits without using budget",
    async (what) => {
      const auth = await attempt({ [what]: fails(vastError("auth")) });
      expect(auth.result).toMatchObject({ account: { trouble: "auth" }, creates: [], intent: null });
      const away = await attempt({ [what]: fails(vastError("unavailable")) });
      expect(away.result).toMatchObject({ backoff: { reason: "create_rate_limited" }, creates: [], intent: null });
    },
  );

  test("a search that is aborted because the program stops is no failure", async () => {
    const { result } = await attempt({ offers: fails(vastError("unavailable")), stop: AbortSignal.abort() });
    expect(result).toMatchObject({ backoff: null });
  });

  test("the log never carries the registry login", async () => {
    const { lines } = await attempt({ create: fails(vastError("invalid")) });
    expect(JSON.stringify(lines)).not.toContain("token");
  });
});

describe("a create of a pod that shares the market", () => {
  /** A market of two offers, the first of which `reserve` refuses; the journal has what is settled. */
  async function onMarket(setup: Setup, reserves: (offerId: number) => boolean = () => true) {
    const settled: string[] = [];
    const result = await attempt({
      offers: () => [offer({ id: 1, machineId: 71 }), offer({ id: 2, machineId: 72 })],
      ...setup,
      market: (own) => ({
        ...own,
        reserve: async ({ id }) => reserves(id),
        settle: async ({ id }, fate) => void settled.push(`${id} ${fate}`),
      }),
    });
    return { ...result, settled };
  }

  test("takes the next offer when another pod is about to rent the first", async () => {
    const { journal, settled, outcome } = await onMarket({ create: () => 42 }, (id) => id !== 1);
    expect(journal).toEqual(["template", "search", "save", "create 2", "save"]);
    expect(settled).toEqual(["2 rented"]);
    expect(outcome).toBe("created");
  });

  test("searches again when all are reserved, and does not say that there is no offer", async () => {
    const { journal, outcome } = await onMarket({}, () => false);
    expect(journal.filter((one) => one === "search")).toHaveLength(3);
    expect(outcome).toBe("offers_lost");
  });

  test.each([
    ["that is gone leaves the machine to nobody", fails(vastError("offer_gone")), ["1 rented", "2 rented"], 2],
    ["that is refused leaves the machine to others", fails(vastError("invalid")), ["1 left"], 1],
    ["without an answer keeps the machine", fails(vastError("unavailable", { status: 502 })), ["1 unknown"], 1],
    ["that left a contract takes it", fails(vastError("invalid", { contract: 9 })), ["1 rented"], 1],
  ])("%s", async (_, create, expected, searches) => {
    const { settled, journal } = await onMarket({ create, destroy: () => undefined });
    expect(settled.slice(0, 2)).toEqual(expected);
    expect(journal.filter((one) => one === "search")).toHaveLength(searches);
  });
});
