import { describe, expect, test } from "vitest";
import { known } from "../../../../provisioner/model/observation.ts";
import { type FleetReading, fleetStatus } from "../../../../provisioner/report/fleet-status.ts";
import { statusNames, statusScreen } from "../../../../provisioner/screens/status-screen.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { HOUR, MINUTE, NOW, row, unknown } from "../plan/situation.ts";
import { loadingStatus, ownStatus } from "../report/own-status.ts";
import { blockedReport, reported } from "../report/reported.ts";

const DAY = 24 * HOUR;
const at = (label: string, over: Partial<Instance> = {}) =>
  row({ label, dollarsPerHour: 0.25, createdAt: NOW - 4 * DAY, ...over });
const lists = new Map<string, readonly Instance[]>([
  ["k8s_pod=vast-pod-0", [at("k8s_pod=vast-pod-0", { id: 10 })]],
  [
    "k8s_pod=vast-pod-1",
    [
      at("k8s_pod=vast-pod-1", {
        id: 11,
        actualStatus: "loading",
        createdAt: NOW - 6 * MINUTE,
        statusMessage: "pulling 3.1 of 9.8 GB",
        image: "registry.example/team/app:3",
      }),
    ],
  ],
  ["k8s_pod=vast-pod-7", [at("k8s_pod=vast-pod-7", { id: 17, gpuName: "A100", gpus: null, dollarsPerHour: 0.81 })]],
]);
const reading: FleetReading = {
  lists: known(lists),
  accountDollarsPerHour: 1.31,
  own: null,
  reports: new Map(),
  orphans: new Set(["k8s_pod=vast-pod-7"]),
  credit: known(88.2),
  problems: [],
  now: NOW,
};
const plain = (_style: string, text: string) => text;
const screen = (over: Partial<FleetReading> = {}, width: number | null = 120, wide = false) =>
  statusScreen(fleetStatus({ ...reading, ...over }), plain, width, wide);

describe("the screen of status", () => {
  test("shows the worst first, the totals last, and says what is an estimate", () => {
    expect(screen()).toBe(`POD           STATE    AGE  GPU            $/H  SO FAR  IMAGE  WHY
(vast-pod-7)  orphan    4d  A100         0.810  $77.76  app:2  no StatefulSet wants its pod: destroy it with vast-provi…
vast-pod-1    loading   6m  1x RTX 4090  0.250   $0.03  app:3  pulling 3.1 of 9.8 GB
vast-pod-0    running   4d  1x RTX 4090  0.250  $24.00  app:2  203.0.113.9:41234
3 instances  $1.310/h  about $956 a month  about $101.79 so far (without traffic)
credit $88.20 = 2d 19h at this rate of the account
`);
  });

  test("leaves out columns that do not fit and names them, and shows all with -o wide", () => {
    const narrow = screen({}, 70);
    expect(narrow).toContain("(hidden to fit: AGE, GPU, IMAGE; -o wide shows them)");
    const table = narrow.split("\n").slice(0, 4);
    expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(70);
    const wide = screen({}, 70, true);
    expect(wide).toMatch(/^POD .* AGE .* INSTANCE {2}HOST .* ENDPOINT .* TEMPLATE .* ENDS {2}PAID {2}WASTED {2}WHY\n/);
    expect(wide).toContain("no StatefulSet wants its pod: destroy it with vast-provisioner reap --yes\n");
  });

  test("shows what its own provisioner knows: since when, what comes next, proxy, list, creates and money", () => {
    const text = screen({ own: loadingStatus("pulling 3.1 of 9.8 GB"), orphans: null }, 160);
    expect(text).toMatch(
      /vast-pod-0 +provisioning +1h 50m .* pulling 3.1 of 9.8 GB; it is replaced and its host is banned in 14m\n/,
    );
    expect(text).toContain(`
vast-pod-0
  why     instance 7835610 (RTX 4090, $0.316/h) is loading (instance_starting)
  next    waits for instance 7835610 to become ready until 2026-11-23T15:14:00.000Z (in 14m), then it is replaced and its host is banned
  proxy   ready, generation 12 applied
  list    read 11s ago
  creates 4 of 6 left this hour
  money   $24.02 paid since 2026-11-20T15:00:00.000Z (estimate), $0.40 of it while nothing was served
`);
  });

  test("shows what would be rented if the policy allowed it, and lets no text of a host control the terminal", () => {
    const at = "2026-11-23T15:00:00.000Z";
    const wouldRent = { at, offer: null, message: "would rent offer 5 (RTX\u001b[31m 4090)" };
    expect(screen({ own: { ...loadingStatus("pulling"), wouldRent }, orphans: null }, 160)).toContain(
      "\n  observe would rent offer 5 (RTX 4090)\n",
    );
  });

  test("shows what is not known as a question mark, and below the table why", () => {
    const text = screen({
      lists: unknown(),
      credit: unknown(),
      problems: ["The instances of the account are unknown (HTTP 502)."],
    });
    expect(text).toBe(`? instances  ?  about ? a month  about ? so far (without traffic)
credit ?
The instances of the account are unknown (HTTP 502).
`);
    const own = ownStatus({
      proxy: null,
      list: { known: false, at: "", ageSeconds: 90, why: "HTTP 429" },
      problem: "the volume is full",
    });
    const alone = screen({ lists: null, own, credit: unknown(), accountDollarsPerHour: null });
    expect(alone).toContain("proxy   ?, the reloader does not answer");
    expect(alone).toContain("list    read 1m ago, unknown: HTTP 429");
    expect(alone).toContain("problem the volume is full");
  });

  test("does not repeat what comes next in the table when there is no limit", () => {
    const next = {
      waitsFor: "nothing: it serves",
      lookAt: null,
      deadline: null,
      afterwards: "it is replaced when the image changes",
    };
    const text = screen({ lists: null, own: ownStatus({ next }) }, 200);
    expect(text).toMatch(/^vast-pod-0 .* is serving$/m);
    expect(text).toContain("  next    waits for nothing: it serves; it is replaced when the image changes\n");
  });

  test("knows no costs before the first list, and what was billed where the key may read it", () => {
    const { money } = ownStatus();
    const unread = ownStatus({ money: { ...money, paidDollars: 0, since: null } });
    expect(screen({ lists: null, own: unread })).toContain("  money   ?\n");
    const billed = { dollars: 25.5, since: "2026-11-20T00:00:00.000Z", at: "2026-11-23T00:00:00.000Z" };
    expect(screen({ lists: null, own: ownStatus({ money: { ...money, billed } }) })).toContain(
      "$0.40 of it while nothing was served; billed $25.50 since 2026-11-20T00:00:00.000Z\n",
    );
  });

  test("has a row for a pod without an instance", () => {
    const own = ownStatus({
      state: "blocked",
      message: "no offer can be taken",
      instances: [],
      reason: "no_offer",
      remedy: "raise VAST_MAX_DPH",
    });
    expect(screen({ lists: null, own })).toContain("  do      raise VAST_MAX_DPH\n");
    expect(screen({ lists: null, own })).toMatch(
      /\nvast-pod-0 +blocked +1h 50m +- +- +- +- +app:2 +no offer can be taken\n/,
    );
    expect(screen({ lists: known(new Map()) })).toMatch(/^No instances\.\n0 instances {2}\$0\.000\/h /);
  });

  test("says what a pod waits for, and what a host that raises its price asks for", () => {
    const report = reported({ pendingPrice: { dollarsPerHour: 0.4, at: new Date(NOW + 5 * HOUR).toISOString() } });
    const reports = new Map([
      ["k8s_pod=vast-pod-0", { report, ageMs: 1000 }],
      ["k8s_pod=vast-pod-9", { report: blockedReport("vast-pod-9"), ageMs: 1000 }],
    ]);
    const text = screen({ reports }, null);
    expect(text).toMatch(/^vast-pod-0 +ready +.* is serving; its host asks for \$0\.400\/h in 5h$/m);
    expect(text).toMatch(/^vast-pod-9 +blocked +10m +- +- +- +- +app:2 +no offer can be taken; waits for an offer$/m);
    expect(text).not.toContain("FLEET_REDIS_URL");
    const silent = new Map([["k8s_pod=vast-pod-0", { report, ageMs: 20 * MINUTE }]]);
    expect(screen({ reports: silent }, null)).toMatch(/^vast-pod-0 +silent +20m .*provisioner silent for 20m: /m);
  });

  test("says below the table that the other pods' reasons need the fleet's Redis", () => {
    const line = /^Why and what next of other pods.* set FLEET_REDIS_URL, /m;
    expect(screen({ reports: "no_redis" })).toMatch(line);
    expect(screen({ reports: "no_redis", lists: null, own: ownStatus() })).not.toMatch(line);
  });

  test("warns of a contract that ends within a day", () => {
    const ending = new Map([["k8s_pod=a-0", [at("k8s_pod=a-0", { endsAt: NOW + 5 * HOUR })]]]);
    expect(screen({ lists: known(ending) })).toContain("203.0.113.9:41234; its contract ends in 5h\n");
    const later = new Map([["k8s_pod=a-0", [at("k8s_pod=a-0", { endsAt: NOW + 2 * DAY })]]]);
    expect(screen({ lists: known(later) })).not.toContain("ends in");
  });

  test("lets no text of a stranger control the terminal or begin a line", () => {
    const evil = "\u001b[2J\u001b]0;owned\u0007\nvast-pod-9  ready\u202e";
    const row = at("k8s_pod=\u001b[31mx\n", {
      actualStatus: "loading",
      statusMessage: evil,
      gpuName: evil,
      image: evil,
    });
    const text = screen({ lists: known(new Map([["x", [row]]])), own: loadingStatus(evil), problems: [evil] }, 400);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(text.match(/^vast-pod-9/gm)).toHaveLength(1); // the problem, which is a sentence of this program
  });
});

test("the names are each pod once, the worst first", () => {
  const twice = new Map([
    ...lists,
    ["k8s_pod=vast-pod-0", [at("k8s_pod=vast-pod-0", { id: 1 }), at("k8s_pod=vast-pod-0", { id: 2 })]],
  ]);
  expect(statusNames(fleetStatus({ ...reading, lists: known(twice) }))).toBe("vast-pod-0\nvast-pod-7\nvast-pod-1\n");
});
