// Which settings have no effect without a Redis that the pods share. Pure.
import { isDeepStrictEqual } from "node:util";
import type { MaxUnavailable } from "./unavailable.ts";

interface SharedLimits {
  FLEET_EGRESS: string;
  FLEET_MAX_UNAVAILABLE: MaxUnavailable;
  VAST_MAX_UPDATING?: number | undefined;
}

const OR_LEAVE_OUT = "needs a Redis in which the pods count each other: set FLEET_REDIS_URL, or leave it out.";
// Of FLEET_MAX_UNAVAILABLE: a setting that says what is the default anyway asks for nothing.
const DEFAULT_UNAVAILABLE: MaxUnavailable = { percent: 10 };

/** For pods without Redis. Problems: limits that would not be kept. Warnings: what only has no effect. */
export function settingsThatNeedRedis(given: SharedLimits): { problems: string[]; warnings: string[] } {
  const problems: string[] = [];
  if (!isDeepStrictEqual(given.FLEET_MAX_UNAVAILABLE, DEFAULT_UNAVAILABLE))
    problems.push(`FLEET_MAX_UNAVAILABLE ${OR_LEAVE_OUT}`);
  if (given.VAST_MAX_UPDATING !== undefined) problems.push(`VAST_MAX_UPDATING ${OR_LEAVE_OUT}`);
  const warnings =
    given.FLEET_EGRESS === "all"
      ? []
      : [
          "FLEET_EGRESS has no effect without a Redis in which the pods take turns: set FLEET_REDIS_URL, or leave it out.",
        ];
  return { problems, warnings };
}
