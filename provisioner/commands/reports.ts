// Connects what the pod tells others of itself with the loop: its cluster, and the command `status`. Touches nothing itself.
import type { Fleet } from "../fleet/shared-reading.ts";
import type { LoopState } from "../loop-state.ts";
import type { RunContext } from "./dependencies.ts";
import { createFleetReport, type FleetReport } from "./fleet-report.ts";
import { connectPodReports } from "./pod-reports.ts";

export interface Reports extends Pick<FleetReport, "forget"> {
  /** Called after each pass; returns at once. */
  report(stop: AbortSignal): void;
}

export async function connectReports(context: RunContext, loop: LoopState, fleet: Fleet | null): Promise<Reports> {
  const reportOnPod = await connectPodReports(context, loop);
  const { report, forget } = createFleetReport(context, loop, fleet);
  return {
    report(stop) {
      reportOnPod(stop);
      report();
    },
    forget,
  };
}
