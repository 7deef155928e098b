// Waits until nginx uses a server no more, before its instance is destroyed. Touches the reloader through the question that it is given.
import type { KeepParts } from "./keep.ts";
import type { LoopState } from "./loop-state.ts";
import { type DestroyAction, interruptsInstance, type Plan } from "./model/plan.ts";
import { type AskReloader, awaitWithdrawn } from "./publish/withdraw.ts";

interface ReleaseParts extends Pick<KeepParts, "clock" | "log"> {
  askReloader: AskReloader;
  drainMs: number;
}

// A reloader that is down is started again within minutes. Without one, two instances would be paid for without an end.
const SWITCHED_WITHIN_MS = 900_000;

/**
 * nginx must stop using a server before its instance is destroyed: minutes later its port may belong to somebody else. False: nginx may
 * still route to an outdated instance whose replacement is published, and it must live on.
 */
export async function releaseServer(
  parts: ReleaseParts,
  loop: LoopState,
  plan: Plan,
  served: LoopState["served"],
  stop: AbortSignal,
  isOld: () => boolean,
): Promise<boolean> {
  const outdated = plan.reason === "surging" ? plan.actions.find((action) => action.kind === "destroy") : undefined;
  if (outdated?.kind === "destroy" && plan.server !== null) return hasSwitched(parts, loop, plan, outdated, stop);
  const { clock, log, askReloader, drainMs } = parts;
  if (served === null || loop.file === null || !interruptsInstance(plan.actions, served.id)) return true;
  const answers = loop.state.tracks[served.id]?.serving === true;
  await awaitWithdrawn(askReloader, loop.file.generation, served.server, answers ? drainMs : 0, clock, log, stop);
  if (!isOld() && loop.served?.id === served.id) loop.served = null;
  return true;
}

async function hasSwitched(
  { clock, log, askReloader, drainMs }: ReleaseParts,
  { state, file }: LoopState,
  { server, instance }: Plan,
  { id }: DestroyAction,
  stop: AbortSignal,
): Promise<boolean> {
  const track = state.tracks[id];
  if (track === undefined || track.endpoint === null || server === null || instance === null || file === null)
    return true;
  const old = { scheme: server.scheme, ...track.endpoint };
  const answers = track.serving ? drainMs : 0;
  if (await awaitWithdrawn(askReloader, file.generation, old, answers, clock, log, stop)) return true;
  const since = state.tracks[instance.id]?.servingSince ?? clock.now();
  return clock.now() - since > SWITCHED_WITHIN_MS;
}
