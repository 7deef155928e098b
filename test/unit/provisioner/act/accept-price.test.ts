import { describe, expect, test } from "vitest";
import { createPriceAcceptance } from "../../../../provisioner/act/accept-price.ts";
import { NOTHING_READ } from "../../../../provisioner/model/account-view.ts";
import type { PriceIncrease } from "../../../../provisioner/vast/account-calls.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { type ClientScript, fakeClient, fakeLog, type Journal, vastError } from "../fakes.ts";
import { HOUR, MINUTE, NOW, observation, planned, row, servingTrack, state, tracks } from "../plan/situation.ts";

const ID = 7835610;
const priced = row({ dollarsPerHour: 1, diskDollarsPerHour: 0.2, endsAt: NOW + 20 * HOUR });
/** $1.20/h for the instance. */
const asked: PriceIncrease = { id: 3, instanceId: ID, factor: 1.25, gpuDollarsPerHour: 1, endsAt: null };
const never = new AbortController().signal;

interface Given {
  ceiling?: number;
  pending?: PriceIncrease[];
  script?: ClientScript;
  mayMutate?: boolean;
  image?: string;
}

function setup({
  ceiling = 1.2,
  pending = [asked],
  script = {},
  mayMutate = true,
  image = "example/app:2",
}: Given = {}) {
  const clock = fakeClock(NOW);
  const journal: Journal = [];
  const { log, lines } = fakeLog();
  const client = fakeClient(journal, { priceIncreases: () => pending, ...script });
  const seen = observation([{ ...priced, image }]);
  const plan = planned({ seen, state: state({ tracks: tracks(ID, servingTrack()) }) });
  const loop = { seen, plan, account: { ...NOTHING_READ, priceIncreases: pending } };
  const accept = createPriceAcceptance({
    client,
    clock,
    log,
    maxDollarsPerHour: ceiling,
    mayMutate: async () => mayMutate,
  });
  const accepted = () => journal.filter((line) => String(line).startsWith("accept"));
  return { loop, clock, journal, lines, accepted, look: () => accept(loop, never) };
}

describe("the price that a host asks for", () => {
  test("is accepted once where it is not above the ceiling, and is not pending any more", async () => {
    const { look, accepted, loop, lines } = setup();
    await look();
    await look();
    expect(accepted()).toEqual(["accept price 3"]);
    expect(loop.account.priceIncreases).toEqual([]);
    expect(lines[0]).toMatchObject({
      level: "info",
      event: "money",
      instance: ID,
      msg: "the host of instance 7835610 (RTX 4090, $1.000/h) asks for $1.200/h, which is not above VAST_MAX_DPH (1.2): it is accepted",
    });
  });

  test.each<[string, Given]>([
    ["above the ceiling", { ceiling: 1.19 }],
    ["that makes disk or traffic dearer as well", { pending: [{ ...asked, otherCosts: true }] }],
    ["for another instance", { pending: [{ ...asked, instanceId: 5 }] }],
    ["for an instance that is to be replaced", { image: "example/app:1" }],
    ["while another provisioner has the lease", { mayMutate: false }],
    ["that is higher by now", { script: { priceIncreases: () => [{ ...asked, factor: 2 }] } }],
    ["that is not announced any more", { script: { priceIncreases: () => [] } }],
  ])("is not accepted: one %s", async (_, given) => {
    const { look, accepted } = setup(given);
    await look();
    expect(accepted()).toEqual([]);
  });

  test("that the API does not accept is tried again ten minutes later, and the warning says why", async () => {
    const fails = () => {
      throw vastError("unavailable", { status: 502 });
    };
    const { look, accepted, clock, lines, loop } = setup({ script: { acceptPrice: fails } });
    await look();
    expect(lines.at(-1)).toMatchObject({ level: "warn", event: "money" });
    expect(loop.account.priceIncreases).toEqual([asked]);
    await clock.advance(9 * MINUTE);
    await look();
    expect(accepted()).toHaveLength(1);
    await clock.advance(MINUTE);
    await look();
    expect(accepted()).toHaveLength(2);
  });

  test("that somebody else has answered is not pending any more: nothing is wrong", async () => {
    const stale = () => {
      throw vastError("not_found", { status: 404, slug: "no_pending_price_increase" });
    };
    const { look, lines, loop } = setup({ script: { acceptPrice: stale } });
    await look();
    expect(lines.filter(({ level }) => level === "warn")).toEqual([]);
    expect(loop.account.priceIncreases).toEqual([]);
  });
});

describe("after it was accepted", () => {
  test("the list shows that the contract goes on", async () => {
    const { look, loop, lines } = setup();
    await look();
    loop.seen = observation([{ ...priced, endsAt: NOW + 720 * HOUR }]);
    await look();
    await look();
    const goesOn = lines.filter(({ msg }) => String(msg).includes("goes on until"));
    expect(goesOn).toHaveLength(1);
  });

  test("a warning comes where the list does not show it for ten minutes", async () => {
    const { look, loop, clock, lines } = setup();
    await look();
    await clock.advance(10 * MINUTE);
    await look();
    expect(lines.filter(({ level }) => level === "warn")).toEqual([]);
    await clock.advance(MINUTE);
    await look();
    await look();
    expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
    loop.seen = observation([{ ...priced, endsAt: NOW + 720 * HOUR }]);
    await look();
    expect(lines.at(-1)).toMatchObject({ level: "info", msg: expect.stringContaining("goes on until") });
  });

  test("the list shows it also where the call had no answer, and without an answer nothing says that it was accepted", async () => {
    const unanswered = () => {
      throw vastError("unavailable", {});
    };
    const { look, loop, clock, lines } = setup({ script: { acceptPrice: unanswered } });
    await look();
    loop.account = { ...loop.account, priceIncreases: [] };
    await clock.advance(11 * MINUTE);
    await look();
    expect(lines.filter(({ msg }) => String(msg).includes("was accepted, but"))).toEqual([]);
    loop.seen = observation([{ ...priced, endsAt: NOW + 720 * HOUR }]);
    await look();
    expect(lines.at(-1)).toMatchObject({ level: "info", msg: expect.stringContaining("goes on until") });
  });
});
