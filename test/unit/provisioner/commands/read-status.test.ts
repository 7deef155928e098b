import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { askProvisioner, readStatus, type StatusParts } from "../../../../provisioner/commands/read-status.ts";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { putReport } from "../../../../provisioner/fleet/reports.ts";
import type { ScriptRunner } from "../../../../provisioner/redis/commands.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { fakeClient, vastError } from "../fakes.ts";
import { LABEL, NOW, row } from "../plan/situation.ts";
import { ownStatus } from "../report/own-status.ts";
import { blockedReport } from "../report/reported.ts";

const rows = [row({ dollarsPerHour: 0.3 }), row({ id: 5, label: "k8s_pod=other-0", dollarsPerHour: 0.7 })];
type Lists = Awaited<ReturnType<NonNullable<StatusParts["client"]>["listAccount"]>>["lists"];

const reading = (over: Partial<StatusParts> = {}) =>
  readStatus({
    client: fakeClient([], { rows: () => rows, credit: () => 10 }),
    redis: null,
    askProvisioner: async () => null,
    prefix: null,
    readLabels: null,
    clock: fakeClock(NOW),
    ...over,
  });
const clientWith = (lists: Lists): StatusParts["client"] => ({
  listAccount: async () => ({ lists, rows: 1 }),
  readCredit: async () => 10,
});
const fails = (error: Error) => async () => {
  throw error;
};

describe("what status reads", () => {
  test("is the whole account and its credit", async () => {
    const { status, complete } = await reading();
    expect(complete).toBe(true);
    expect(status.pods.map(({ pod }) => pod)).toEqual(["other-0", "vast-pod-0"]);
    expect(status).toMatchObject({ creditDollars: 10, creditHours: 10, problems: [], own: null });
  });

  test("waits for the answer where other calls with the same key came first", async () => {
    const asked: unknown[] = [];
    const client = {
      listAccount: async (...args: unknown[]) => {
        asked.push(args);
        return { lists: new Map<string, readonly Instance[]>(), rows: 0 };
      },
      readCredit: async () => 10,
    };
    await reading({ client });
    expect(asked).toEqual([[undefined, { retryRateLimited: true }]]);
  });

  test("shows only labels with the prefix, and how long the credit lasts for the whole account", async () => {
    const { status } = await reading({
      prefix: "k8s_pod=vast-pod-",
      askProvisioner: async () => ({ status: ownStatus({ label: "k8s_pod=x-0" }) }),
    });
    expect(status.pods.map(({ pod }) => pod)).toEqual(["vast-pod-0"]);
    expect(status).toMatchObject({ creditHours: 10, own: null, totals: { dollarsPerHour: 0.3 } });
  });

  test("names the labels whose instances cannot be read, and shows the others", async () => {
    const lists: Lists = new Map<string, readonly Instance[] | ReturnType<typeof vastError>>([
      [LABEL, [row()]],
      ["k8s_pod=odd-0", vastError("malformed")],
    ]);
    const { status, complete } = await reading({ client: clientWith(lists) });
    expect(complete).toBe(false);
    expect(status.pods.map(({ pod }) => pod)).toEqual(["vast-pod-0"]);
    expect(status.problems).toEqual([
      expect.stringMatching(/^The instances with the label k8s_pod=odd-0 are unknown \(/),
    ]);
    expect(status.creditHours).toBeNull();
    expect((await reading({ client: clientWith(lists), prefix: "k8s_pod=vast" })).complete).toBe(true);
  });

  test("stands without the list where the provisioner here answers, but is not complete", async () => {
    const client = { listAccount: fails(vastError("unavailable")), readCredit: fails(vastError("auth")) };
    const { status, complete } = await reading({ client, askProvisioner: async () => ({ status: ownStatus() }) });
    expect(complete).toBe(false);
    expect(status.pods).toMatchObject([{ pod: "vast-pod-0", state: "ready" }]);
    expect(status.problems).toEqual([
      expect.stringMatching(/^The instances of the account are unknown/),
      expect.stringMatching(/^The credit is unknown \(the API refuses VAST_API_KEY: set a valid key .*\)\.$/),
    ]);
  });

  test("is only the provisioner here without a key", async () => {
    const { status, complete } = await reading({ client: null, askProvisioner: async () => ({ status: ownStatus() }) });
    expect(complete).toBe(true);
    expect(status).toMatchObject({ pods: [{ pod: "vast-pod-0" }], problems: [], creditDollars: 88.2 });
  });

  test("says what to do where nobody can be asked", async () => {
    const nobody = await reading({ client: null });
    expect([nobody.complete, nobody.status.problems]).toEqual([false, [expect.stringContaining("set the key")]]);
    const broken = await reading({
      client: null,
      askProvisioner: async () => ({ problem: "It does not run: VAST_API_KEY is missing" }),
    });
    expect([broken.complete, broken.status.problems]).toEqual([false, ["It does not run: VAST_API_KEY is missing"]]);
  });

  test("marks instances as orphans only by a clear answer of the cluster", async () => {
    const labels = { isOfPods: (label: string | null) => label === LABEL, isWanted: () => false };
    const found = await reading({ readLabels: async () => labels });
    expect(found.status.pods.map(({ pod, state }) => [pod, state])).toEqual([
      ["vast-pod-0", "orphan"],
      ["other-0", "running"],
    ]);
    const unclear = await reading({ readLabels: async () => ({ problem: "HTTP 403" }) });
    expect(unclear.status.pods.map(({ state }) => state)).toEqual(["running", "running"]);
    expect([unclear.complete, unclear.status.problems]).toEqual([true, ["Orphans are not known: HTTP 403."]]);
  });
});

describe("what the provisioners of other pods say", () => {
  const redisOf = (scripts: ScriptRunner) => ({ scripts, accountId: async () => 17, explain: () => "Redis is away" });

  test("is read for the labels that were asked for", async () => {
    const clock = fakeClock(NOW);
    const scripts = sharedRedis(clock.now).connect(clock.sleep);
    for (const pod of ["a-0", "b-0"]) await putReport(scripts, fleetKeys(17), `k8s_pod=${pod}`, blockedReport(pod));
    const { status, complete } = await reading({ redis: redisOf(scripts), prefix: "k8s_pod=b-", clock });
    expect(status).toMatchObject({ reports: "known", problems: [], pods: [{ pod: "b-0", state: "blocked" }] });
    expect(complete).toBe(true);
  });

  test("is a problem where Redis does not answer, and the instances are shown all the same", async () => {
    const { status, complete } = await reading({ redis: redisOf({ evaluate: fails(new Error("ECONNREFUSED")) }) });
    expect(status.problems).toEqual(["What the provisioners of other pods say is unknown (Redis is away)."]);
    expect([status.pods.length, status.reports, complete]).toEqual([2, "unknown", false]);
  });
});

describe("the provisioner here", () => {
  const CLOCK = fakeClock();

  test("that does not answer in time is not taken for none", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const asked = new Promise<void>((resolve) => silent.once("request", () => resolve()));
    const answer = askProvisioner((silent.address() as AddressInfo).port, CLOCK);
    await asked;
    await CLOCK.advance(60_000);
    expect(await answer).toEqual({ problem: expect.stringMatching(/does not answer within 3 s: .*try again/) });
    silent.closeAllConnections();
    silent.close();
  });

  test("is none where nothing listens", async () => {
    expect(await askProvisioner(1, CLOCK)).toBeNull();
  });
});
