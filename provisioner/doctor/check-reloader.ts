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
  const { state, problem, warnings } = read.data;
  const more = warnings.map((warning) => warn("nginx", warning, "see the reloader's log"));
  if (problem !== null)
    return [fail("nginx", problem, `the reloader tries again by itself; its log says more (${state ?? "?"})`), ...more];
  if (state === null) return [skip("nginx", "the reloader has not finished its first pass"), ...more];
  return [ok("nginx", state === "applied" ? "runs, and serves what is wanted" : `runs (${state})`), ...more];
}
