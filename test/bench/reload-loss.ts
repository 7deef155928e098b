// Requests that clients lose while the reloader reloads nginx repeatedly under load, on the system's nginx and on a newer one.

import { openReloaderPod } from "../integration/reloader-pod.ts";
import type { NginxOptions } from "../sandbox/nginx.ts";
import { findProgram } from "../sandbox/programs.ts";
import { until } from "../sandbox/until.ts";
import { lostOf, startLoad, type Tally } from "./load.ts";
import { isVersion, nginxVersion } from "./machine.ts";
import { type NewerNginx, openNewerNginx } from "./newer-nginx.ts";
import type { ResultLine } from "./result-line.ts";

const RELOADS = 200;
const CLIENTS = 8;
// It has keepalive_min_timeout. Before it, an exiting worker closes idle connections, even if a request is already on its way.
const KEEPS_IDLE_CONNECTIONS = "1.27.4";

export async function reloadLoss(): Promise<ResultLine[]> {
  const system = await lose(nginxVersion(findProgram("nginx", process.env)), {});
  let newer: NewerNginx;
  try {
    newer = await openNewerNginx();
  } catch (error) {
    const notMeasured = error instanceof Error ? error.message.replaceAll(/\s+/g, " ") : String(error);
    return [...system, { what: `requests lost on an nginx from ${KEEPS_IDLE_CONNECTIONS} on`, notMeasured }];
  }
  try {
    return [...system, ...(await lose(newer.version, { program: newer.program }))];
  } finally {
    await newer.close();
  }
}

async function lose(version: string, options: NginxOptions): Promise<ResultLine[]> {
  const pod = await openReloaderPod();
  try {
    const servers = [(await pod.instance("first")).server, (await pod.instance("second")).server];
    await pod.publish({ generation: 1, server: servers[1] ?? null });
    await pod.startReloader();
    await pod.startNginx(options);
    await pod.applied(1);
    // It becomes known a moment after the first config, which does not need it; then there is another reload.
    const keepsIdle = async () => {
      const [config, { applied }] = [await pod.config(), await pod.status()];
      return config.includes("keepalive_min_timeout") && applied !== null && config.includes(applied.hash);
    };
    if (isVersion(version, KEEPS_IDLE_CONNECTIONS)) await until("nginx keeps idle connections", keepsIdle);
    const loads = { each: startLoad(pod.proxyPort, CLIENTS, false), kept: startLoad(pod.proxyPort, CLIENTS, true) };
    for (let n = 0; n < RELOADS; n += 1) {
      await pod.publish({ generation: n + 2, server: servers[n % servers.length] ?? null });
      await pod.applied(n + 2);
    }
    const [each, kept] = [await loads.each.stop(), await loads.kept.stop()];
    const { reloads } = await pod.status();
    if (reloads < RELOADS) throw new Error(`nginx was reloaded ${reloads} times`);
    const line = (clients: string, tally: Tally, isGoal: boolean): ResultLine => ({
      what: `lost over ${RELOADS} reloads, ${clients}, nginx ${version}${reasons(tally)}`,
      ours: { value: lostOf(tally), unit: `of ${tally.sent.toLocaleString("en-US")} requests` },
      against: null,
      goal: isGoal ? { atMost: 0 } : null,
    });
    return [
      line("a connection each", each, true),
      line("keep-alive clients", kept, isVersion(version, KEEPS_IDLE_CONNECTIONS)),
    ];
  } finally {
    await pod.close();
  }
}

function reasons({ lost }: Tally): string {
  return lost.size === 0 ? "" : ` (${[...lost].map(([what, count]) => `${what} ${count}`).join(", ")})`;
}
