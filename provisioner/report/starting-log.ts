// Says in the log, once a minute, how far an instance is that starts: an image can take a quarter of an hour to be pulled. Touches the log.
import type { Logger } from "../../common/logging.ts";
import { oneLine } from "../../common/terminal.ts";
import type { LoopState } from "../loop-state.ts";
import type { Limits } from "../model/desired.ts";

const EVERY_MS = 60_000;
// Docker's lines about a pull are shorter.
const MOST_STATUS_CHARACTERS = 200;

/** Called after each pass. */
export function createStartingLog(log: Logger, { banAfterMs }: Limits): (loop: LoopState, now: number) => void {
  let last: { id: number; at: number } | null = null;
  return ({ plan, seen, state }, now) => {
    const row = seen?.instances.find((one) => one.row.id === plan?.instance?.id)?.row;
    const track = row === undefined ? undefined : state.tracks[row.id];
    if (plan?.reason !== "instance_starting" || row === undefined || track === undefined) return;
    if (last?.id !== row.id) last = { id: row.id, at: track.firstSeenAt };
    if (now - last.at < EVERY_MS) return;
    last = { id: row.id, at: now };
    const words = oneLine(row.statusMessage).slice(0, MOST_STATUS_CHARACTERS);
    const says = words === "" ? "" : `: Vast.ai says "${words}"`;
    const since = track.runningSince ?? track.waitingSince;
    log.info(
      { event: "progress", phase: "starting", instance: row.id, status: row.actualStatus, statusMessage: words },
      `${plan.message}, since ${minutes(now - since)} of at most ${minutes(banAfterMs)}${says}`,
    );
  };
}

function minutes(ms: number): string {
  return ms < EVERY_MS ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / EVERY_MS)} min`;
}
