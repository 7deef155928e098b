// The command `status` as a real program: the account with a key, the provisioner that runs here without one.
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FleetStatus } from "../../provisioner/report/fleet-status.ts";
import { startFakeCluster } from "../kubernetes/fake-cluster.ts";
import { until } from "../sandbox/until.ts";
import { startMember, untilReady } from "./fleet.ts";
import { inClusterEnv } from "./in-cluster.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod({ timeScale: 1, bootSeconds: 1 });
});
afterEach(() => pod.close());

async function status(more: Record<string, string> = {}, ...args: string[]) {
  const child = await pod.provision(more, ["status", ...args]);
  const { code } = await child.exited;
  return { code, lines: child.lines, text: child.lines.join("\n") };
}
const documentOf = ({ lines }: { lines: readonly string[] }) =>
  JSON.parse(lines.find((line) => line.startsWith("{")) ?? "") as FleetStatus;
const make = (label: string, hoursOld = 2) =>
  pod.emulator.send("POST", "instances", { label, start_date: Date.now() / 1000 - hoursOld * 3600 });
/** The provisioner asks for its own label only. */
const accountLists = async () =>
  (await pod.emulator.requests()).filter(({ path, query }) => path === "/api/v1/instances/" && !query.select_filters);

test("shows the account with what the provisioner here knows, and without a key asks only that one", async () => {
  await pod.provision();
  await pod.ready();
  await make("k8s_pod=vast-pod-7");
  await make("k8s_pod=vast-pod-7");
  const before = (await pod.emulator.mutations()).length;

  const all = await status();
  expect([all.code, all.text]).toEqual([0, expect.stringMatching(/^POD +STATE +/m)]);
  expect(all.text).toMatch(/^\(vast-pod-7\) +duplicate /m);
  expect(all.text).toMatch(/^vast-pod-0 +ready .* is serving/m);
  expect(all.text).toMatch(/^3 instances {2}\$\d\.\d{3}\/h {2}about \$\d+ a month/m);
  expect(all.text).toMatch(/^credit \$\d+\.\d\d = \d+/m);
  const document = documentOf(await status({}, "-o", "json"));
  expect(document).toMatchObject({ schema: 1, totals: { instances: 3 }, own: { pod: "vast-pod-0" }, problems: [] });
  expect(document.pods.map(({ pod: name, state }) => [name, state]).at(0)).toEqual(["vast-pod-7", "duplicate"]);
  expect((await status({}, "--prefix", "k8s_pod=vast-pod-7", "-o", "name")).lines).toEqual(["vast-pod-7"]);

  const asked = (await accountLists()).length;
  for (const own of [await status({ VAST_API_KEY: "" }), await status({}, "--own")]) {
    expect([own.code, own.text]).toEqual([0, expect.stringMatching(/^vast-pod-0 +ready /m)]);
    expect(own.text).toMatch(/^ {2}next +waits for a change of the image/m);
    expect(own.text).not.toContain("vast-pod-7");
  }
  expect(asked).toBeGreaterThan(0);
  expect((await accountLists()).length).toBe(asked);
  expect((await pod.emulator.mutations()).length).toBe(before);
});

test("shows with the fleet's Redis why other pods are what they are and what comes next, also of one without an instance", async () => {
  await pod.close();
  pod = await openPod({ timeScale: 1, bootSeconds: 1, redis: true });
  const [ready, blocked] = [await startMember(pod, 3), await startMember(pod, 4, { env: { VAST_MAX_DPH: "0.001" } })];
  await untilReady([ready], 60_000);
  const reasons = async () => {
    const { pods } = documentOf(await status({}, "-o", "json"));
    return new Map(pods.map((one) => [one.pod, one]));
  };
  const said = await until(
    "both have said what they are",
    async () => {
      const pods = await reasons();
      return pods.get("vast-pod-3")?.state === "ready" && pods.get("vast-pod-4")?.state === "blocked" ? pods : null;
    },
    { timeoutMs: 60_000, everyMs: 500, context: () => blocked.child().lines.slice(-5).join("\n") },
  );
  expect(said.get("vast-pod-3")).toMatchObject({
    why: expect.stringContaining("is serving"),
    next: { waitsFor: expect.stringMatching(/^a change of the image/) },
    paidDollars: expect.any(Number),
  });
  expect(said.get("vast-pod-4")).toMatchObject({
    instanceId: null,
    image: "example/app:2",
    why: expect.stringContaining("VAST_MAX_DPH"),
    next: { waitsFor: expect.stringMatching(/^an offer that /) },
  });
  const { code, lines, text } = await status();
  expect([code, lines.find((line) => line.startsWith("vast-pod-"))]).toEqual([
    0,
    expect.stringMatching(
      /^vast-pod-4 +blocked .* above VAST_MAX_DPH .*; (waits for an offer that|an instance is created in) /,
    ),
  ]);
  expect(text).toMatch(/^vast-pod-3 +ready .* is serving/m);
  expect(text).not.toContain("need the fleet's Redis");

  const without = await status({ BLACKLIST_ENABLED: "" });
  expect(without.text).toMatch(/^Why and what next of other pods.* need the fleet's Redis: set FLEET_REDIS_URL/m);
  expect(without.text).not.toContain("vast-pod-4");
  const away = await status({ BLACKLIST_REDIS_URL: "redis://127.0.0.1:1" });
  expect([away.code, away.text]).toEqual([
    1,
    expect.stringMatching(/^What the provisioners of other pods say is unknown/m),
  ]);

  const destroyed = await startMember(pod, 5, { env: { VAST_ON_TERMINATE: "destroy" } });
  await untilReady([destroyed], 60_000);
  await until("it has said so", async () => (await reasons()).get("vast-pod-5")?.state === "ready", {
    timeoutMs: 30_000,
  });
  await destroyed.child().stop();
  expect((await reasons()).has("vast-pod-5")).toBe(false);

  await ready.child().stop();
  const destroy = await pod.provision({ POD_NAME: "vast-pod-3", STATE_PATH: join(pod.sandbox.folder, "none.json") }, [
    "destroy",
    "--yes",
  ]);
  expect((await destroy.exited).code).toBe(0);
  const left = await reasons();
  expect([left.has("vast-pod-3"), left.has("vast-pod-4")]).toEqual([false, true]);
});

test("redraws one screen of a terminal until it is told to end", async () => {
  await pod.provision();
  await pod.ready();
  const command = `${process.execPath} dist/provisioner.mjs status --own --watch`;
  const env = { ...pod.env({ VAST_API_KEY: "" }), TERM: "xterm" };
  const watch = await pod.sandbox.start({
    name: "watch",
    program: "script",
    args: ["-qec", command, "/dev/null"],
    env,
  });
  const screens = () => watch.lines.filter((line) => line.startsWith("\u001b[H\u001b[J"));
  await until("two screens were drawn", () => screens().length >= 2, { context: () => watch.lines.join("\n") });
  expect(screens()[1]).toMatch(/POD +STATE/);
  expect(watch.lines.join("\n")).toContain("\u001b[32mready\u001b[39m"); // on a terminal the state has its colour
  expect(watch.exit()).toBeNull();
});

test("marks what no StatefulSet wants, in a cluster", async () => {
  const cluster = await startFakeCluster();
  try {
    cluster.pods.set("vast-pod-0", "vast-pod");
    cluster.statefulSets.set("vast-pod", { name: "vast-pod", replicas: 1 });
    for (const number of [0, 6]) await make(`k8s_pod=vast-pod-${number}`);
    const inCluster = await inClusterEnv(pod, cluster);
    const { code, text } = await status(inCluster, "--prefix", "k8s_pod=vast-pod-");
    expect([code, text]).toEqual([0, expect.stringMatching(/^\(vast-pod-6\) +orphan .*vast-provisioner reap/m)]);
    expect(text).toMatch(/^vast-pod-0 +(running|loading) /m);
    const elsewhere = await status(inCluster, "--prefix", "k8s_pod=other-");
    expect([elsewhere.code, elsewhere.text]).toEqual([0, expect.stringContaining("Orphans are not known: ")]);
  } finally {
    await cluster.close();
  }
});

test("says what to do when nobody can be asked, when the API does not answer, and when nothing can be redrawn", async () => {
  const nobody = await status({ VAST_API_KEY: "" });
  expect([nobody.code, nobody.text]).toEqual([1, expect.stringMatching(/No provisioner answers .*set the key/)]);
  const refused = await status({ VAST_API_KEY: "a-wrong-key" });
  expect([refused.code, refused.text]).toEqual([
    1,
    expect.stringMatching(/^The instances of the account are unknown/m),
  ]);
  expect(refused.text).not.toContain("a-wrong-key");
  const json = await status({}, "--watch", "-o", "json");
  expect([json.code, json.text]).toEqual([2, expect.stringContaining("leave it out with -o json")]);
  const piped = await status({}, "--watch");
  expect([piped.code, piped.text]).toEqual([2, expect.stringContaining("redraws the screen of a terminal")]);
});
