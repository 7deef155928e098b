// What an operator reads in the provisioner's `/status`: what comes next, and what happened before.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

test("next names what is waited for, until when, and what happens then", async () => {
  pod = await openPod({ bootSeconds: 100_000 });
  await pod.provision({ BLACKLIST_BAN_AFTER_SECONDS: "86400" });
  const { next, instances } = await until(
    "an instance is starting",
    async () => {
      const status = await pod.status();
      return status.reason === "instance_starting" ? status : null;
    },
    { timeoutMs: 60_000 },
  );
  const [instance] = instances;
  expect(next).toMatchObject({
    waitsFor: `instance ${instance?.id} to become ready`,
    afterwards: `instance ${instance?.id} is destroyed (start_timeout), and another one is created`,
  });
  expect(Date.parse(`${next?.deadline}`) - Date.parse(`${instance?.createdAt}`)).toBeGreaterThan(86_000_000);
  expect(Date.parse(`${next?.lookAt}`)).toBeGreaterThan(0);
});

test("the log says once a minute how far a starting instance is, in the words of Vast.ai", async () => {
  pod = await openPod({ bootSeconds: 600 });
  const provisioner = await pod.provision();
  const loading = () => logOf(provisioner).find(({ phase, status }) => phase === "starting" && status === "loading");
  const line = await until("it is loading", async () => loading() ?? null, { timeoutMs: 120_000 });
  expect(line).toMatchObject({ event: "progress", statusMessage: "Pulling from the registry" });
  expect(line.msg).toMatch(
    /^instance \d+ .* is loading, since \d+ min of at most 20 min: Vast\.ai says "Pulling from the registry"$/,
  );
});

test("the history survives that the provisioner is killed, and says why the instance was replaced", async () => {
  pod = await openPod();
  const first = await pod.provision();
  const before = await pod.ready();
  // The upstream file is written before the state file.
  await until("its history is on disk", async () =>
    JSON.stringify((await pod.state()).history).includes("instance_ready"),
  );
  first.signal("SIGKILL");
  await first.exited;
  await pod.provision({ VAST_TEMPLATE_IMAGE: "example/app:3" });
  const replaced = (f: { instance: { id: number } | null }) => f.instance?.id !== before.instance?.id;
  await pod.until("it is replaced", (f) => f.server !== null && replaced(f), 60_000);
  const { history, since } = await until("the status shows it", async () => {
    const status = await pod.status();
    return status.history.at(-1)?.reason === "instance_ready" &&
      status.history.at(-1)?.instanceId !== before.instance?.id
      ? status
      : null;
  });
  const reasons = history.map(({ reason }) => reason);
  expect(reasons.filter((reason) => reason === "instance_ready")).toHaveLength(2);
  expect(reasons).toContain("image_changed");
  expect(reasons.indexOf("image_changed")).toBeGreaterThan(reasons.indexOf("instance_ready"));
  const why = history.find(({ reason }) => reason === "image_changed");
  expect(why).toMatchObject({
    instanceId: before.instance?.id,
    message: expect.stringContaining("example/app:3 is wanted"),
  });
  expect(since).toBe(history.at(-1)?.at);
  const times = history.map(({ at }) => at);
  expect(times).toEqual([...times].sort());
});

test("shows what nginx serves, as the reloader says", async () => {
  pod = await openPod({ proxy: true });
  await pod.provision();
  const { generation } = await pod.ready();
  const isApplied = async () => {
    const { proxy } = await pod.status();
    return proxy?.state === "applied" && (proxy.appliedGeneration ?? 0) >= generation ? proxy : null;
  };
  expect(await until("nginx serves it", isApplied, { timeoutMs: 60_000 })).toMatchObject({ problem: null });
});
