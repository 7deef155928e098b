// Where each law begins to report a breach, with hand-made truths. test/simulation shows that each law finds a planted bug.
import { describe, expect, test } from "vitest";
import type { ContractTruth, DestroyTruth, PodTruth, Truth } from "../../simulation/emulator-truth.ts";
import { bidCeiling } from "../../simulation/laws/bid-ceiling.ts";
import { budgetKept } from "../../simulation/laws/budget.ts";
import { contractEnds } from "../../simulation/laws/contract-ends.ts";
import { deadDropped } from "../../simulation/laws/dead-dropped.ts";
import { goodKept } from "../../simulation/laws/good-kept.ts";
import { moneyOf, moneySentence } from "../../simulation/laws/money.ts";
import { noLoop } from "../../simulation/laws/no-loop.ts";
import { nothingLeft } from "../../simulation/laws/nothing-left.ts";
import { offerFirst } from "../../simulation/laws/offer-first.ts";
import { oneOwner } from "../../simulation/laws/one-owner.ts";
import { orderedEnd } from "../../simulation/laws/ordered-end.ts";
import { othersUntouched } from "../../simulation/laws/others.ts";
import { priceCeiling } from "../../simulation/laws/price-ceiling.ts";
import { refusedOnce } from "../../simulation/laws/refused-once.ts";
import { servesOrEnds } from "../../simulation/laws/serves-or-ends.ts";
import { servingAgain } from "../../simulation/laws/serving-again.ts";
import { stoppedBid } from "../../simulation/laws/stopped-bid.ts";
import { twoInstances } from "../../simulation/laws/two-instances.ts";
import { typoUndone } from "../../simulation/laws/typo-undone.ts";
import { updateShown } from "../../simulation/laws/update-shown.ts";

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const LABEL = "k8s_pod=vast-pod-0";

/** A run of three hours, the first of which had faults. */
function truthOf(over: Partial<Truth> = {}, pod: Partial<PodTruth> = {}): Truth {
  return {
    start: 0,
    faultsEnd: HOUR,
    end: 3 * HOUR,
    pods: [
      {
        name: "vast-pod-0",
        label: LABEL,
        running: [{ from: 0, to: 3 * HOUR }],
        acts: [],
        releases: [],
        serving: [{ from: MINUTE, to: 3 * HOUR, id: 1 }],
        dead: [],
        cutOff: [],
        replacedAt: [],
        ends: [],
        surgesForMs: null,
        maxCreatesPerHour: 6,
        maxDollarsPerHour: 1,
        imageChanges: [],
        ...pod,
      },
    ],
    contracts: [contract()],
    creates: [],
    touches: [],
    destroys: [],
    recycles: [],
    acceptedPrices: [],
    bids: [],
    searches: [],
    disturbances: [],
    redisUnreliable: [],
    ...over,
  };
}

function contract(over: Partial<ContractTruth> = {}): ContractTruth {
  return {
    id: 1,
    label: LABEL,
    createdAt: 0,
    endedAt: null,
    endedBy: null,
    visibleAt: 0,
    ends: { at: 90 * 24 * HOUR, since: 0 },
    endsBefore: [],
    answering: [],
    stopped: [],
    paid: { serving: 0, before: 0, after: 0 },
    ...over,
  };
}

const second = (from: number, forMs: number, over: Partial<ContractTruth> = {}) =>
  contract({ id: 2, createdAt: from, endedAt: from + forMs, endedBy: "api", visibleAt: from, ...over });

test("two instances are a breach when they live for more than 300 s at a stretch", () => {
  const laws = (forMs: number, over: Partial<Truth> = {}) =>
    twoInstances(truthOf({ contracts: [contract(), second(10 * MINUTE, forMs)], ...over }));
  expect(laws(300 * SECOND)).toEqual([]);
  expect(laws(300 * SECOND + 1)).toMatchObject([{ at: 10 * MINUTE }]);
});

test("time does not count while the API lies, while a row is hidden, or without a provisioner", () => {
  const twice = (over: Partial<ContractTruth> = {}) => [contract(), second(10 * MINUTE, 500 * SECOND, over)];
  const lie = { from: 10 * MINUTE, to: 10 * MINUTE + 200 * SECOND, pod: 0, what: "api" };
  expect(twoInstances(truthOf({ contracts: twice(), disturbances: [lie] }))).toEqual([]);
  expect(twoInstances(truthOf({ contracts: twice(), disturbances: [{ ...lie, pod: 1 }] }))).toHaveLength(1);
  expect(twoInstances(truthOf({ contracts: twice({ visibleAt: 10 * MINUTE + 200 * SECOND }) }))).toEqual([]);
  const running = [
    { from: 0, to: 13 * MINUTE },
    { from: 14 * MINUTE, to: 3 * HOUR },
  ];
  expect(twoInstances(truthOf({ contracts: twice() }, { running }))).toEqual([]);
});

test("at rest anything but exactly one instance is a breach", () => {
  expect(twoInstances(truthOf())).toEqual([]);
  expect(twoInstances(truthOf({ contracts: [contract(), second(2 * HOUR + MINUTE, SECOND)] }))).toMatchObject([
    { message: "vast-pod-0 had 2 instances at rest" },
  ]);
  const toBid = [contract({ isBid: false }), second(2 * HOUR + MINUTE, SECOND, { isBid: true })];
  const goesBack = { bids: true, surgesForMs: 20 * MINUTE };
  expect(twoInstances(truthOf({ contracts: toBid }, goesBack))).toEqual([]);
  expect(nothingLeft(truthOf({ contracts: toBid, faultsEnd: HOUR + MINUTE }, goesBack))).toEqual([]);
  expect(twoInstances(truthOf({ contracts: toBid }, { bids: true }))).toHaveLength(1);
  const gap = [contract({ endedAt: 2 * HOUR + MINUTE }), contract({ id: 2, createdAt: 2 * HOUR + 2 * MINUTE })];
  expect(twoInstances(truthOf({ contracts: gap }))).toMatchObject([{ message: "vast-pod-0 had 0 instances at rest" }]);
});

test("a call on an instance with another label, or none, is a breach", () => {
  const touch = (label: string | null, id = 1) =>
    othersUntouched(truthOf({ touches: [{ at: 5, pod: 0, id, label, call: "DELETE /x", refused: false }] }));
  expect(touch(LABEL)).toEqual([]);
  for (const label of [`${LABEL}0`, `${LABEL} `, "k8s_pod", null]) expect(touch(label)).toHaveLength(1);
  expect(touch(null, 99)).toEqual([]); // the instance does not exist: nothing was changed
});

test("destroying the only good instance is a breach, whatever the reason", () => {
  const good: DestroyTruth = {
    at: 5,
    pod: 0,
    id: 1,
    shown: true,
    rightForMs: MINUTE,
    answersForMs: MINUTE,
    failedProbeMs: MINUTE + 1,
    failingMs: 0,
    endsInMs: HOUR,
    others: 0,
    cannotPull: false,
  };
  const law = (over: Partial<DestroyTruth>) => goodKept(truthOf({ destroys: [{ ...good, ...over }] }));
  expect(law({})).toHaveLength(1);
  expect(law({ failedProbeMs: null })).toHaveLength(1);
  expect(law({ failedProbeMs: SECOND, failingMs: 45 * SECOND - 1 })).toHaveLength(1); // one lost probe proves nothing
  const excuses: Partial<DestroyTruth>[] = [
    { others: 1 },
    { rightForMs: null },
    { rightForMs: MINUTE - 1 },
    { answersForMs: null },
    { answersForMs: MINUTE - 1 },
    { failedProbeMs: MINUTE, failingMs: 45 * SECOND },
    { shown: false },
  ];
  for (const excuse of excuses) expect(law(excuse)).toEqual([]);
});

test("an hour after the faults each pod has one live instance and nothing else is billed", () => {
  expect(nothingLeft(truthOf())).toEqual([]);
  expect(nothingLeft(truthOf({ contracts: [] }))).toHaveLength(1);
  expect(nothingLeft(truthOf({ contracts: [contract(), contract({ id: 2 })] }))).toHaveLength(1);
  expect(nothingLeft(truthOf({ contracts: [contract(), second(0, HOUR)] }))).toEqual([]);
  expect(nothingLeft(truthOf({ contracts: [contract(), contract({ id: 2, label: "training" })] }))).toEqual([]);
});

test("a pod that does not serve within 45 minutes after the faults is a breach", () => {
  const from = (minutes: number) => [{ from: HOUR + minutes * MINUTE, to: 3 * HOUR, id: 1 }];
  expect(servingAgain(truthOf({}, { serving: from(45) }))).toEqual([]);
  expect(servingAgain(truthOf({}, { serving: from(46) }))).toHaveLength(1);
  expect(servingAgain(truthOf({}, { serving: [{ from: 0, to: HOUR, id: 1 }] }))).toHaveLength(1);
});

test("a pod whose budget was spent when the faults ended has 45 minutes after its next create is allowed", () => {
  const creates = Array.from({ length: 6 }, (_, i) => ({ at: (40 + i) * MINUTE, pod: 0, made: i, uncertain: false }));
  const served = (minute: number) =>
    truthOf({ creates }, { serving: [{ from: minute * MINUTE, to: 3 * HOUR, id: 1 }] });
  expect(servingAgain(served(100 + 45))).toEqual([]);
  expect(servingAgain(served(100 + 46))).toHaveLength(1);
});

test("more creates than the budget within an hour are a breach; uncertain creates count, refused ones do not", () => {
  const creates = (count: number, every: number, uncertain = false) =>
    Array.from({ length: count }, (_, i) => ({ at: i * every, pod: 0, made: uncertain ? null : i, uncertain }));
  expect(budgetKept(truthOf({ creates: creates(6, MINUTE) }))).toEqual([]);
  expect(budgetKept(truthOf({ creates: creates(7, MINUTE) }))).toHaveLength(1);
  expect(budgetKept(truthOf({ creates: creates(7, MINUTE, true) }))).toHaveLength(1);
  expect(budgetKept(truthOf({ creates: creates(7, 10 * MINUTE) }))).toEqual([]);
  const refused = creates(9, MINUTE).map((one) => ({ ...one, made: null }));
  expect(budgetKept(truthOf({ creates: refused }))).toEqual([]);
});

test("a replaced pod continues with the budget of its label, unless Redis lost it around that time", () => {
  const creates = Array.from({ length: 8 }, (_, i) => ({ at: (20 + i) * MINUTE, pod: 0, made: i, uncertain: false }));
  const replaced = (forgetful: Truth["redisUnreliable"]) =>
    truthOf({ creates, redisUnreliable: forgetful }, { replacedAt: [23.5 * MINUTE] });
  const flushed = (minute: number) => [{ from: minute * MINUTE, to: minute * MINUTE }];
  expect(budgetKept(replaced([]))).toHaveLength(2);
  expect(budgetKept(replaced([{ from: 0, to: 3 * HOUR }]))).toEqual([]);
  expect(budgetKept(replaced(flushed(20.5)))).toEqual([]);
  expect(budgetKept(replaced(flushed(26.5)))).toEqual([]);
  expect(budgetKept(replaced(flushed(20.4)))).toHaveLength(2);
  expect(budgetKept(replaced(flushed(26.6)))).toHaveLength(2);
});

test("two processes of one label that act within 30 s are a breach while both run and Redis keeps its data", () => {
  const truth = (secondAt: number, firstEnds = 3 * HOUR, forgetful: Truth["redisUnreliable"] = []) =>
    truthOf(
      { redisUnreliable: forgetful },
      {
        running: [
          { from: 0, to: firstEnds },
          { from: MINUTE, to: 3 * HOUR },
        ],
        acts: [
          { at: HOUR, endedAt: HOUR + 100, process: 0, leaseOfOther: false },
          { at: HOUR + secondAt, endedAt: HOUR + secondAt + 100, process: 1, leaseOfOther: false },
        ],
      },
    );
  expect(oneOwner(truth(30 * SECOND - 1))).toHaveLength(1);
  expect(oneOwner(truth(30 * SECOND))).toEqual([]);
  expect(oneOwner(truth(SECOND, HOUR + SECOND))).toEqual([]);
  expect(oneOwner(truth(SECOND, HOUR + 2 * SECOND))).toHaveLength(1);
  expect(oneOwner(truth(SECOND, 3 * HOUR, [{ from: HOUR - 3 * MINUTE, to: HOUR - 3 * MINUTE }]))).toEqual([]);
  expect(oneOwner(truth(SECOND, 3 * HOUR, [{ from: 0, to: HOUR - 3 * MINUTE - 1 }]))).toHaveLength(1);
});

test("a process may act sooner after another one that gave its lease up when what it had sent had ended", () => {
  const truth = (releases: PodTruth["releases"]) =>
    truthOf(
      {},
      {
        running: [
          { from: 0, to: 3 * HOUR },
          { from: MINUTE, to: 3 * HOUR },
        ],
        acts: [
          { at: HOUR, endedAt: HOUR + 2 * SECOND, process: 0, leaseOfOther: false },
          { at: HOUR + 5 * SECOND, endedAt: HOUR + 6 * SECOND, process: 1, leaseOfOther: false },
        ],
        releases,
      },
    );
  const found = (at: number, process = 0) => oneOwner(truth([{ at, process }])).length;
  expect(found(HOUR + 2 * SECOND)).toBe(0);
  expect(found(HOUR + 5 * SECOND)).toBe(0);
  expect(found(HOUR + 2 * SECOND - 1)).toBe(1); // its call was still on its way
  expect(found(HOUR + 5 * SECOND + 1)).toBe(1); // afterwards
  expect(found(HOUR + 3 * SECOND, 1)).toBe(1); // another lease
});

test("a process that acts while another one holds the lease is a breach, however long the other has not acted", () => {
  const truth = (forgetful: Truth["redisUnreliable"] = []) =>
    truthOf({ redisUnreliable: forgetful }, { acts: [{ at: HOUR, endedAt: HOUR, process: 0, leaseOfOther: true }] });
  expect(oneOwner(truth())).toHaveLength(1);
  expect(oneOwner(truth([{ from: HOUR - MINUTE, to: HOUR - MINUTE }]))).toEqual([]);
});

test("money is split into serving, boot time and waste, for the pods' labels only", () => {
  const contracts = [
    contract({ paid: { serving: 6, before: 1, after: 1 } }),
    contract({ id: 2, paid: { serving: 0, before: 2, after: 0 } }),
    contract({ id: 3, label: "training", paid: { serving: 0, before: 50, after: 0 } }),
  ];
  const money = moneyOf(truthOf({ contracts }));
  expect(money).toEqual({ paid: 10, boot: 1, waste: 3 });
  expect(moneySentence(money)).toBe("40.0 % of $10.00 served nobody: 10.0 % boot time, 30.0 % waste");
});

test("an instance that answers for more than 20 min while nothing is served is a breach, unless its DELETE may have worked", () => {
  const end = HOUR + 20 * MINUTE + 1;
  const laws = (to: number, over: Partial<Truth> = {}, pod: Partial<PodTruth> = {}) =>
    servesOrEnds(
      truthOf(
        { contracts: [contract({ answering: [{ from: 0, to }] })], ...over },
        { serving: [{ from: MINUTE, to: HOUR, id: 1 }], ...pod },
      ),
    );
  const touch = { at: HOUR, pod: 0, id: 1, label: LABEL, call: "DELETE /api/v0/instances/1/", refused: true };
  const right = { from: 0, to: 3 * HOUR, pod: null, what: "rights" };
  expect(laws(end - 1)).toEqual([]);
  expect(laws(end)).toMatchObject([{ law: "serves-or-ends", at: HOUR }]);
  expect(laws(end, { touches: [touch], disturbances: [right] })).toHaveLength(1);
  expect(laws(end, { touches: [{ ...touch, refused: false }] })).toEqual([]);
  expect(laws(end, { disturbances: [{ ...right, what: "network" }] })).toEqual([]);
  expect(laws(end, {}, { running: [{ from: 0, to: HOUR }] })).toEqual([]);
  expect(laws(end, {}, { serving: [{ from: 0, to: 2 * HOUR, id: 2 }] })).toEqual([]);
});

describe("an ordered end", () => {
  const due = 10 * MINUTE + 110 * SECOND;
  const end = { from: 10 * MINUTE, to: 10 * MINUTE + 20 * SECOND, due, killed: false };
  const left = (over: Partial<Truth> = {}, pod: Partial<PodTruth> = {}) =>
    orderedEnd(truthOf(over, { ends: [end], running: [{ from: 0, to: end.to }], ...pod }));

  test("is broken by an instance that is billed when the process is gone", () => {
    expect(left()).toMatchObject([{ law: "ordered-end", at: end.to }]);
    expect(left({ contracts: [contract({ endedAt: end.to })] })).toEqual([]);
    expect(left({ contracts: [contract({ endedAt: end.to + 1 })] })).toHaveLength(1);
  });

  test("needs 75 s of the grace period in which the API works; a full volume is no excuse", () => {
    const trouble = (seconds: number, what = "api") =>
      left({ disturbances: [{ from: end.from, to: end.from + seconds * SECOND, pod: null, what }] });
    expect(trouble(35)).toHaveLength(1);
    expect(trouble(36)).toEqual([]);
    expect(trouble(110, "disk")).toHaveLength(1);
  });

  test("is not judged for what no list showed in time, for a killed process, or beside another one", () => {
    expect(left({ contracts: [contract({ visibleAt: end.to })] })).toEqual([]);
    expect(left({ contracts: [contract({ createdAt: end.to - SECOND })] })).toEqual([]);
    expect(left({}, { ends: [{ ...end, killed: true }] })).toEqual([]);
    const both = [
      { from: 0, to: end.to },
      { from: 5 * MINUTE, to: HOUR },
    ];
    expect(left({}, { running: both })).toEqual([]);
  });

  test("of a good instance is allowed", () => {
    const destroy = { at: end.from + SECOND, pod: 0, id: 1, shown: true, rightForMs: HOUR, answersForMs: HOUR };
    const destroys = [{ ...destroy, failedProbeMs: null, failingMs: 0, endsInMs: HOUR, others: 0, cannotPull: false }];
    expect(goodKept(truthOf({ destroys }))).toHaveLength(1);
    expect(goodKept(truthOf({ destroys }, { ends: [end] }))).toEqual([]);
  });

  test("is carried through by the next program where it was written down, and only for that instance", () => {
    const destroy = { at: end.to + MINUTE, pod: 0, id: 1, shown: true, rightForMs: HOUR, answersForMs: HOUR };
    const destroys = [{ ...destroy, failedProbeMs: null, failingMs: 0, endsInMs: HOUR, others: 0, cannotPull: false }];
    const killed = (recorded: number[]) => ({ ends: [{ ...end, killed: true, recorded }] });
    expect(goodKept(truthOf({ destroys }, killed([1])))).toEqual([]);
    expect(goodKept(truthOf({ destroys }, killed([2])))).toHaveLength(1);
  });
});

describe("the end of a contract", () => {
  const end = 2 * HOUR;
  const ending = (ends: Partial<ContractTruth["ends"]> = {}, over: Partial<ContractTruth> = {}) =>
    contract({ ends: { at: end, since: 0, ...ends }, ...over });
  const served = { serving: [{ from: MINUTE, to: end + SECOND, id: 1 }] };

  test("is a breach when the pod serves from the instance until then, and could have replaced it", () => {
    const law = (contracts: ContractTruth[], over: Partial<Truth> = {}, pod: Partial<PodTruth> = served) =>
      contractEnds(truthOf({ contracts, ...over }, pod));
    expect(law([ending()])).toMatchObject([{ law: "contract-ends", at: end }]);
    expect(law([ending({ since: end - 15 * MINUTE + 1 })])).toEqual([]);
    expect(law([ending({ at: 4 * HOUR })])).toEqual([]);
    expect(law([ending()], {}, { serving: [{ from: MINUTE, to: end - SECOND, id: 1 }] })).toEqual([]);
    expect(law([ending()], { disturbances: [{ from: end - MINUTE, to: end, pod: 0, what: "api" }] })).toEqual([]);
    const create = { at: end - HOUR, pod: 0, made: null, uncertain: true };
    expect(law([ending()], { creates: Array.from({ length: 6 }, () => create) })).toEqual([]);
  });

  test("is none for a pod that keeps what serves until another one does, if it has created that in time", () => {
    const law = (surgesForMs: number | null, createdAt: number) =>
      contractEnds(truthOf({ contracts: [ending(), contract({ id: 2, createdAt })] }, { ...served, surgesForMs }));
    expect(law(HOUR, end - MINUTE)).toEqual([]);
    expect(law(HOUR, end + MINUTE)).toHaveLength(1);
    expect(law(null, end - MINUTE)).toHaveLength(1);
  });

  test("is a breach when it was near as the contract was made", () => {
    const law = (minutes: number, since = 0) =>
      contractEnds(
        truthOf({
          contracts: [ending({ at: minutes * MINUTE, since })],
          creates: [{ at: 0, pod: 0, made: 1, uncertain: false }],
        }),
      ).filter(({ message }) => message.includes("rented"));
    expect(law(72)).toEqual([]);
    expect(law(71)).toHaveLength(1);
    expect(law(71, SECOND)).toEqual([]); // it was changed later
  });

  test("is none when the host changed it between the search and the create", () => {
    const at = HOUR + 20 * MINUTE;
    const law = (changedAt: number, over: Partial<ContractTruth> = {}) =>
      contractEnds(
        truthOf({
          contracts: [
            ending({ at, since: changedAt }, over),
            contract({ id: 2, createdAt: HOUR, ends: { at, since: HOUR } }),
          ],
          creates: [{ at: HOUR, pod: 0, made: 2, uncertain: false }],
        }),
      ).filter(({ message }) => message.includes("rented"));
    expect(law(HOUR - 3 * MINUTE + 1)).toEqual([]);
    expect(law(HOUR)).toEqual([]);
    expect(law(HOUR - 3 * MINUTE)).toHaveLength(1); // the search must have shown it
    expect(law(HOUR + 1)).toHaveLength(1);
    // It has changed it once more since then.
    const again = { ends: { at: 2 * HOUR, since: HOUR + MINUTE }, endsBefore: [{ at, since: HOUR - MINUTE }] };
    expect(law(HOUR, again)).toEqual([]);
  });

  test("excuses a destroy near it, but not one after another", () => {
    const destroy = (minute: number, endsInMs: number): DestroyTruth => ({
      at: HOUR + minute * MINUTE,
      pod: 0,
      id: 1,
      shown: true,
      rightForMs: HOUR,
      answersForMs: HOUR,
      failedProbeMs: null,
      failingMs: 0,
      endsInMs,
      cannotPull: false,
      others: 0,
    });
    expect(goodKept(truthOf({ destroys: [destroy(0, 15 * MINUTE)] }))).toEqual([]);
    expect(goodKept(truthOf({ destroys: [destroy(0, 15 * MINUTE + 1)] }))).toHaveLength(1);
    const times = (count: number) => Array.from({ length: count }, (_, i) => destroy(i, MINUTE));
    expect(noLoop(truthOf({ destroys: times(5) }))).toEqual([]);
    expect(contractEnds(truthOf({ destroys: times(4) }))).toEqual([]);
    expect(contractEnds(truthOf({ destroys: times(5) }))).toHaveLength(1);
  });
});

test("an accepted price is a breach above the ceiling, without one, and for another's instance", () => {
  const law = (dollarsPerHour: number, label: string | null = LABEL, pod: Partial<PodTruth> = {}) =>
    priceCeiling(truthOf({ acceptedPrices: [{ at: 5, pod: 0, id: 1, label, dollarsPerHour }] }, pod));
  expect(law(1)).toEqual([]);
  expect(law(1.001)).toMatchObject([{ law: "price-ceiling", at: 5 }]);
  expect(law(0.5, null)).toHaveLength(1);
  expect(law(0.5, LABEL, { maxDollarsPerHour: null })).toHaveLength(1);
});

test("a dead server is a breach when nginx routes to it for more than 20 s while the pod could drop it", () => {
  const at = 10 * MINUTE;
  const laws = (forMs: number, over: Partial<Truth> = {}, pod: Partial<PodTruth> = {}) =>
    deadDropped(truthOf(over, { dead: [{ from: at, to: at + forMs }], ...pod }));
  expect(laws(20 * SECOND)).toEqual([]);
  expect(laws(20 * SECOND + 1)).toMatchObject([{ at }]);
  const hole = { from: at, to: at + 15 * SECOND, pod: 0 };
  expect(laws(30 * SECOND, { disturbances: [{ ...hole, what: "reloader" }] })).toEqual([]);
  for (const what of ["api", "disk"]) expect(laws(30 * SECOND, { disturbances: [{ ...hole, what }] })).toHaveLength(1);
  const restarted = [
    { from: 0, to: at + 10 * SECOND },
    { from: at + 15 * SECOND, to: 3 * HOUR },
  ];
  expect(laws(30 * SECOND, {}, { running: restarted })).toEqual([]);
  // The former provisioner of a replaced pod cannot write the new pod's files.
  const overlapping = [
    { from: 0, to: 3 * HOUR },
    { from: at + 15 * SECOND, to: 3 * HOUR },
  ];
  expect(laws(30 * SECOND, {}, { running: overlapping })).toEqual([]);
  expect(laws(40 * SECOND, {}, { running: overlapping })).toHaveLength(1);
});

test("the third answering instance that a pod gives up within an hour is a breach, unless the image changed", () => {
  const destroy = (minute: number, over: Partial<DestroyTruth> = {}): DestroyTruth => ({
    at: minute * MINUTE,
    pod: 0,
    id: minute,
    shown: true,
    rightForMs: null,
    answersForMs: 0,
    failedProbeMs: null,
    failingMs: 0,
    endsInMs: HOUR,
    others: 0,
    cannotPull: false,
    ...over,
  });
  const laws = (third: DestroyTruth, pod: Partial<PodTruth> = {}) =>
    noLoop(truthOf({ destroys: [destroy(10), destroy(20), third] }, pod));
  expect(laws(destroy(69))).toMatchObject([{ law: "no-loop", at: 69 * MINUTE }]);
  expect(laws(destroy(70))).toEqual([]);
  expect(laws(destroy(30, { answersForMs: null }))).toEqual([]);
  expect(laws(destroy(30, { others: 1 }))).toEqual([]);
  expect(laws(destroy(30, { failedProbeMs: 1000 }))).toEqual([]);
  expect(laws(destroy(30), { imageChanges: [25 * MINUTE] })).toEqual([]);
});

test("an instance that is served within 120 s after its recycle is a breach while its row shows something else", () => {
  const serving = (from: number, shows: string) => [{ from, to: HOUR, id: 1, shows }];
  const recycles = [{ at: MINUTE, pod: 0, id: 1, wanted: "app:2 h" }];
  const laws = (from: number, shows: string, pod: Partial<PodTruth> = {}) =>
    updateShown(truthOf({ recycles }, { serving: serving(from, shows), ...pod }));
  expect(laws(2 * MINUTE, "app:1 h")).toMatchObject([{ law: "update-shown", at: 2 * MINUTE }]);
  expect(laws(2 * MINUTE, "app:2 h")).toEqual([]);
  expect(laws(3 * MINUTE, "app:1 h")).toEqual([]);
  expect(laws(MINUTE - 1, "app:1 h")).toEqual([]);
  expect(laws(2 * MINUTE, "app:1 h", { replacedAt: [MINUTE + SECOND] })).toEqual([]);
  const process = (from: number, to: number) => ({ from: from * MINUTE, to: to * MINUTE });
  expect(laws(2 * MINUTE, "app:1 h", { running: [process(0, 60), process(0.5, 60)] })).toEqual([]);
  expect(laws(2 * MINUTE, "app:1 h", { running: [process(0, 1.2), process(0.5, 60)] })).toEqual([]);
  expect(laws(2 * MINUTE, "app:1 h", { running: [process(0, 1.2), process(1.3, 60)] })).toHaveLength(1);
});

test("an instance that served, and whose updated image cannot be pulled, is destroyed only after an attempt to go back", () => {
  const recycles = [{ at: 10 * MINUTE, pod: 0, id: 1, wanted: "app:typo h" }];
  const destroy = { at: 12 * MINUTE, pod: 0, id: 1, shown: true, rightForMs: null, answersForMs: null };
  const destroys = [{ ...destroy, failedProbeMs: null, failingMs: 0, endsInMs: HOUR, others: 0, cannotPull: true }];
  const contract = {
    id: 1,
    label: LABEL,
    createdAt: 0,
    endedAt: null,
    endedBy: null,
    visibleAt: 0,
    answering: [],
    ends: { at: HOUR, since: 0 },
    endsBefore: [],
    stopped: [],
  };
  const contracts = [{ ...contract, paid: { serving: 0, before: 0, after: 0 } }];
  const laws = (over: Partial<Truth> = {}, pod: Partial<PodTruth> = {}) =>
    typoUndone(truthOf({ recycles, destroys, contracts, ...over }, pod));
  expect(laws()).toMatchObject([{ law: "typo-undone", at: 12 * MINUTE }]);
  const touch = { pod: 0, id: 1, label: LABEL, call: "PUT /api/v0/instances/update_template/1/", refused: true };
  expect(laws({ touches: [{ ...touch, at: 11 * MINUTE }] })).toEqual([]);
  expect(laws({ touches: [{ ...touch, at: 9 * MINUTE }] })).toHaveLength(1);
  // The recycle of the attempt itself, whose template the API has not taken.
  const serving = [{ from: MINUTE, to: 9 * MINUTE, id: 1, shows: "app:1 g" }];
  const withRecycle = (wanted: string) =>
    laws(
      {
        touches: [{ ...touch, at: 11 * MINUTE }],
        recycles: [...recycles, { at: 11 * MINUTE + SECOND, pod: 0, id: 1, wanted }],
      },
      { serving },
    );
  expect(withRecycle("app:1 g")).toEqual([]);
  expect(withRecycle("app:typo-2 i")).toHaveLength(1);
  expect(laws({ destroys: destroys.map((one) => ({ ...one, cannotPull: false })) })).toEqual([]);
  expect(laws({ destroys: destroys.map((one) => ({ ...one, others: 1 })) })).toEqual([]);
  expect(laws({}, { serving: [] })).toEqual([]);
  const replacedAt = [11 * MINUTE];
  expect(laws({}, { replacedAt })).toHaveLength(1);
  expect(laws({ redisUnreliable: [{ from: 0, to: HOUR }] }, { replacedAt })).toEqual([]);
});

test("a bid is a breach above the ceiling, and any bid of a pod that rents on demand", () => {
  const laws = (dollarsPerHour: number, pod: Partial<PodTruth> = {}) =>
    bidCeiling(truthOf({ bids: [{ at: MINUTE, pod: 0, on: "offer 5", dollarsPerHour }] }, { bids: true, ...pod }));
  expect(laws(1)).toEqual([]);
  expect(laws(1.0001)).toMatchObject([{ law: "bid-ceiling", at: MINUTE }]);
  expect(laws(0.1, { bids: false })).toHaveLength(1);
  expect(laws(0.1, { maxDollarsPerHour: null })).toHaveLength(1);
});

test("an instance that was outbid may be stopped for ten minutes, until its DELETE", () => {
  const laws = (forMs: number, over: Partial<Truth> = {}) =>
    stoppedBid(truthOf({ contracts: [contract({ stopped: [{ from: HOUR, to: HOUR + forMs }] })], ...over }));
  expect(laws(10 * MINUTE)).toEqual([]);
  expect(laws(10 * MINUTE + 1)).toMatchObject([{ law: "stopped-bid", at: HOUR }]);
  const deleted = { at: HOUR + MINUTE, pod: 0, id: 1, label: LABEL, call: "DELETE /api/v0/instances/1/" };
  expect(laws(20 * MINUTE, { touches: [{ ...deleted, refused: false }] })).toEqual([]);
  expect(laws(20 * MINUTE, { touches: [{ ...deleted, refused: true }] })).toHaveLength(1);
  const disturbances = [{ from: HOUR + 5 * MINUTE, to: HOUR + 15 * MINUTE, pod: null, what: "api" }];
  expect(laws(20 * MINUTE, { disturbances })).toEqual([]);
});

describe("an instance that serves is given up for an update", () => {
  const AT = 30 * MINUTE;
  const destroy: DestroyTruth = {
    at: AT,
    pod: 0,
    id: 1,
    shown: true,
    rightForMs: null,
    answersForMs: HOUR,
    failedProbeMs: null,
    failingMs: 0,
    endsInMs: 24 * HOUR,
    others: 0,
    cannotPull: false,
  };
  const served = [{ from: MINUTE, to: AT - 10 * SECOND, id: 1 }];
  const search = (over: Partial<Truth["searches"][number]> = {}) => {
    return { at: AT - 15 * SECOND, pod: 0, forBids: false, cheapest: 0.5, ...over };
  };
  const laws = (over: Partial<Truth> = {}, pod: Partial<PodTruth> = {}) =>
    offerFirst(truthOf({ destroys: [destroy], ...over }, { serving: served, prechecked: true, ...pod })).length;

  test("only after a search has found another one that it may rent, at most 120 s before it was withdrawn", () => {
    expect(laws()).toBe(1);
    expect(laws({ searches: [search()] })).toBe(0);
    expect(laws({ searches: [search({ at: AT - 10 * SECOND - 120 * SECOND })] })).toBe(0);
    expect(laws({ searches: [search({ at: AT - 10 * SECOND - 121 * SECOND })] })).toBe(1);
    const late = { searches: [search({ at: AT - 9 * SECOND })] };
    expect(laws(late)).toBe(1); // it came after the withdrawal
    expect(laws(late, { replacedAt: [AT - 10 * SECOND] })).toBe(0); // nginx had ended with its pod
    const killed = { from: AT - 11 * SECOND, to: AT - 9 * SECOND, due: AT + MINUTE, killed: true };
    expect(laws(late, { ends: [killed] })).toBe(0); // a stop that was to end the instance had withdrawn it
    expect(laws({}, { ends: [killed] })).toBe(1);
    expect(laws(late, { ends: [{ ...killed, to: AT - 10.5 * SECOND }] })).toBe(1);
    const call = "PUT /api/v0/instances/update_template/1/";
    const update = { at: AT - 9.5 * SECOND, pod: 0, id: 1, label: LABEL, call, refused: false, failed: true };
    expect(laws({ ...late, touches: [update] })).toBe(0); // it had been withdrawn for an update in place, which was not done
    expect(laws({ touches: [update] })).toBe(1);
    expect(laws({ ...late, touches: [{ ...update, failed: false }] })).toBe(1);
    const dead = (ms: number) => ({ dead: [{ from: AT - 10 * SECOND, to: AT - 10 * SECOND + ms }] });
    expect(laws(late, dead(1500))).toBe(0); // it had moved, and nginx routed to its old address until after the search
    expect(laws(late, dead(500))).toBe(1);
    for (const of of [{ cheapest: null }, { cheapest: 1.01 }, { forBids: true }])
      expect(laws({ searches: [search(of)] })).toBe(1);
    expect(laws({ searches: [search({ forBids: true })] }, { bids: true })).toBe(0);
  });

  test("or that of another pod, where they share a Redis", () => {
    const searches = [search({ pod: 1 })];
    expect(laws({ searches })).toBe(0);
    expect(laws({ searches, redisUnreliable: [{ from: MINUTE, to: 2 * MINUTE }] })).toBe(0);
    expect(laws({ searches, redisUnreliable: [{ from: 0, to: 3 * HOUR }] })).toBe(1);
  });

  test("and what is no such update is not judged", () => {
    expect(laws({}, { prechecked: false })).toBe(0);
    expect(laws({}, { surgesForMs: 20 * MINUTE })).toBe(0);
    expect(laws({}, { serving: [{ from: MINUTE, to: AT - 2 * MINUTE, id: 1 }] })).toBe(0);
    expect(laws({}, { serving: [...served, { from: AT - SECOND, to: AT, id: 2 }] })).toBe(0);
    const others: Partial<DestroyTruth>[] = [
      { rightForMs: HOUR },
      { others: 1 },
      { answersForMs: null },
      { shown: false },
      { endsInMs: MINUTE },
      { failedProbeMs: 30 * SECOND },
    ];
    for (const over of others) expect(laws({ destroys: [{ ...destroy, ...over }] })).toBe(0);
  });
});

describe("what serves is withdrawn for an end that the key does not allow", () => {
  const AT = 20 * MINUTE;
  const end = (at: number) => {
    return { at, pod: 0, id: 1, label: LABEL, call: "DELETE /api/v0/instances/1/", refused: true, forbidden: true };
  };
  const touches = [end(AT), end(AT + 10 * MINUTE)];
  /** Two drains of ten seconds. */
  const serving = [
    { from: MINUTE, to: AT - 10 * SECOND, id: 1 },
    { from: AT + SECOND, to: AT + 10 * MINUTE - 10 * SECOND, id: 1 },
    { from: AT + 10 * MINUTE + SECOND, to: 3 * HOUR, id: 1 },
  ];
  const contracts = [contract({ answering: [{ from: 0, to: 3 * HOUR }] })];
  const laws = (over: Partial<Truth> = {}, pod: Partial<PodTruth> = {}) =>
    refusedOnce(truthOf({ touches, contracts, ...over }, { serving, ...pod })).length;
  const between = AT + MINUTE;

  test("once, and not twice, however often the call is sent", () => {
    expect(laws()).toBe(1);
    expect(laws({ touches: [end(AT), end(AT + 500)] })).toBe(0);
    expect(laws({ touches: [end(AT)] })).toBe(0);
  });

  test("again when the API has taken a change, refused one for another reason, or made an instance", () => {
    const label = { ...end(between), call: "PUT /api/v0/instances/1/" };
    expect(laws({ touches: [end(AT), label, end(AT + 10 * MINUTE)] })).toBe(1);
    expect(laws({ touches: [end(AT), { ...label, forbidden: false }, end(AT + 10 * MINUTE)] })).toBe(0);
    const create = { at: between, pod: 0, uncertain: false };
    expect(laws({ creates: [{ ...create, made: 7 }] })).toBe(0);
    expect(laws({ creates: [{ ...create, made: null }] })).toBe(1);
  });

  test("again by another program or pod", () => {
    expect(laws({}, { replacedAt: [between] })).toBe(0);
    expect(laws({}, { running: [{ from: between, to: 3 * HOUR }] })).toBe(0);
  });

  test("by a stop that orders its end", () => {
    const stop = { from: AT + 9 * MINUTE, to: AT + 12 * MINUTE, due: HOUR, killed: false };
    expect(laws({}, { ends: [stop] })).toBe(0);
    expect(laws({}, { ends: [{ ...stop, from: 0, to: AT - 2 * MINUTE }] })).toBe(1);
  });

  test("which does not count where it did not answer, could not be reached, or was not served just before", () => {
    expect(laws({ contracts: [contract({ answering: [{ from: 0, to: AT + 9 * MINUTE }] })] })).toBe(0);
    expect(laws({}, { cutOff: [{ from: AT + 9 * MINUTE, to: HOUR }] })).toBe(0);
    expect(laws({}, { serving: [{ from: MINUTE, to: AT - 10 * SECOND, id: 1 }] })).toBe(0);
  });
});
