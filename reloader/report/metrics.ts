// The reloader's part of `/metrics`: the figures of its report, read at each scrape. Touches the registry that it is given.
import { countOf, gaugeOf, type Registry } from "../../common/metrics.ts";
import type { ClientConnections } from "../nginx/connections.ts";
import { APPLIED_STATES } from "./applied-state.ts";
import type { Figures } from "./report.ts";

export function registerMetrics(
  registry: Registry,
  figures: () => Figures,
  now: () => number,
  connections: () => Promise<ClientConnections | null>,
): void {
  const gauge = (name: string, help: string, read: (figures: Figures) => number | boolean | null) =>
    gaugeOf(registry, { name: `vast_pod_${name}`, help }, () => {
      const value = read(figures());
      return typeof value === "boolean" ? Number(value) : value;
    });
  const seconds = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : ms / 1000);

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
      const { state: current } = figures();
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
  gauge("upstream_age_seconds", "Time since the upstream file was last written or touched.", (f) =>
    seconds(f.upstreamSeenAt === null ? null : now() - f.upstreamSeenAt),
  );
  gauge("last_reload_accepted_seconds", "Last reload: from the signal to the first answer with the new config.", (f) =>
    seconds(f.lastReload?.acceptedMs),
  );
  gauge("last_reload_settled_seconds", "Last reload: from the signal until no old worker answered any more.", (f) =>
    seconds(f.lastReload?.settledMs),
  );
  gauge("last_reload_timestamp_seconds", "When nginx was last reloaded.", (f) => seconds(f.lastReload?.at));
  gauge("reloader_last_pass_timestamp_seconds", "When the last pass finished.", (f) => seconds(f.lastPassAt));
  countOf(
    registry,
    { name: "vast_pod_reloads_total", help: "Reloads of nginx by outcome.", labels: ["outcome"] },
    () => [
      { labels: { outcome: "accepted" }, value: figures().reloads },
      { labels: { outcome: "refused" }, value: figures().refusals },
    ],
  );
}
