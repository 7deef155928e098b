// What the status port of `run` answers. Touches nothing before it is asked.
import type { MetricsText } from "../../common/metrics.ts";
import type { StatusSource } from "../../common/status-server.ts";
import type { LoopState } from "../loop-state.ts";
import { liveness, readiness } from "../report/health.ts";
import type { RunContext } from "./dependencies.ts";

export function statusSource({ settings, deps }: RunContext, loop: LoopState, metrics: MetricsText): StatusSource {
  return {
    live: () => liveness(loop, settings.drainMs, deps.clock.now()),
    ready: () => readiness(loop),
    // Loaded when it is first asked for: a pod that nobody looks at does without.
    async status() {
      const [{ statusDocument }, proxy] = await Promise.all([import("../report/status.ts"), deps.askProxy()]);
      return statusDocument(loop, settings, proxy, deps.clock.now());
    },
    metrics,
  };
}
