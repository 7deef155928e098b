// `doctor` as a real program: what it finds beside a pod that works, and what it says when things are wrong. It changes nothing.
import { afterEach, describe, expect, test } from "vitest";
import type { Finding } from "../../provisioner/doctor/findings.ts";
import { startFakeCluster } from "../kubernetes/fake-cluster.ts";
import { inClusterEnv } from "./in-cluster.ts";
import { API_KEY, openPod, type Pod, type PodOptions, REGISTRY_PASSWORD } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

// The clock of a test that runs faster than real time differs from that of the API.
const open = async (options: PodOptions = {}) => {
  pod = await openPod({ timeScale: 1, bootSeconds: 1, ...options });
  return pod;
};

async function doctor(env: Record<string, string> = {}) {
  const child = await pod.provision(env, ["doctor", "-o", "json"]);
  const { code } = await child.exited;
  const text = child.lines.join("\n");
  const { findings } = JSON.parse(text) as { findings: Finding[] };
  const of = (check: string) => findings.filter((finding) => finding.check === check);
  return { code, text, findings, of };
}

const LOGIN = { DOCKER_LOGIN: `-u registry-user -p ${REGISTRY_PASSWORD} docker.io` };

test("finds nothing wrong beside a pod that works, and changes nothing", async () => {
  await open({ redis: true, proxy: true });
  await pod.provision();
  await pod.ready();
  const before = (await pod.emulator.mutations()).length;
  const { code, findings, of } = await doctor(LOGIN);
  expect(findings.filter(({ verdict }) => verdict === "fail" || verdict === "warn")).toEqual([]);
  expect(code).toBe(0);
  expect(of("key")[0]?.message).toMatch(/^account 104717, credit \$[\d.]+ \(about \d+d \d+h at \$\d\.\d\d\/h\)$/);
  expect(of("instances")[0]?.message).toMatch(
    /^the account has 1; instance \d+ \(.*\) with the label k8s_pod=vast-pod-0$/,
  );
  expect(of("redis")[0]?.message).toMatch(
    /: 0 bans, the lease of k8s_pod=vast-pod-0 is held by .* \(pid \d+, started /,
  );
  expect(of("nginx")[0]?.message).toMatch(/^master \d+ may be signalled, and serves what is wanted$/);
  expect(of("forms")[0]?.message).toMatch(/^6 of 6 kinds of answers have the expected form/);
  expect(await pod.emulator.mutations()).toHaveLength(before);
});

test("says for everything that is wrong what to do, and shows no secret", async () => {
  await open();
  await pod.emulator.send("POST", "account", { credit: -0.5 });
  const { code, text, of } = await doctor({
    VAST_TEMPLATE_NAME: "Demo",
    VAST_TEMPLATE_IMAGE: "",
    VAST_SEARCH_QUERY: JSON.stringify({ gpu_ram: { gte: 240_000 } }),
    STATE_PATH: "/proc/state/provisioner.json",
    BLACKLIST_ENABLED: "true",
    BLACKLIST_REDIS_URL: "redis://:redis-password-3f@127.0.0.1:1/0",
    VAST_ON_TERMINATE: "scale-down",
  });
  expect(code).toBe(1);
  expect(of("settings")).toMatchObject([{ verdict: "fail", message: "VAST_TEMPLATE_IMAGE is missing" }]);
  expect(of("key")[0]).toMatchObject({ verdict: "fail", message: "account 104717, credit $-0.50" });
  expect(of("template")).toMatchObject([
    { verdict: "fail", message: expect.stringMatching(/no template .* named "Demo"/) },
  ]);
  expect(of("query")).toMatchObject([
    { verdict: "fail", message: expect.stringMatching(/^0 offers: gpu_ram gte 240000 excludes (\d+) of \1 others$/) },
  ]);
  expect(of("query")[0]?.remedy).toMatch(/^did you mean 24000 \(JSON is in MB\) for gpu_ram\?$/);
  expect(of("redis")).toMatchObject([{ verdict: "fail", message: "127.0.0.1:1/0: Redis is unreachable" }]);
  expect(of("state")[0]?.verdict).toBe("fail");
  expect(of("cluster")[0]).toMatchObject({
    verdict: "fail",
    message: expect.stringMatching(/KUBERNETES_SERVICE_HOST/),
  });
  expect(of("nginx")[0]?.verdict).toBe("skip");
  for (const secret of [API_KEY, REGISTRY_PASSWORD, "redis-password-3f"]) expect(text).not.toContain(secret);
});

test("goes on where the passwords of Redis do not fit their URLs, and says that once", async () => {
  await open();
  const { code, of } = await doctor({ FLEET_REDIS_PASSWORD: "x" });
  expect(code).toBe(1);
  expect(of("settings")).toMatchObject([
    { verdict: "fail", message: "FLEET_REDIS_PASSWORD is set without FLEET_REDIS_URL" },
  ]);
  expect(of("redis")).toMatchObject([{ verdict: "skip", message: "its settings do not fit together: see settings" }]);
  expect(of("key")[0]?.verdict).toBe("ok");
});

describe("the account", () => {
  test("refuses the key: one fault, and what needs the key is not checked", async () => {
    await open();
    const { of, findings } = await doctor({ VAST_API_KEY: "another-key", ...LOGIN });
    expect(of("key")).toMatchObject([{ verdict: "fail", message: expect.stringMatching(/Invalid user key/) }]);
    expect(findings.filter(({ verdict }) => verdict === "fail")).toHaveLength(1);
    expect(of("query")).toMatchObject([{ verdict: "skip", message: "see key" }]);
  });

  test("gives the key too few rights: the missing one is named", async () => {
    await open();
    await pod.emulator.send("POST", "account", { scopes: ["user_read", "misc"] });
    expect((await doctor(LOGIN)).of("rights")).toMatchObject([
      { verdict: "fail", message: "the key lacks the right instance_read" },
    ]);
  });

  test("has more announced prices than the API shows: that is said", async () => {
    await open();
    const body = { success: true, count: 0, truncated: true, pending_price_increases: [] };
    const path = "/pending-price-increases/";
    await pod.emulator.send("POST", "faults", { method: "GET", path, effect: { status: 200, body } });
    expect((await doctor(LOGIN)).of("money")).toMatchObject([
      { verdict: "warn", message: expect.stringContaining("the API leaves the others out") },
    ]);
  });

  test("answers in another form: the field is named", async () => {
    await open();
    await pod.emulator.send("POST", "instances", { label: pod.label });
    await pod.emulator.send("POST", "instances/any/row", { actual_status: ["running"], gpu_name: 4090 });
    const { code, of } = await doctor(LOGIN);
    expect(of("forms")).toMatchObject([
      {
        verdict: "fail",
        message: "GET /api/v1/instances/: actual_status is a list, gpu_name is a number of another form",
      },
    ]);
    expect(code).toBe(1);
  });
});

test("asks the cluster what the service account may do", async () => {
  await open();
  const cluster = await startFakeCluster();
  try {
    const inCluster = {
      ...LOGIN,
      VAST_ON_TERMINATE: "scale-down",
      ...(await inClusterEnv(pod, cluster)),
    };
    expect((await doctor(inCluster)).of("cluster")).toMatchObject([
      {
        verdict: "ok",
        message: "may get pods, get statefulsets, get namespaces in models: VAST_ON_TERMINATE=scale-down",
      },
    ]);
    cluster.denied.add("statefulsets");
    expect((await doctor(inCluster)).of("cluster")).toMatchObject([
      {
        verdict: "fail",
        message: "in models the service account may not get statefulsets, which VAST_ON_TERMINATE=scale-down needs",
      },
    ]);
    cluster.denied.add("events");
    const withEvents = { ...inCluster, VAST_ON_TERMINATE: "keep", KUBERNETES_EVENTS: "true" };
    expect((await doctor(withEvents)).of("cluster")).toMatchObject([
      {
        verdict: "fail",
        message:
          "in models the service account may not create events, patch events, which KUBERNETES_EVENTS=true needs",
        remedy: "add the component events to the overlay, or give the service account its Role",
      },
    ]);
  } finally {
    await cluster.close();
  }
});
