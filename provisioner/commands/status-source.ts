// What the status port of `run` answers. Touches nothing before it is asked.
import type { MetricsText } from "../../common/metrics.ts";
import type { StatusSource } from "../../common/status-server.ts";
import type { LoopState } from "../loop-state.ts";
import type { Page } from "../page/page.ts";
import { liveness, readiness } from "../report/health.ts";
import type { RunContext } from "./dependencies.ts";

export function statusSource({ settings, deps }: RunContext, loop: LoopState, metrics: MetricsText): StatusSource {
  // Loaded when it is first asked for: a pod that nobody looks at does without.
  const document = async () => {
    const [{ statusDocument }, proxy] = await Promise.all([import("../report/status.ts"), deps.askProxy()]);
    return statusDocument(loop, settings, proxy, deps.clock.now());
  };
  let page: Promise<Page> | null = null;
  return {
    live: () => liveness(loop, settings.drainMs, deps.clock.now()),
    ready: () => readiness(loop),
    status: document,
    metrics,
    async page(path, response) {
      page ??= import("../page/page.ts").then(({ createPage }) => createPage({ document, clock: deps.clock }));
      return (await page).answer(path, response);
    },
  };
}
