// An address that can only mean this machine is never an upstream, unless UPSTREAM_ALLOW_LOCAL says so.
import { afterEach, expect, test } from "vitest";
import { openPod, type Pod } from "./pod.ts";
import { openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

let pod: ReloaderPod | Pod;
afterEach(() => pod.close());

test("nginx answers 503 for it and for the proxy's own port, and the status page has the remedy", async () => {
  const reloading = await openReloaderPod();
  pod = reloading;
  const first = await reloading.instance("first");
  await reloading.startNginx();
  await reloading.publish({ generation: 1, server: first.server });
  const refusing = await reloading.startReloader({ UPSTREAM_ALLOW_LOCAL: "false" });
  const { problem } = await reloading.applied(1);
  expect(problem).toContain("127.0.0.1 is a loopback address");
  expect(problem).toContain("UPSTREAM_ALLOW_LOCAL=true");
  const answer = await reloading.get();
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.body)).toMatchObject({ reason: "address_refused" });
  await refusing.stop();
  await reloading.startReloader();
  await reloading.applied(1);
  expect((await reloading.get()).body).toBe("first");
  await reloading.publish({ generation: 2, server: { ...first.server, port: reloading.proxyPort } });
  expect((await reloading.applied(2)).problem).toContain("nginx would send requests to itself");
  expect((await reloading.get()).status).toBe(503);
  expect(first.requests).toHaveLength(1);
});

test("the provisioner publishes no such address", async () => {
  const provisioning = await openPod();
  pod = provisioning;
  await provisioning.provision({ UPSTREAM_ALLOW_LOCAL: "false" });
  const file = await provisioning.until("it says why", ({ message }) => message.includes("UPSTREAM_ALLOW_LOCAL=true"));
  expect(file.server).toBeNull();
  expect(file.message).toContain("127.0.0.1 is a loopback address");
});
