import { describe, expect, test } from "vitest";
import { known } from "../../../../provisioner/model/observation.ts";
import { type FleetReading, fleetStatus } from "../../../../provisioner/report/fleet-status.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { HOUR, LABEL, NOW, row, startingRow, unknown } from "../plan/situation.ts";
import { loadingStatus, ownInstance, ownStatus } from "./own-status.ts";
import { blockedReport, reported } from "./reported.ts";

const labelled = (number: number, over: Partial<Instance> = {}) =>
  row({ id: 100 + number, label: `k8s_pod=vast-pod-${number}`, ...over });

function listsOf(rows: readonly Instance[]): Map<string, readonly Instance[]> {
  const labels = new Set(rows.map(({ label }) => label ?? ""));
  return new Map([...labels].map((label) => [label, rows.filter((one) => (one.label ?? "") === label)]));
}

const status = (rows: readonly Instance[], over: Partial<FleetReading> = {}) =>
  fleetStatus({
    lists: known(listsOf(rows)),
    accountDollarsPerHour: rows.reduce((all, one) => all + (one.dollarsPerHour ?? 0), 0),
    own: null,
    reports: "no_redis",
    orphans: null,
    credit: known(88.2),
    problems: [],
    now: NOW,
    ...over,
  });
const states = ({ pods }: ReturnType<typeof status>) => pods.map(({ pod, state }) => [pod, state]);

describe("the pods of an account", () => {
  test("come the worst first, then by their numbers", () => {
    const rows = [
      labelled(10),
      labelled(2),
      labelled(3, { actualStatus: "loading" }),
      labelled(4, { actualStatus: "exited" }),
      labelled(5),
      labelled(6),
      labelled(6, { id: 206 }),
    ];
    expect(states(status(rows, { orphans: new Set(["k8s_pod=vast-pod-5"]) }))).toEqual([
      ["vast-pod-6", "duplicate"],
      ["vast-pod-5", "orphan"],
      ["vast-pod-4", "exited"],
      ["vast-pod-3", "loading"],
      ["vast-pod-2", "running"],
      ["vast-pod-6", "running"],
      ["vast-pod-10", "running"],
    ]);
  });

  test("show of two instances the one that is running as the pod's, and the other one as the duplicate", () => {
    const [duplicate, kept] = status([labelled(1, { actualStatus: "loading" }), labelled(1, { id: 900 })]).pods;
    expect(duplicate).toMatchObject({
      instanceId: 101,
      state: "duplicate",
      why: expect.stringContaining("beside 900"),
    });
    expect(kept).toMatchObject({ instanceId: 900, state: "running" });
  });

  test("include instances without a label, none of which is a duplicate", () => {
    const pods = status([
      row({ id: 1, label: null }),
      row({ id: 2, label: null }),
      row({ id: 3, label: "other" }),
    ]).pods;
    expect(pods.map(({ pod, state }) => [pod, state])).toEqual([
      ["-", "running"],
      ["-", "running"],
      ["other", "running"],
    ]);
  });

  test("say in the host's own words what they are loading, and where they are reached", () => {
    const pulling = startingRow({ label: "k8s_pod=a-1", statusMessage: "pulling 3.1 of 9.8 GB" });
    const scheduled = startingRow({ id: 5, label: "k8s_pod=a-2", actualStatus: null });
    const [first, second, third] = status([pulling, scheduled, labelled(1)]).pods;
    expect(first).toMatchObject({ state: "loading", why: "pulling 3.1 of 9.8 GB", endpoint: null });
    expect(second).toMatchObject({ state: "loading", why: "scheduled" });
    expect(third).toMatchObject({ state: "running", why: "203.0.113.9:41234", endpoint: "203.0.113.9:41234" });
  });
});

describe("what they cost", () => {
  test("is a total of prices, an estimate so far, and how long the credit lasts for the whole account", () => {
    const rows = [
      labelled(1, { dollarsPerHour: 0.3, createdAt: NOW - 2 * HOUR }),
      labelled(2, { dollarsPerHour: 0.2, createdAt: NOW }),
    ];
    const { totals, creditHours, creditDollars } = status(rows, { credit: known(10), accountDollarsPerHour: 2 });
    expect(totals).toEqual({ instances: 2, dollarsPerHour: 0.5, soFarDollars: 0.6 });
    expect([creditDollars, creditHours]).toEqual([10, 5]);
  });

  test("is unknown where a price, the list or the credit is unknown", () => {
    const priceless = status([labelled(1, { dollarsPerHour: null }), labelled(2)], { accountDollarsPerHour: null });
    expect(priceless.totals).toEqual({ instances: 2, dollarsPerHour: null, soFarDollars: null });
    expect(priceless.creditHours).toBeNull();
    expect(status([], { lists: unknown() }).totals).toEqual({
      instances: null,
      dollarsPerHour: null,
      soFarDollars: null,
    });
    expect(status([labelled(1)], { credit: unknown() })).toMatchObject({ creditDollars: null, creditHours: null });
  });

  test("lasts for no time without credit, and for an unknown time when nothing is paid for", () => {
    expect(status([labelled(1)], { credit: known(-2) }).creditHours).toBe(0);
    expect(status([]).creditHours).toBeNull();
  });
});

describe("the provisioner that answers here", () => {
  test("knows since when, why and what comes next", () => {
    const { pods } = status([row(), labelled(1)], { own: loadingStatus("pulling 3.1 of 9.8 GB") });
    expect(pods).toHaveLength(2);
    expect(pods[0]).toMatchObject({
      pod: "vast-pod-0",
      state: "provisioning",
      since: ownStatus().since,
      why: "pulling 3.1 of 9.8 GB",
      next: { text: "it is replaced and its host is banned", at: loadingStatus("").next?.deadline },
      soFarDollars: 0.63,
    });
  });

  test("shows a pod that has no instance, which no list does", () => {
    const own = ownStatus({
      state: "blocked",
      reason: "no_offer",
      message: "no offer can be taken: 9 above VAST_MAX_DPH",
      instances: [],
    });
    const { pods, totals } = status([], { own });
    expect(pods).toMatchObject([
      { state: "blocked", instanceId: null, why: "no offer can be taken: 9 above VAST_MAX_DPH" },
    ]);
    expect(totals.instances).toBe(0);
  });

  test("tells a duplicate from an instance that it is destroying", () => {
    const instances = [
      ownInstance(),
      ownInstance({ id: 1, current: false, pendingDelete: true }),
      ownInstance({ id: 2, current: false }),
    ];
    const { pods } = status([row(), row({ id: 1 }), row({ id: 2 })], { own: ownStatus({ instances }) });
    expect(pods.map(({ instanceId, state }) => [instanceId, state])).toEqual([
      [2, "duplicate"],
      [1, "destroying"],
      [7835610, "ready"],
    ]);
  });

  test("is all there is without a key, and while the list of the account is unknown", () => {
    const alone = status([], { lists: null, own: ownStatus(), credit: unknown(), accountDollarsPerHour: null });
    expect(alone).toMatchObject({
      totals: { instances: 1, dollarsPerHour: 0.316, soFarDollars: 0.63 },
      creditDollars: 88.2,
    });
    const half = status([], {
      lists: unknown(),
      own: ownStatus(),
      problems: ["The instances of the account are unknown (HTTP 502)."],
    });
    expect(half.pods).toMatchObject([{ pod: "vast-pod-0", label: LABEL, state: "ready" }]);
    expect(half.totals.dollarsPerHour).toBeNull();
  });
});

describe("what the other provisioners say", () => {
  const reportsOf = (...all: readonly [label: string, report: ReturnType<typeof reported> | null, ageMs?: number][]) =>
    new Map(all.map(([label, report, ageMs = 1000]) => [label, { report, ageMs }]));
  const two = reportsOf(
    ["k8s_pod=vast-pod-1", reported({ pod: "vast-pod-1", instanceId: 101 })],
    ["k8s_pod=vast-pod-2", blockedReport("vast-pod-2")],
  );

  test("is why and what next of their pods, also of those without an instance", () => {
    const { pods, totals, reports } = status([labelled(1)], { reports: two });
    expect(pods).toMatchObject([
      {
        pod: "vast-pod-2",
        state: "blocked",
        instanceId: null,
        image: "registry.example/team/app:2",
        why: "no offer can be taken",
        next: { waitsFor: "an offer", text: "an instance is created", at: null },
        paidDollars: 20,
        wastedDollars: 0.5,
      },
      { pod: "vast-pod-1", state: "ready", instanceId: 101, image: "example/app:2", soFarDollars: 1.5 },
    ]);
    expect(pods[1]?.why).toBe("instance 10 is serving");
    expect([totals.instances, reports]).toEqual([1, "known"]);
  });

  test("is old after 15 minutes: the pod is silent, whatever its instance does", () => {
    const rows = [labelled(1), labelled(3, { actualStatus: "loading" })];
    const reports = reportsOf(
      ["k8s_pod=vast-pod-1", reported({ instanceId: 101 }), 20 * 60_000],
      ["k8s_pod=vast-pod-4", null, 3 * HOUR],
    );
    const { pods } = status(rows, { reports });
    expect(pods.map(({ label, state }) => [label, state])).toEqual([
      ["k8s_pod=vast-pod-1", "silent"],
      ["k8s_pod=vast-pod-4", "silent"],
      ["k8s_pod=vast-pod-3", "loading"],
    ]);
    expect(pods[0]?.why).toBe(
      "provisioner silent for 20m: see whether its pod runs; it last said: ready, instance 10 is serving",
    );
    expect(pods[1]?.why).toBe("provisioner silent for 3h: see whether its pod runs");
    expect(status(rows, { reports: reportsOf(["k8s_pod=vast-pod-1", reported(), 14 * 60_000]) }).pods).toMatchObject([
      { state: "loading" },
      { state: "ready" },
    ]);
  });

  test.each([
    ["nobody could be asked", null],
    ["the provisioner here has not read its list yet", ownStatus({ list: null, instances: [] })],
  ])("has no totals when %s", (_, own) => {
    const unknownTotals = { instances: null, dollarsPerHour: null, soFarDollars: null };
    expect(status([], { lists: null, own, credit: unknown() }).totals).toEqual(unknownTotals);
  });

  test("of a provisioner that only observes says so", () => {
    const reports = reportsOf(["k8s_pod=vast-pod-1", reported({ observer: true, instanceId: 101 })]);
    const [pod] = status([labelled(1)], { reports }).pods;
    expect(pod?.why).toBe("VAST_POLICY=observe, so nothing is changed: instance 10 is serving");
  });

  test("names the instance that the provisioner keeps, and quotes the host while it loads", () => {
    const rows = [labelled(1), labelled(1, { id: 900, actualStatus: "loading", statusMessage: "pulling" })];
    const loading = reported({ state: "provisioning", message: "instance 900 is loading", instanceId: 900 });
    const { pods } = status(rows, { reports: reportsOf(["k8s_pod=vast-pod-1", loading]) });
    expect(pods).toMatchObject([
      { instanceId: 101, state: "duplicate" },
      { instanceId: 900, state: "provisioning", why: "pulling" },
    ]);
  });

  test("does not outweigh the cluster, and says nothing more than the provisioner here", () => {
    const orphans = new Set(["k8s_pod=vast-pod-1", "k8s_pod=vast-pod-2"]);
    expect(states(status([labelled(1)], { reports: two, orphans }))).toEqual([["vast-pod-1", "orphan"]]);
    const own = ownStatus();
    const { pods } = status([row()], { own, reports: reportsOf([LABEL, blockedReport("vast-pod-0")]) });
    expect(pods).toMatchObject([{ state: "ready", pod: "vast-pod-0" }]);
  });

  test("is all that is known while the instances are not", () => {
    const { pods, totals } = status([], { lists: unknown(), reports: two });
    expect(pods).toMatchObject([{ state: "blocked" }, { instanceId: 101, gpu: null, dollarsPerHour: null }]);
    expect(totals.instances).toBeNull();
  });
});
