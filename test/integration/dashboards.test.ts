// The Grafana dashboards on a real Prometheus that scrapes a real pod: every query of every panel has data.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type RunningPrometheus, startPrometheus } from "../sandbox/prometheus.ts";
import { ROOT } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

interface Panel {
  type: string;
  title: string;
  targets?: { expr: string; instant?: boolean }[];
}

let pod: Pod | null = null;
afterEach(async () => {
  await pod?.close();
  pod = null;
});

const panelsOf = async (name: string) => {
  const path = join(ROOT, "deploy/kubernetes/components/dashboards", name);
  const { title, panels }: { title: string; panels: Panel[] } = JSON.parse(await readFile(path, "utf8"));
  return panels.map((panel) => ({ ...panel, title: `${title}: ${panel.title}` }));
};

/** The query with what Grafana puts in. */
const filled = (expr: string) =>
  expr
    .replaceAll("$__rate_interval", "30s")
    .replaceAll("$__range", "5m")
    .replaceAll("$namespace", ".*")
    .replaceAll("$pod", "vast-pod-0");

/** The queries that have no finite value. Throws what Prometheus says of one that it cannot read. */
async function withoutData(prometheus: RunningPrometheus, panels: readonly Panel[]): Promise<string[]> {
  const missing: string[] = [];
  for (const { title, targets = [] } of panels)
    for (const { expr, instant = false } of targets) {
      const series = await prometheus.query(filled(expr), instant ? "instant" : "range");
      if (!series.some(({ values }) => values.some(Number.isFinite))) missing.push(`${title}: ${expr}`);
    }
  return missing;
}

test("every query of every panel has data from a pod whose instance is replaced", { timeout: 180_000 }, async () => {
  const panels = [...(await panelsOf("fleet.json")), ...(await panelsOf("pod.json"))];
  const graphs = panels.filter(({ type }) => type !== "row");
  expect(graphs.length).toBeGreaterThan(40);
  expect(graphs.filter(({ targets = [] }) => targets.length === 0)).toEqual([]);

  pod = await openPod({ redis: true, proxy: true });
  const ports = [pod.env().PROVISIONER_STATUS_PORT, pod.env().RELOADER_STATUS_PORT].map(Number);
  const prometheus = await startPrometheus(pod.sandbox, ports, { namespace: "test", pod: "vast-pod-0" });
  await pod.provision({ VAST_MAX_DPH: "5" });
  const { instance: first } = await pod.ready();
  const reads = async () => (await prometheus.query("vast_pod_ready == 1", "instant")).length > 0;
  await until("prometheus has read the pod", reads, { timeoutMs: 30_000 });
  // What happens once is seen only between two readings: the next instance, and its reload.
  await pod.emulator.event(Number(first?.id), "kill");
  await pod.until("the next instance serves", (f) => f.server !== null && f.instance?.id !== first?.id, 60_000);
  let missing: string[] = [];
  await until(
    "every query has data",
    async () => {
      missing = await withoutData(prometheus, graphs);
      return missing.length === 0;
    },
    { timeoutMs: 120_000, everyMs: 2_000, context: () => missing.join("\n") },
  );
});
