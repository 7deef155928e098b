// What the status port of `run` answers. Touches nothing before it is asked.
import type { MetricsText } from "../../common/metrics.ts";
import type { StatusSource } from "../../common/status-server.ts";
import type { LoopState } from "../loop-state.ts";
import { liveness, readiness } from "../report/health.ts";
import type { RunContext } from "./dependencies.ts";
import { lazyPage } from "./lazy-page.ts";

export function statusSource({ settings, deps }: RunContext, loop: LoopState, metrics: MetricsText): StatusSource {
  // Loaded when it is first asked for, like the page.
  const document = async () => {
    const [{ statusDocument }, proxy] = await Promise.all([import("../report/status.ts"), deps.askProxy()]);
    return statusDocument(loop, settings, proxy, deps.clock.now());
  };
  return {
    live: () => liveness(loop, settings.drainMs, deps.clock.now()),
    ready: () => readiness(loop),
    status: document,
    metrics,
    page: lazyPage(({ createStatusPage }) => createStatusPage(document, deps.clock)),
  };
}
