// The metrics of both programs as Prometheus gets them: promtool checks names, units, types and help texts.
import { hostname } from "node:os";
import { afterEach, expect, test } from "vitest";
import { promtool } from "../sandbox/promtool.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod | null = null;
afterEach(async () => {
  await pod?.close();
  pod = null;
});

test("promtool has nothing to say about the metrics of a pod that serves, and of one whose server fell silent", async () => {
  pod = await openPod({ redis: true, proxy: true });
  const ports = pod.env();
  const scrape = async (variable: "PROVISIONER_STATUS_PORT" | "RELOADER_STATUS_PORT") => {
    const answer = await fetch(`http://127.0.0.1:${ports[variable]}/metrics`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    return answer.text();
  };
  const check = async (metrics: string) => expect(await promtool(["check", "metrics"], metrics)).toEqual(CLEAN);

  await pod.provision({ VAST_MAX_DPH: "5" });
  const { instance } = await pod.ready();
  await until("the reload is counted", async () =>
    /_reload_duration.*_count.* [1-9]/m.test(await scrape("RELOADER_STATUS_PORT")),
  );
  const [provisioner, reloader] = [await scrape("PROVISIONER_STATUS_PORT"), await scrape("RELOADER_STATUS_PORT")];
  await check(provisioner);
  await check(reloader);
  expect(provisioner).toMatch(/^vast_pod_build_info\{program="vast-provisioner",version="\d+\.\d+\.\d+"\} 1$/m);
  expect(reloader).toMatch(
    new RegExp(`^vast_pod_build_info\\{program="vast-reloader",version="[\\d.]+",pod="${hostname()}"\\} 1$`, "m"),
  );
  expect(provisioner).toMatch(/^vast_pod_probe_results_total\{outcome="passed"\} [1-9]/m);
  expect(provisioner).toMatch(/^vast_pod_api_call_duration_seconds_count\{endpoint="create"\} 1$/m);
  expect(provisioner).toMatch(/^vast_pod_instance_start_timestamp_seconds \d/m);
  expect(provisioner).toMatch(/^vast_pod_offers_acceptable [1-9]/m);
  expect(provisioner).toMatch(/^vast_pod_price_ceiling_dollars_per_hour 5$/m);

  await pod.emulator.event(Number(instance?.id), "mute");
  await pod.until("the server is withdrawn", (file) => file.server === null);
  await check(await scrape("PROVISIONER_STATUS_PORT"));
  await check(await scrape("RELOADER_STATUS_PORT"));
});

test("promtool finds a metric that breaks the conventions", async () => {
  const bad = "# HELP vast_pod_things_total Things.\n# TYPE vast_pod_things_total gauge\nvast_pod_things_total 1\n";
  const { code, output } = await promtool(["check", "metrics"], bad);
  expect(code).not.toBe(0);
  expect(output).toContain("vast_pod_things_total");
});

const CLEAN = { code: 0, output: "" };
