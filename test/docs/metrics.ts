// The metrics that both programs register, read from real registries. Touches nothing.
import pino from "pino";
import { createRegistry, type Registry } from "../../common/metrics.ts";
import { startState } from "../../provisioner/loop-state.ts";
import { createMetrics } from "../../provisioner/report/metrics.ts";
import { emptyState } from "../../provisioner/state/schema.ts";
import { registerMetrics } from "../../reloader/report/metrics.ts";
import { Report } from "../../reloader/report/report.ts";

export interface MetricRow {
  name: string;
  type: string;
  help: string;
  labels: readonly string[];
}

export function provisionerMetrics(): Promise<MetricRow[]> {
  const registry = createRegistry();
  const loop = startState(emptyState("k8s_pod=vast-pod-0"), 0);
  createMetrics(registry, {
    loop,
    now: () => 0,
    limits: { maxDollarsPerHour: undefined, maxCreatesPerHour: 6, bidding: null },
    redis: () => null,
  });
  return rowsOf(registry);
}

export function reloaderMetrics(): Promise<MetricRow[]> {
  const registry = createRegistry();
  const report = new Report(pino({ level: "silent" }), 0, 0);
  registerMetrics(registry, report, async () => null);
  return rowsOf(registry);
}

/** Names, types and help texts are those of the text that Prometheus reads. */
async function rowsOf(registry: Registry): Promise<MetricRow[]> {
  const text = await registry.metrics();
  const helps = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)];
  return helps.map(([, name = "", help = ""]) => {
    const type = new RegExp(`^# TYPE ${name} (\\w+)$`, "m").exec(text)?.[1] ?? "";
    return { name, type, help, labels: labelsOf(registry, name) };
  });
}

/** A metric without a value shows no labels in the text: its object does. */
function labelsOf(registry: Registry, name: string): readonly string[] {
  const metric: unknown = registry.getSingleMetric(name);
  if (typeof metric !== "object" || metric === null || !("labelNames" in metric)) return [];
  return Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
}
