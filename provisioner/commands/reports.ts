// Connects what the pod tells others of itself with the loop: its cluster, and the command `status`. Touches nothing itself.
import { withDeadline } from "../../common/clock.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import type { LoopState } from "../loop-state.ts";
import type { RunContext } from "./dependencies.ts";
import { createFleetReport, type FleetReport } from "./fleet-report.ts";
import { connectPodReports } from "./pod-reports.ts";

export interface Reports extends Pick<FleetReport, "forget"> {
  /** Called after each pass; returns at once. */
  report(stop: AbortSignal): void;
  /** Called when the instance is going to be destroyed because the pod ends; returns at once. */
  ending(): void;
  /** Resolves when what was told to the cluster is written, or cannot be. */
  written(): Promise<void>;
}

// Half a dozen calls that take some 10 ms each. The destroy goes on meanwhile.
const ENDING_MS = 10_000;

/** `pods`: how many the fleet has. */
export async function connectReports(
  context: RunContext,
  loop: LoopState,
  fleet: Fleet | null,
  pods: () => number,
): Promise<Reports> {
  const onPod = await connectPodReports(context, loop);
  const { report, forget } = createFleetReport(context, loop, fleet, pods);
  let ended: Promise<void> = Promise.resolve();
  return {
    report(stop) {
      onPod.report(stop);
      report();
    },
    ending() {
      const { deps, log } = context;
      ended = withDeadline(deps.clock, ENDING_MS, undefined, (over) => onPod.finish(over)).catch((error: unknown) =>
        log.error({ event: "internal_error", err: error }, "the Event that the pod ends could not be written"),
      );
    },
    written: () => ended,
    forget,
  };
}
