// No secret is printed, written to a file or shown in the process list, whatever goes wrong.
import { readFile } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { API_KEY, openPod, type Pod, REGISTRY_PASSWORD } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const UPSTREAM_SECRET = "upstream-secret-4Kp";

test("the API key, the registry password and the instance's secret appear nowhere: not in output, files, /status or the process list", async () => {
  pod = await openPod({ proxy: true, redis: true });
  const quoting = { status: 500, body: { msg: `you sent Bearer ${API_KEY} and ${REGISTRY_PASSWORD}` } };
  await pod.emulator.send("POST", "faults", { method: "PUT", path: "/asks/", effect: { kind: "cut-before" } });
  await pod.emulator.send("POST", "faults", { method: "GET", path: "/instances/", effect: quoting, times: 2 });
  const provisioner = await pod.provision({
    DEBUG: "true",
    VAST_HEALTH_PATH: "/health",
    UPSTREAM_AUTH_HEADER: `Authorization: Bearer ${UPSTREAM_SECRET}`,
  });
  const uncertain = () => provisioner.lines.join("\n").includes("create outcome unknown");
  await until("the errors were met", uncertain, { timeoutMs: 30_000 });
  await pod.ready(60_000);
  await until("the proxy serves", async () => (await fetch(`${pod.proxyUrl}/x`)).status === 200);
  const shown = [
    JSON.stringify(await pod.status()),
    await readFile(`/proc/${provisioner.pid}/cmdline`, "utf8"),
    await (await fetch(`http://127.0.0.1:${pod.env().PROVISIONER_STATUS_PORT}/metrics`)).text(),
    await (await fetch(`http://127.0.0.1:${pod.env().RELOADER_STATUS_PORT}/status`)).text(),
  ];
  await pod.emulator.event("any", "fail", { status: 401 });
  await pod.until("the instance refuses the probe", (file) => file.reason === "instance_unhealthy");
  shown.push(JSON.stringify(await pod.status()));
  await provisioner.stop();
  const destroyed = await pod.provision({}, ["destroy", "--yes"]);
  await destroyed.exited;
  const everything = `${await pod.everything()}${shown.join()}`;
  expect(everything).not.toContain(API_KEY);
  expect(everything).not.toContain(REGISTRY_PASSWORD);
  expect(everything).not.toContain(UPSTREAM_SECRET);
  expect(everything).toContain("[secret]");
});
