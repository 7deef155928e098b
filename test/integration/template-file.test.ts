// VAST_TEMPLATE_FILE with real processes: the provisioner writes the account's template at its start.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { startMember, untilReady } from "./fleet.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const CONTENT =
  'image: example/app:2\nports: ["8000:8000"]\nrecommended_disk_space: 20\nonstart: "echo from the file"\n';
const file = async (content: string) => {
  const path = join(pod.sandbox.folder, "template.yaml");
  await writeFile(path, content);
  return path;
};
const writes = async () => (await pod.emulator.mutations()).filter(({ path }) => path.endsWith("/template/"));
const ready = async () => (await pod.status()).state === "ready";

test("of two pods that start together one writes the template, and both rent with its content", async () => {
  pod = await openPod({ redis: true });
  const env = { VAST_TEMPLATE_NAME: "own", VAST_TEMPLATE_FILE: await file(CONTENT) };
  const members = await Promise.all([0, 1].map((index) => startMember(pod, index, { env })));
  await untilReady(members, 90_000);
  expect((await writes()).map(({ method, status }) => [method, status])).toEqual([["POST", 200]]);
  const { templates } = await pod.emulator.state();
  const hash = templates.find(({ name }) => name === "own")?.hash_id;
  const creates = (await pod.emulator.mutations()).filter(({ path }) => path.startsWith("/api/v0/asks/"));
  expect(creates.map(({ body }) => (body as { template_hash_id?: string }).template_hash_id)).toEqual([hash, hash]);
});

test("a refused write is logged, and the pod rents and serves with the template that the account has", async () => {
  pod = await openPod();
  await pod.emulator.send("POST", "faults", { method: "PUT", path: "/template/", times: 0, effect: { status: 400 } });
  const provisioner = await pod.provision({ VAST_TEMPLATE_FILE: await file(CONTENT) });
  await until("it serves", ready, { timeoutMs: 90_000 });
  const warnings = logOf(provisioner).filter(({ event, level }) => event === "template" && level === "warn");
  expect(String(warnings[0]?.msg)).toContain("could not be made as VAST_TEMPLATE_FILE says");
});
