// Puts what a loop has decided on record: the log, the upstream file and the state file. Touches those.
import type { Clock } from "../common/clock.ts";
import { isFileSystemError, messageOf } from "../common/errors.ts";
import type { Logger } from "../common/logging.ts";
import { sameServer } from "../common/upstream-file.ts";
import { type LoopState, noteFile } from "./loop-state.ts";
import type { Desired, Limits } from "./model/desired.ts";
import { isReady } from "./plan/readiness.ts";
import type { PublishedState, Publisher } from "./publish/publish.ts";
import { withTransition } from "./state/history.ts";
import type { State } from "./state/schema.ts";

export interface KeepParts {
  desired: Desired;
  limits: Limits;
  publisher: Publisher;
  /** Takes the state over and puts it on disk. */
  save(state: State): Promise<void>;
  clock: Clock;
  log: Logger;
}

/** Runs `work` and puts the state on disk. False when a file cannot be written: then nothing may be mutated. Throws internal errors. */
export async function keep(parts: KeepParts, loop: LoopState, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    await parts.save(loop.state);
  } catch (error) {
    if (!isFileSystemError(error)) throw error;
    const problem = unwritable(loop, messageOf(error));
    if (loop.problem !== problem) parts.log.error({ event: "disk", err: error }, problem);
    loop.problem = problem;
    return false;
  }
  if (loop.problem !== null) parts.log.info({ event: "disk" }, "the files can be written again");
  loop.problem = null;
  return true;
}

function unwritable({ plan, file }: LoopState, why: string): string {
  const remedy = "Make the volumes of STATE_PATH and UPSTREAM_PATH writable for this user, with free space";
  const text = `nothing is created or destroyed while this cannot be written: ${why}. ${remedy}`;
  const server = file?.server ?? null;
  if (server === null || plan === null || sameServer(plan.server, server)) return text;
  const wanted =
    plan.server === null ? "nothing must be served" : `${plan.server.host}:${plan.server.port} must be served`;
  const { host, port } = server;
  return `${text}. Until then nginx routes to ${host}:${port} and the pod stays ready, although ${wanted}: if the volume cannot be mended, delete the pod to get new volumes`;
}

/** The call of the publisher is made at once, so that the file follows the order of the decisions. */
export async function publishPlan(
  { publisher, clock, log, desired, limits }: KeepParts,
  loop: LoopState,
  plan: PublishedState,
): Promise<void> {
  const history = withTransition(loop.state.history, plan, clock.now());
  if (history !== loop.state.history) loop.state = { ...loop.state, history };
  const { ownership } = loop;
  const ready = isReady(plan, { desired, limits, state: loop.state, ownership });
  const { state, reason, message, server, instance } = plan;
  const { changed, file } = await publisher.publish({ state, reason, message, server, instance, ready });
  noteFile(loop, file, clock.monotonic());
  if (changed)
    log.debug({ event: "published", generation: file.generation, server: file.server }, "the upstream file is written");
}
