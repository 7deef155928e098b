// The command `plan` as a real program: it says what would be done, and changes nothing.
import { readdir, readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { afterEach, expect, test } from "vitest";
import type { PlanDocument } from "../../provisioner/report/plan-document.ts";
import { until } from "../sandbox/until.ts";
import { COMMAND_SCALE, openPod, type Pod, type PodOptions } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());
const open = async (options?: PodOptions) => {
  pod = await openPod({ timeScale: COMMAND_SCALE, ...options });
};

async function plan(more: Record<string, string> = {}, ...args: string[]) {
  const child = await pod.provision(more, ["plan", ...args]);
  const { code } = await child.exited;
  return { code, lines: child.lines, text: child.lines.join("\n") };
}
const documentOf = ({ lines }: { lines: readonly string[] }) =>
  JSON.parse(lines.find((line) => line.startsWith("{")) ?? "") as PlanDocument;

/** All names and values in the Redis, by its client on another connection. */
async function keysOf(url: string): Promise<string[]> {
  const redis = new Redis(url);
  try {
    const keys = (await redis.keys("*")).toSorted();
    return await Promise.all(keys.map(async (key) => `${key} ${await redis.type(key)}`));
  } finally {
    redis.disconnect();
  }
}

/** Everything that a plan must leave as it is. */
async function traces() {
  const files = await readdir(pod.sandbox.folder, { recursive: true });
  const mutations = (await pod.emulator.mutations()).map(({ n }) => n);
  return { mutations, files: files.toSorted(), keys: pod.redis === null ? [] : await keysOf(pod.redis.url) };
}

test("says that nothing would be done, then what another image would do, and leaves API, Redis and files as they are", async () => {
  await open({ redis: true });
  const provisioner = await pod.provision();
  const { instance } = await pod.ready();
  await provisioner.stop();
  const [before, stateBefore] = [await traces(), await readFile(pod.statePath, "utf8")];

  const same = await plan({}, "--exit-code");
  expect([same.code, same.text]).toEqual([0, expect.stringContaining("Would:  change nothing")]);
  const other = await plan({}, "--exit-code", "--vast-template-image", "example/app:3");
  expect(other.code).toBe(3);
  expect(other.text).toMatch(/image +wanted example\/app:3 +is example\/app:2 +DIFFERS/);
  expect(other.text).toMatch(
    new RegExp(
      `Would: +1\\. withdraw it from nginx, 0 s to drain +2\\. destroy ${instance?.id} \\(image_changed\\) +3\\. create from offer \\d+`,
    ),
  );
  expect(other.text).toContain("<- this one");
  expect((await plan({}, "--vast-template-image", "example/app:3")).code).toBe(0);
  const watched = documentOf(
    await plan({ VAST_POLICY: "observe" }, "-o", "json", "--vast-template-image", "example/app:3"),
  );
  expect(watched).toMatchObject({ schema: 1, wouldAct: false, reason: "image_changed", budget: { createsLeft: 5 } });

  expect(await traces()).toEqual(before);
  expect(await readFile(pod.statePath, "utf8")).toBe(stateBefore);
});

test("orders by expected cost with what the pods of the account have put into Redis, also without the pod's files", async () => {
  await open({ redis: true });
  const byCost = { VAST_SEARCH_ORDER: "expected_cost" };
  const provisioner = await pod.provision(byCost);
  await pod.ready();
  const redis = new Redis(pod.redis?.url ?? "");
  try {
    const key = await until("the boot is in Redis", async () => (await redis.keys("vast-pod:{*}:records"))[0]);
    expect(await redis.hget(key, "all")).toMatch(/^1 \d+ 0 0 \d+ \d{13}$/);
    expect(await redis.pttl(key)).toBeGreaterThan(0);
    await provisioner.stop();

    const elsewhere = { ...byCost, STATE_PATH: `${pod.sandbox.folder}/nowhere/state.json` };
    const offers = async () => documentOf(await plan(elsewhere, "-o", "json")).offers;
    const before = await offers();
    expect(before?.order).toBe("expected_cost");
    const [first] = before?.best ?? [];
    expect(first?.ranking?.why).toMatch(/^estimate: /);
    await redis.hset(key, `m${first?.machineId}`, `0 0 1000 0 0 ${Date.now()}`);
    const after = await offers();
    const failing = after?.best.find(({ id }) => id === first?.id);
    const rank = failing?.ranking?.dollarsPerHour ?? Number.POSITIVE_INFINITY;
    expect(rank).toBeGreaterThan(first?.ranking?.dollarsPerHour ?? 0);
    if (failing !== undefined) expect(failing.ranking?.why).toContain("here: 0 of 1000 starts came up");
  } finally {
    redis.disconnect();
  }
});

test("on a machine without the pod's files plans the first create, and says why offers cannot be taken", async () => {
  await open();
  const nowhere = {
    STATE_PATH: `${pod.sandbox.folder}/nowhere/state.json`,
    UPSTREAM_PATH: `${pod.sandbox.folder}/nowhere/up.json`,
  };
  const before = await traces();
  const names = await plan(nowhere, "-o", "name");
  expect([names.code, names.text]).toEqual([0, expect.stringMatching(/^create\/\d+$/)]);
  const dear = await plan({ ...nowhere, VAST_MAX_DPH: "0.0001" }, "--exit-code");
  expect(dear.code).toBe(0);
  expect(dear.text).toMatch(/out: of the 64 cheapest \d+ above VAST_MAX_DPH \(the cheapest \$\d/);
  expect(dear.text).toContain("nothing can be created: no offer can be taken");
  expect(dear.text).toContain("Budget: ? creates left");
  expect(await traces()).toEqual(before);
});

test("is no plan while the API does not answer", async () => {
  await open();
  await pod.emulator.send("POST", "faults", {
    method: "GET",
    path: "^/api/v1/instances/",
    effect: { status: 502 },
    times: 20,
  });
  const { code, text } = await plan({}, "--exit-code");
  expect(code).toBe(1);
  expect(text).toContain("Would:  ?");
  expect(text).toMatch(/Note: The instance list is unknown \(.*502/);
});

test("names a wrong setting, and a misspelt option", async () => {
  await open();
  const wrong = await plan({ VAST_TEMPLATE_IMAGE: "", VAST_MAX_DPH: "cheap" });
  expect(wrong.code).toBe(2);
  expect(wrong.text).toMatch(
    /VAST_TEMPLATE_IMAGE is missing[\s\S]*VAST_MAX_DPH is "cheap"|VAST_MAX_DPH is "cheap"[\s\S]*VAST_TEMPLATE_IMAGE is missing/,
  );
  const misspelt = await plan({}, "--exitcode");
  expect([misspelt.code, misspelt.text]).toEqual([2, expect.stringContaining("Did you mean --exit-code?")]);
});
