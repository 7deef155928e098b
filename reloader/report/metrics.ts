// The reloader's part of `/metrics`: the figures of its report, read at each scrape. Touches the registry that it is given.
import { countOf, gaugeOf, histogram, type Registry, registerBuildInfo } from "../../common/metrics.ts";
import type { ClientConnections } from "../nginx/connections.ts";
import { APPLIED_STATES } from "./applied-state.ts";
import { type Figures, RELOAD_STAGES, type Report } from "./report.ts";

// nginx answers with the new config within some 50 ms. Old workers answer until their last request has ended.
const RELOAD_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function registerMetrics(
  registry: Registry,
  report: Pick<Report, "figures" | "onReload">,
  connections: () => Promise<ClientConnections | null>,
): void {
  const gauge = (name: string, help: string, read: (figures: Figures) => number | boolean | null) =>
    gaugeOf(registry, { name: `vast_pod_${name}`, help }, () => {
      const value = read(report.figures());
      return typeof value === "boolean" ? Number(value) : value;
    });
  const seconds = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : ms / 1000);

  registerBuildInfo(registry, "vast-reloader");
  gauge("desired_generation", "Generation of the upstream file that nginx is to serve.", (f) => f.desiredGeneration);
  gauge("applied_generation", "Newest generation that nginx was proven to serve.", (f) => f.appliedGeneration);
  gauge("reloader_problem", "1 while the desired config is not applied.", (f) => f.isProblem);
  gauge("config_refused", "1 while nginx does not accept the desired config.", (f) => f.isRefusing);
  gaugeOf(
    registry,
    {
      name: "vast_pod_applied_state",
      help: "Whether the desired config is applied, and if not, why: 1 for the current state.",
      labels: ["state"],
    },
    () => {
      const { state: current } = report.figures();
      return current === null
        ? null
        : APPLIED_STATES.map((state) => ({ labels: { state }, value: Number(state === current) }));
    },
  );
  gauge("nginx_up", "1 while nginx runs and answers.", (f) => f.isNginxUp);
  gaugeOf(
    registry,
    {
      name: "vast_pod_nginx_connections",
      help: "Client connections of nginx by state: busy with a request, or idle.",
      labels: ["state"],
    },
    async () => {
      const count = await connections();
      return (count === null ? [] : (["busy", "idle"] as const)).map((state) => ({
        labels: { state },
        value: count?.[state] ?? 0,
      }));
    },
  );
  gauge("upstream_timestamp_seconds", "Time at which the upstream file was last written or touched.", (f) =>
    seconds(f.upstreamSeenAt),
  );
  gauge("last_reload_timestamp_seconds", "When nginx was last reloaded.", (f) => seconds(f.lastReload?.at));
  gauge("reloader_last_pass_timestamp_seconds", "When the last pass finished.", (f) => seconds(f.lastPassAt));
  const reloads = histogram(registry, {
    name: "vast_pod_reload_duration_seconds",
    help: "Reloads: from the signal until the first answer with the new config (accepted), and until no old worker answers (settled).",
    labels: ["stage"],
    known: RELOAD_STAGES.map((stage) => ({ stage })),
    buckets: RELOAD_BUCKETS_SECONDS,
  });
  report.onReload((stage, ms) => reloads.observe({ stage }, ms / 1000));
  countOf(
    registry,
    { name: "vast_pod_reloads_total", help: "Reloads of nginx by outcome.", labels: ["outcome"] },
    () => [
      { labels: { outcome: "accepted" }, value: report.figures().reloads },
      { labels: { outcome: "refused" }, value: report.figures().refusals },
    ],
  );
}
