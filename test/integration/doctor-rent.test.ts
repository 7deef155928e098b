// `doctor --rent` as a real program: one instance is rented and destroyed, and nothing is left however it is broken off.
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod, REGISTRY_PASSWORD } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

// The checks have 2 to 8 s for an answer: a busy machine needs more than an eighth of that.
const TIME_SCALE = 4;
const LABEL = "doctor=k8s_pod=vast-pod-0";
const LOGIN = { DOCKER_LOGIN: `-u registry-user -p ${REGISTRY_PASSWORD} docker.io` };

const start = (...more: string[]) => pod.provision(LOGIN, ["doctor", "--rent", "--yes", ...more]);
const textOf = (child: Child) => child.lines.join("\n");
const created = () => until("an instance is created", async () => (await pod.emulator.live(LABEL))[0]);
const leftovers = async () => (await readdir(dirname(pod.statePath))).filter((name) => name.includes("doctor"));

async function finished(child: Child, code: number) {
  expect([(await child.exited).code, textOf(child)]).toEqual([code, expect.any(String)]);
  return textOf(child);
}

async function expectNothingLeft() {
  expect(await pod.emulator.live(LABEL)).toEqual([]);
  expect(await leftovers()).toEqual([]);
}

test("rents the cheapest offer, waits until it answers, destroys it, and leaves the pod's own instance alone", async () => {
  pod = await openPod({ timeScale: TIME_SCALE });
  await pod.provision(LOGIN);
  await pod.ready();
  const text = await finished(await start(), 0);
  expect(text).toMatch(/ok {4}rent {2}instance \d+ created from offer \d+ in \d+ s/);
  expect(text).toMatch(/ok {4}rent {2}it answered at 127\.0\.0\.1:\d+ after \d+ s/);
  expect(text).toMatch(
    /ok {4}rent {2}destroyed and verified in \d+ s; it cost at most about \$0\.\d{4}, without traffic/,
  );
  await expectNothingLeft();
  const { instances } = await pod.emulator.state();
  expect(instances.filter(({ label }) => label === LABEL)).toHaveLength(1);
  expect(await pod.emulator.live(pod.label)).toHaveLength(1);
});

test("an instance that does not start is named in Vast.ai's words, and destroyed although the API refuses it at first", async () => {
  pod = await openPod({ timeScale: TIME_SCALE, bootSeconds: 3600 });
  for (const status of [500, 429, 503])
    await pod.emulator.send("POST", "faults", { method: "DELETE", path: "^/api/v0/instances/", effect: { status } });
  const child = await start();
  await created();
  await pod.emulator.event("any", "pull-failure");
  const text = await finished(child, 1);
  expect(text).toMatch(/fail {2}rent {2}instance \d+ did not answer: image_unavailable: /);
  expect(text).toMatch(/ok {4}rent {2}destroyed and verified/);
  await expectNothingLeft();
});

test("Ctrl-C destroys what was rented before it ends", async () => {
  pod = await openPod({ timeScale: TIME_SCALE, bootSeconds: 3600 });
  const child = await start();
  await created();
  child.signal("SIGINT");
  child.signal("SIGINT");
  expect(await finished(child, 1)).toMatch(/did not answer: broken off[\s\S]*destroyed and verified/);
  await expectNothingLeft();
});

test("what a killed trial has left is destroyed by the next one, even if its create was never answered", async () => {
  pod = await openPod({ timeScale: TIME_SCALE, bootSeconds: 3600, emulator: { visibilityLagSeconds: 40 } });
  await pod.emulator.send("POST", "faults", { method: "PUT", path: "^/api/v0/asks/", effect: { kind: "hang-after" } });
  const first = await start();
  await created();
  first.signal("SIGKILL");
  await first.exited;
  expect(await leftovers()).toEqual(["doctor.json"]);
  const second = await start();
  const text = () => textOf(second);
  await until("the first trial's instance is destroyed", () => /Destroyed and verified: \d+/.test(text()), {
    timeoutMs: 60_000,
    context: text,
  });
  second.signal("SIGINT");
  await second.exited;
  await expectNothingLeft();
});

test("nothing is rented that may cost more than allowed, without a yes, or while a check fails", async () => {
  pod = await openPod({ timeScale: TIME_SCALE });
  await pod.emulator.send("PUT", "offers", [
    { id: 5000123, gpu_name: "RTX 4090", dph_total: 0.3 },
    { id: 5000124, gpu_name: "RTX 4090", dph_total: 0.4 },
    { id: 5000125, gpu_name: "RTX 4090", dph_total: 0.5 },
  ]);
  expect(await finished(await start("--max-dollars", "0.01"), 1)).toMatch(
    /may become more than \$0\.01 .*\n.*--max-dollars 0\.\d\d/,
  );
  expect(await finished(await pod.provision(LOGIN, ["doctor", "--rent"]), 1)).toMatch(/add --yes/);
  expect(await finished(await start("--max-dollars", "much"), 2)).toMatch(/--max-dollars must be/);
  expect(await finished(await start("--vast-template-name", "other"), 1)).toMatch(
    /correct first what failed \(template\)/,
  );
  expect(await pod.emulator.mutations()).toEqual([]);
});
