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

interface Query {
  title: string;
  expr: string;
  instant: boolean;
}

/** Those that have no finite value. Throws what Prometheus says of one that it cannot read. */
async function withoutData(prometheus: RunningPrometheus, queries: readonly Query[]): Promise<Query[]> {
  const missing: Query[] = [];
  for (const query of queries) {
    const series = await prometheus.query(filled(query.expr), query.instant ? "instant" : "range");
    if (!series.some(({ values }) => values.some(Number.isFinite))) missing.push(query);
  }
  return missing;
}

test("every query of every panel has data from a pod whose instance is replaced", async () => {
  const panels = [...(await panelsOf("fleet.json")), ...(await panelsOf("pod.json"))];
  const graphs = panels.filter(({ type }) => type !== "row");
  expect(graphs.length).toBeGreaterThan(40);
  expect(graphs.filter(({ targets = [] }) => targets.length === 0)).toEqual([]);

  pod = await openPod({ redis: true, proxy: true });
  const ports = [pod.env().PROVISIONER_STATUS_PORT, pod.env().RELOADER_STATUS_PORT].map(Number);
  const prometheus = await startPrometheus(pod.sandbox, ports, { namespace: "test", pod: "vast-pod-0" });
  await pod.provision({ VAST_MAX_DPH: "5" });
  const { instance: first } = await pod.ready();
  const has = async (expr: string, count: number) => (await prometheus.query(expr, "instant")).length === count;
  const reads = async () => (await has("up == 1", ports.length)) && (await has("vast_pod_ready == 1", 1));
  await until("prometheus has read both programs", reads, { timeoutMs: 30_000 });
  // What happens once is seen only between two readings of the same program: the next instance, and its reload.
  await pod.emulator.event(Number(first?.id), "kill");
  await pod.until("the next instance serves", (f) => f.server !== null && f.instance?.id !== first?.id, 60_000);
  // Each is asked until it has had data: what shows the last seconds has none when they are over.
  let missing = graphs.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, instant = false }) => ({ title, expr, instant })),
  );
  await until(
    "every query has data",
    async () => {
      missing = await withoutData(prometheus, missing);
      return missing.length === 0;
    },
    {
      timeoutMs: 120_000,
      everyMs: 1_000,
      context: () => missing.map(({ title, expr }) => `${title}: ${expr}`).join("\n"),
    },
  );
});
