// Which phase an instance is in, by the API's status words. Pure.
import type { Instance } from "../vast/rows.ts";

/**
 * - `running`: the container runs
 * - `starting`: being started, or an unknown status word
 * - `lost`: replaced unless it comes back within `graceMs`, and only after `reads` lists have shown it
 */
export type InstancePhase =
  | { phase: "running" }
  | { phase: "starting" }
  | { phase: "lost"; status: LostStatus; graceMs: number; reads: number };

export type LostStatus = "exited" | "frozen" | "unknown" | "offline" | "stopped" | "outbid";

const MINUTE = 60_000;
// The API reports `exited` for a while after a start or a reboot, too; later two minutes are enough for a restart.
const EXITED_GRACE_MS = 2 * MINUTE;
const EXITED_GRACE_AFTER_START_MS = 10 * MINUTE;
const JUST_STARTED_MS = 10 * MINUTE;
// A missing heartbeat often comes back; ten minutes is what other controllers allow.
const HEARTBEAT_GRACE_MS = 10 * MINUTE;
// A stopped instance does not come back, but a single list may show a change in progress.
const STOPPED_GRACE_MS = MINUTE;
// Nor does one that was outbid, or only weeks later; that its contract is stopped is what happens to such instances, and no mistake.
const OUTBID_GRACE_MS = 10_000;
const STOPPED_READS = 2;

/** `startedAt` (epoch ms) is when this instance was first seen. */
export function phaseOf(instance: Instance, startedAt: number, now: number): InstancePhase {
  const word = instance.actualStatus;
  const stopped: InstancePhase = instance.isBid
    ? { phase: "lost", status: "outbid", graceMs: OUTBID_GRACE_MS, reads: STOPPED_READS }
    : { phase: "lost", status: "stopped", graceMs: STOPPED_GRACE_MS, reads: STOPPED_READS };
  const { intendedStatus, curState, nextState } = instance;
  if ([word, intendedStatus, curState, nextState].includes("stopped")) return stopped;
  switch (word) {
    case "running":
      return { phase: "running" };
    case "exited":
    case "frozen": {
      const young = now - startedAt < JUST_STARTED_MS;
      return { phase: "lost", status: word, graceMs: young ? EXITED_GRACE_AFTER_START_MS : EXITED_GRACE_MS, reads: 1 };
    }
    case "unknown":
    case "offline":
      return { phase: "lost", status: word, graceMs: HEARTBEAT_GRACE_MS, reads: 1 };
    default:
      return { phase: "starting" };
  }
}

/**
 * Whether the API says that the contract itself is stopped: its ports may belong to another customer's container by now. What
 * `actual_status` says is about the container and may be late or wrong.
 */
export function contractStopped({ intendedStatus, curState }: Instance): boolean {
  return intendedStatus === "stopped" || curState === "stopped";
}

/** Its contract is stopped: outbid, stopped by its host or in the console, or because the account has no credit. */
export function stoppedByVast(phase: InstancePhase): boolean {
  return phase.phase === "lost" && (phase.status === "stopped" || phase.status === "outbid");
}

/**
 * - `host_failed`: the host cannot start containers
 * - `image_unavailable`: the image or the login is wrong
 * - `image_cannot_start`: it was pulled, but its entrypoint cannot run there
 */
export type Failure = "host_failed" | "image_unavailable" | "image_cannot_start" | "disk_too_small";

/** The failure that the host's daemon reports, or null. Lines about the progress of a pull are no failure. */
export function failureIn(statusMessage: string): Failure | null {
  const text = statusMessage.toLowerCase();
  if (/no space left on device/.test(text)) return "disk_too_small";
  // The host's driver is too old for the image: VAST_SEARCH_QUERY has to require a newer one, other hosts have it.
  if (/requirement error: unsatisfied condition/.test(text)) return "image_cannot_start";
  if (HOST_TROUBLE.test(text)) return "host_failed";
  // A missing entrypoint is the image's fault, although the OCI runtime reports it.
  if (ENTRYPOINT_TROUBLE.test(text)) return "image_cannot_start";
  if (/oci runtime create failed/.test(text)) return "host_failed";
  if (IMAGE_TROUBLE.test(text)) return "image_unavailable";
  return null;
}

// Texts of docker's GPU runtime; some of them quote a program of the host that cannot be run.
const HOST_TROUBLE =
  /unresolvable cdi devices|failed to inject cdi|could not select device driver|error running (prestart |createruntime )?hook|nvidia-container-(cli|runtime)/;

const ENTRYPOINT_TROUBLE =
  /exec format error|exec:? "[^"]*": (stat |executable file not found|permission denied|is a directory|no such file)|exec \/[^:]*: (no such file or directory|permission denied)|no command specified|no matching manifest for /;

// Texts of docker and registries seen in `status_msg`: the image or the login is wrong, not the machine.
const IMAGE_TROUBLE =
  /manifest unknown|manifest for .* not found|pull access denied|repository does not exist|\bunauthorized: |failed to resolve reference|toomanyrequests|pull rate limit|denied: requested access|no basic auth credentials|access forbidden|authorization failed|invalid reference format/;
