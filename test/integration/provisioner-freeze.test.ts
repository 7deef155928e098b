// A provisioner that stops, as by SIGSTOP, while its create waits for the rate limit, until another one has taken over its label, and then
// continues exactly where it was.
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
let redis: Redis;

beforeEach(async () => {
  pod = await openPod({ redis: true });
  redis = new Redis(pod.redis?.url ?? "");
});
afterEach(async () => {
  redis.disconnect();
  await pod.close();
});

test("a create that was frozen at its rate limit until lease and intent were over is not sent any more", async () => {
  // The first offer is gone, so that the second create waits at the gate for the rest of the API's interval.
  const gone = { success: false, error: "no_such_ask", msg: "ask is not available" };
  const rule = { method: "PUT", path: "^/api/v0/asks/", times: 1, effect: { status: 410, body: gone } };
  await pod.emulator.send("POST", "faults", rule);
  const creates = async () => (await pod.emulator.mutations()).filter((one) => one.method === "PUT").length;

  const announcement = '"creating from offer';
  const first = await pod.provision({
    NODE_OPTIONS: "--require ./test/integration/stop-at-line.cjs",
    VAST_POD_TEST_STOP_AT: announcement,
    VAST_POD_TEST_STOP_AT_LINES: "2",
  });
  const announced = () => first.lines.filter((line) => line.includes(announcement)).length;
  await until("the second create waits", () => announced() === 2);
  expect(await creates()).toBe(1);
  expect(await pod.state()).toMatchObject({ intent: { contract: null } });

  // A second pod of the same name, with its own volumes. The lease would expire, but Redis' clock is not sped up.
  await redis.pexpire(pod.keys.lease(pod.label), 1);
  const folder = await pod.sandbox.subfolder("other");
  const port = String(await pod.sandbox.port());
  await pod.provision({
    STATE_PATH: `${folder}/provisioner.json`,
    UPSTREAM_PATH: `${folder}/upstream.json`,
    PROVISIONER_STATUS_PORT: port,
  });
  const second = async () =>
    (await fetch(`http://127.0.0.1:${port}/status`)).json() as Promise<Record<string, unknown>>;
  // It knows of the intent, waits until the intent's deadline is over, and only then creates.
  await until("the second serves", async () => (await second()).reason === "instance_ready", { timeoutMs: 60_000 });
  expect(await creates()).toBe(2);
  const [instance] = await pod.emulator.live(pod.label);

  first.signal("SIGCONT");
  await until("the first has given up", () => logOf(first).some(({ reason }) => reason === "other_owner"), {
    context: () => first.lines.slice(-15).join("\n"),
  });
  // Which it notices first after the pause: that its create is too old, or that it has waited for too long.
  expect(first.lines.join("\n")).toMatch(/the create was not sent|cancelled before it was sent/);
  expect(await creates()).toBe(2);
  expect(await pod.emulator.live(pod.label)).toMatchObject([{ id: instance?.id }]);
  expect(await pod.state()).toMatchObject({ intent: null });
});
