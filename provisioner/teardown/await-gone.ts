// Lists instances until those that were destroyed are gone. Touches the clock and, through `list`, the API.
import type { Clock } from "../../common/clock.ts";
import type { Instance } from "../vast/rows.ts";

export interface AwaitGoneParts<T extends { id: number }> {
  targets: readonly T[];
  clock: Clock;
  deadlineMs: number;
  pollMs: number;
  /** A complete list, or null when it is unknown: then no target counts as gone. */
  list(): Promise<readonly Instance[] | null>;
  /** Before each list, with the targets that are left. False: stop waiting. */
  beforeList?(left: readonly T[]): Promise<boolean>;
  /** Whether a target that a complete list lacks may still exist. */
  mayBeHidden?(target: T): boolean;
}

/** Returns the targets that were not verified as gone when the deadline passed. */
export async function awaitGone<T extends { id: number }>(parts: AwaitGoneParts<T>): Promise<readonly T[]> {
  const { clock, pollMs } = parts;
  const deadline = clock.now() + parts.deadlineMs;
  let left = parts.targets;
  while (left.length > 0 && clock.now() < deadline) {
    if ((await parts.beforeList?.(left)) === false) break;
    await clock.sleep(pollMs);
    const rows = await parts.list();
    if (rows === null) continue;
    left = left.filter((target) => rows.some(({ id }) => id === target.id) || parts.mayBeHidden?.(target) === true);
  }
  return left;
}
