// What the reloader says about nginx: it is the one that finds nginx and signals it. Touches its status port.
import * as z from "zod";
import type { Clock } from "../../common/clock.ts";
import { getJson } from "../../common/http.ts";
import { type Finding, fail, ok, skip, warn } from "./findings.ts";

const DEADLINE_MS = 2000;

const status = z.object({
  state: z.string().nullable(),
  problem: z.string().nullable(),
  warnings: z.array(z.string()).catch([]),
  nginx: z.object({ pid: z.int().nullable(), problem: z.string().nullable() }),
});

export async function checkReloader(port: number, clock: Clock, signal: AbortSignal): Promise<Finding[]> {
  let data: unknown;
  try {
    ({ data } = await getJson(`http://127.0.0.1:${port}/status`, clock, DEADLINE_MS, signal));
  } catch {
    return [skip("nginx", `no reloader answers on port ${port}: run doctor in a pod that runs to check nginx`)];
  }
  return judgeReloader(port, data);
}

export function judgeReloader(port: number, data: unknown): Finding[] {
  const read = status.safeParse(data);
  if (!read.success)
    return [fail("nginx", `port ${port} does not answer like the reloader`, "correct RELOADER_STATUS_PORT")];
  const { state, problem, warnings, nginx } = read.data;
  const more = warnings.map((warning) => warn("nginx", warning, "see the reloader's log"));
  // One that could not be signalled is a fault before the first reload is needed.
  const fault = problem ?? nginx.problem;
  if (fault !== null)
    return [fail("nginx", fault, `see the reloader's log; it tries again by itself (${state ?? "?"})`), ...more];
  const master = `master ${nginx.pid ?? "?"} may be signalled`;
  if (state === null) return [ok("nginx", `${master}; the reloader has not finished its first pass`), ...more];
  return [ok("nginx", `${master}, and ${state === "applied" ? "serves what is wanted" : `is ${state}`}`), ...more];
}
