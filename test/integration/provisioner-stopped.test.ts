// A stopped contract is not served, although something still answers at its old address.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const lists = async () => (await pod.emulator.requests()).filter(({ path }) => path === "/api/v1/instances/").length;

test("an instance whose contract is stopped is withdrawn and replaced, although its port answers", async () => {
  pod = await openPod();
  const provisioner = await pod.provision();
  const { instance, server } = await pod.ready();
  const stopped = { intended_status: "stopped", cur_state: "stopped", next_state: "stopped", actual_status: "exited" };
  await pod.emulator.event("any", "row", stopped);
  const withdrawn = await pod.until("it is withdrawn", (file) => file.server === null, 30_000);
  expect(withdrawn).toMatchObject({ state: "unavailable", reason: "instance_lost", instance: { id: instance?.id } });
  expect((await fetch(`http://${server?.host}:${server?.port}/`)).status).toBe(200);
  await pod.until("another one serves", (file) => file.server !== null && file.instance?.id !== instance?.id, 40_000);
  expect(provisioner.lines.filter((line) => line.includes('"action":"destroy"')).join()).toContain("instance_stopped");
});

test("an instance that answers is served on while only its status says stopped", async () => {
  pod = await openPod();
  await pod.provision();
  const { server } = await pod.ready();
  await pod.emulator.event("any", "row", { actual_status: "stopped" });
  const before = await lists();
  await until("it was listed several times", async () => (await lists()) >= before + 4, { timeoutMs: 40_000 });
  expect((await pod.upstream())?.server).toEqual(server);
  expect((await pod.emulator.live(pod.label)).length).toBe(1);
});

test("with VAST_HEALTH_EXPECT only an answer that names the instance is served", async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the setting holds it literally
  const own = { VAST_HEALTH_PATH: "/health", VAST_HEALTH_EXPECT: '"instance":${INSTANCE_ID},' };
  pod = await openPod({ env: own });
  const first = await pod.provision();
  const { server } = await pod.ready();
  expect(await (await fetch(`http://${server?.host}:${server?.port}/`)).text()).toContain('"instance":');
  await first.stop();
  // The same answers, taken for those of a stranger.
  await pod.provision({ VAST_HEALTH_EXPECT: '"instance":1,' });
  const file = await pod.until("it is withdrawn", ({ server }) => server === null, 30_000);
  expect(file).toMatchObject({ state: "unavailable", reason: "instance_unhealthy" });
});
