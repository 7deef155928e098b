import { describe, expect, test } from "vitest";
import { type CostInput, countCosts, type Money } from "../../../../provisioner/state/money.ts";
import { emptyState } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { HOUR, LABEL, MINUTE, NOW, observation, row, SECOND } from "../plan/situation.ts";

const ID = row().id;
const UNKNOWN = { list: { known: false, why: { message: "HTTP 502", account: null } } } as const;
/** A dollar an hour, ten cents of it for the disk. */
const priced = (over: Partial<Instance> = {}) => row({ dollarsPerHour: 1, diskDollarsPerHour: 0.1, ...over });

interface Look extends Partial<Omit<CostInput, "seen" | "now">> {
  /** Null: the list is unknown. */
  rows: readonly Instance[] | null;
  /** After NOW. */
  at: number;
  listedAt?: number;
}

/** The account after these looks. */
function counted(...looks: Look[]): Money {
  return looks.reduce((money, look) => step(money, look), emptyState(LABEL).money);
}

function step(money: Money, { rows, at, listedAt, publishedId = null, pendingDeletes = [] }: Look): Money {
  const asked = NOW + (listedAt ?? at);
  const seen = observation(rows ?? [], { listedAt: asked, ...(rows === null ? UNKNOWN : {}) });
  return countCosts(money, { seen, publishedId, pendingDeletes, now: NOW + at });
}

describe("what is paid", () => {
  test("is price x time between two lists that show the instance", () => {
    const money = counted(
      { rows: [priced()], at: 0 },
      { rows: [priced()], at: HOUR },
      { rows: [priced()], at: 3 * HOUR },
    );
    expect(money.paid).toBeCloseTo(3);
    expect(money.instances[ID]?.paid).toBeCloseTo(3);
    expect(money.since).toBe(NOW);
  });

  test("includes duplicates and instances that are being destroyed", () => {
    const both = [priced({ id: 1 }), priced({ id: 2, dollarsPerHour: 3 })];
    const pendingDeletes = [{ id: 2, reason: "duplicate", since: NOW, deleteSentAt: NOW }];
    const money = counted({ rows: both, at: 0 }, { rows: both, at: HOUR, pendingDeletes });
    expect(money.paid).toBeCloseTo(4);
  });

  test("begins with the create of an instance that was created while it is counted", () => {
    const money = counted({ rows: [], at: 0 }, { rows: [priced({ createdAt: NOW + HOUR })], at: 2 * HOUR });
    expect(money.paid).toBeCloseTo(1);
  });

  test("begins with the first list for an instance that was there before", () => {
    expect(counted({ rows: [priced()], at: 0 }).paid).toBe(0);
    expect(counted({ rows: [priced({ createdAt: null })], at: HOUR }).paid).toBe(0);
  });

  test("is the disk alone until the instance has run, and again while it is stopped", () => {
    const loading = priced({ actualStatus: "loading" });
    expect(counted({ rows: [loading], at: 0 }, { rows: [loading], at: HOUR }).paid).toBeCloseTo(0.1);
    const [ran, now] = [priced(), priced({ curState: "stopped" })];
    const money = counted({ rows: [ran], at: 0 }, { rows: [now], at: 1 }, { rows: [now], at: HOUR });
    expect(money.paid).toBeCloseTo(0.1, 3);
  });

  test.each(["offline", "unknown"])("is nothing while its host is %s, not even the disk", (actualStatus) => {
    const [ran, now] = [priced(), priced({ actualStatus })];
    const money = counted({ rows: [ran], at: 0 }, { rows: [now], at: 1 }, { rows: [now], at: HOUR });
    expect(money.paid).toBeCloseTo(0, 3);
  });

  test("is everything while the container of an instance that has run is down", () => {
    const exited = priced({ actualStatus: "exited" });
    const money = counted({ rows: [priced()], at: 0 }, { rows: [exited], at: 1 }, { rows: [exited], at: HOUR });
    expect(money.paid).toBeCloseTo(1);
  });

  test("is counted at the mean of both prices where the price has changed in between", () => {
    expect(counted({ rows: [priced()], at: 0 }, { rows: [priced({ dollarsPerHour: 2 })], at: HOUR }).paid).toBeCloseTo(
      1.5,
    );
  });

  test("is that of the GPUs while its server was published, and of the disk after that where a list shows that it was stopped", () => {
    const stopped = priced({ curState: "stopped" });
    const looks: Look[] = [
      { rows: [priced()], at: 0 },
      { rows: null, at: 2 * HOUR, publishedId: ID },
      { rows: [stopped], at: 3 * HOUR },
    ];
    expect(counted(...looks)).toMatchObject({ paid: expect.closeTo(2.1), wasted: expect.closeTo(0.1) });
    const neverServed = looks.map((look) => ({ ...look, publishedId: null }));
    expect(counted(...neverServed).paid).toBeCloseTo(3 * 0.55);
    const offline = priced({ actualStatus: "offline" });
    expect(counted(...looks.slice(0, 2), { rows: [offline], at: 3 * HOUR }).paid).toBeCloseTo(1.5);
  });

  test("is that of the GPUs from when its server was published, where it ran only then", () => {
    const loading = priced({ actualStatus: "loading" });
    const money = counted(
      { rows: [loading], at: 0 },
      { rows: null, at: HOUR },
      { rows: null, at: 3 * HOUR, publishedId: ID },
      { rows: [priced()], at: 3 * HOUR },
    );
    expect(money.paid).toBeCloseTo(2 + 0.55);
  });

  test("is counted for time in which the list was unknown or nobody looked, by the next list that shows the instance", () => {
    const unknown = counted({ rows: [priced()], at: 0 }, { rows: null, at: HOUR });
    expect(unknown.paid).toBe(0);
    expect(step(unknown, { rows: [priced()], at: 20 * HOUR }).paid).toBeCloseTo(20);
  });

  test("waits for a price: time without one is counted when the first comes", () => {
    const [free, known] = [priced({ dollarsPerHour: null, diskDollarsPerHour: null }), priced()];
    const without = counted({ rows: [free], at: 0 }, { rows: [free], at: HOUR });
    expect(without.paid).toBe(0);
    expect(step(without, { rows: [known], at: 2 * HOUR }).paid).toBeCloseTo(2);
    const later = counted({ rows: [known], at: 0 }, { rows: [free], at: HOUR });
    expect(later.paid).toBeCloseTo(1);
  });

  test("ends when the destroy of an instance that is gone was sent", () => {
    const pendingDeletes = [{ id: ID, reason: "duplicate", since: NOW, deleteSentAt: NOW + HOUR }];
    expect(counted({ rows: [priced()], at: 0 }, { rows: [], at: 3 * HOUR, pendingDeletes }).paid).toBeCloseTo(1);
  });

  test("ends for an instance that vanished when its server was last published", () => {
    const served = { publishedId: ID };
    const money = counted({ rows: [priced()], at: 0 }, { rows: null, at: HOUR, ...served }, { rows: [], at: 3 * HOUR });
    expect(money.paid).toBeCloseTo(1);
    expect(money.wasted).toBeCloseTo(0);
    expect(counted({ rows: [priced()], at: 0 }, { rows: [], at: HOUR }).paid).toBe(0);
  });

  test("goes on for an instance that a list has left out, and is not counted twice", () => {
    const mine = priced({ createdAt: NOW + MINUTE });
    const money = counted(
      { rows: [], at: 0 },
      { rows: [mine], at: HOUR },
      { rows: [], at: HOUR + MINUTE },
      { rows: [mine], at: HOUR + 2 * MINUTE },
    );
    expect(money.paid).toBeCloseTo(61 / 60);
  });

  test("does not change when the same list is counted again, and never falls", () => {
    const once = counted({ rows: [priced()], at: 0 }, { rows: [priced()], at: HOUR });
    const again = step(once, { rows: [priced()], at: HOUR + SECOND, listedAt: HOUR });
    expect(again.paid).toBe(once.paid);
    const older = step(again, { rows: [priced()], at: HOUR + SECOND, listedAt: MINUTE });
    expect(older.paid).toBe(once.paid);
  });

  test("forgets an instance an hour after it was gone, but not what it has cost", () => {
    const gone = counted({ rows: [priced()], at: 0 }, { rows: [priced()], at: HOUR }, { rows: [], at: 2 * HOUR });
    expect(Object.keys(gone.instances)).toEqual([`${ID}`]);
    const later = step(gone, { rows: [], at: 3 * HOUR + SECOND });
    expect(later.instances).toEqual({});
    expect(later.paid).toBeCloseTo(1);
  });
});

describe("what is wasted", () => {
  test("is the part in which no server of the instance was published", () => {
    const money = counted(
      { rows: [priced()], at: 0 },
      { rows: null, at: HOUR },
      { rows: null, at: 3 * HOUR, publishedId: ID },
      { rows: [priced()], at: 4 * HOUR },
    );
    expect(money.paid).toBeCloseTo(4);
    expect(money.wasted).toBeCloseTo(2);
  });

  test("is nothing while the server is published, also while the provisioner is not there", () => {
    const money = counted({ rows: [priced()], at: 0 }, { rows: [priced()], at: 9 * HOUR, publishedId: ID });
    expect(money.paid).toBeCloseTo(9);
    expect(money.wasted).toBeCloseTo(0);
  });

  test("includes everything that is paid for another instance than the published one", () => {
    const both = [priced({ id: 1 }), priced({ id: 2 })];
    const money = counted({ rows: both, at: 0 }, { rows: both, at: HOUR, publishedId: 1 });
    expect(money.wasted).toBeCloseTo(1);
  });

  test("is exact although a list is older than the pass that counts it", () => {
    const served = { publishedId: ID };
    const late = { rows: [priced()], at: HOUR, listedAt: HOUR - MINUTE, ...served };
    const first = counted({ rows: [priced()], at: 0 }, late);
    expect(first.wasted).toBeCloseTo(0);
    expect(step(first, { rows: [priced()], at: 2 * HOUR, ...served }).wasted).toBeCloseTo(0);
  });
});
