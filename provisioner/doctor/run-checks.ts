// Runs the checks of `doctor` side by side, each with its own deadline: one that fails or hangs does not hide the others. Touches only
// the clock.
import { type Clock, withDeadline } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import { type Finding, fail } from "./findings.ts";

export interface Check {
  name: string;
  deadlineMs: number;
  run(signal: AbortSignal): Promise<readonly Finding[]>;
}

/** The findings in the order of the checks. */
export async function runChecks(checks: readonly Check[], clock: Clock): Promise<Finding[]> {
  return (await Promise.all(checks.map((check) => runOne(check, clock)))).flat();
}

async function runOne({ name, deadlineMs, run }: Check, clock: Clock): Promise<readonly Finding[]> {
  try {
    return await withDeadline(clock, deadlineMs, undefined, (signal) => Promise.race([run(signal), expiry(signal)]));
  } catch (error) {
    return [fail(name, `not checked: ${messageOf(error)}`, "run doctor again; if this stays, report it as a defect")];
  }
}

function expiry(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
