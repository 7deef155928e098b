// The dashboards as Grafana reads them, made from their code. Pure.
import { fleetDashboard } from "../../deploy/monitoring/fleet-dashboard.ts";
import { podDashboard } from "../../deploy/monitoring/pod-dashboard.ts";

/** Paths from the project's root, and what the files have to contain. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  const folder = "deploy/kubernetes/components/dashboards";
  const made = { fleet: fleetDashboard(), pod: podDashboard() };
  return new Map(
    Object.entries(made).map(([name, one]) => {
      const { panels = [], ...rest } = one.build();
      // Grafana gives every panel an id when it loads them: with own ones a dashboard that is exported shows no difference.
      const numbered = panels.map((panel, index) => ({ ...panel, id: index + 1 }));
      return [`${folder}/${name}.json`, `${JSON.stringify({ ...rest, panels: numbered }, null, 2)}\n`];
    }),
  );
}
