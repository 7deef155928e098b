// The loop: observe, remember, plan, publish, withdraw, act, wait. Each pass starts from what is. Touches only what it is handed.
import type { Clock } from "../common/clock.ts";
import { describeError, type Logger } from "../common/logging.ts";
import type { Act } from "./act/act.ts";
import type { Lease } from "./lease/lease.ts";
import type { LoopState } from "./loop-state.ts";
import type { Desired, Limits, Policy } from "./model/desired.ts";
import type { Observation, Published } from "./model/observation.ts";
import type { Plan } from "./model/plan.ts";
import type { Observer, Urgency } from "./observe/observe.ts";
import type { PlanInput } from "./plan/input.ts";
import { plan } from "./plan/plan.ts";
import { applyPolicy, untilListed } from "./plan/policy.ts";
import type { Publisher } from "./publish/publish.ts";
import { type AskReloader, awaitWithdrawn } from "./publish/withdraw.ts";
import { applyObservation, countStart } from "./state/apply-observation.ts";
import type { State } from "./state/schema.ts";

export interface LoopParts {
  observer: Observer;
  act: Act;
  lease: Lease;
  publisher: Publisher;
  askReloader: AskReloader;
  save(state: State): Promise<void>;
  clock: Clock;
  log: Logger;
  desired: Desired;
  limits: Limits;
  policy: Policy;
  drainMs: number;
  firstCreateWaitMs: number;
  /** Told of each pass that finished, with the memory that it began with. */
  onPass?(before: State): void;
}

// A pass that failed by a defect is tried again, and /livez tells when that goes on.
const AFTER_DEFECT_MS = 5000;

/** Runs passes until `stop` is aborted. `abortMutations` is aborted when mutations under way must be left to their fate. */
export async function runLoop(
  parts: LoopParts,
  loop: LoopState,
  stop: AbortSignal,
  abortMutations: AbortSignal,
): Promise<void> {
  const { clock, log } = parts;
  while (!stop.aborted) {
    try {
      const nextCheckAt = await pass(parts, loop, stop, abortMutations);
      if (!stop.aborted) await clock.sleep(Math.max(nextCheckAt - clock.now(), 0), stop);
    } catch (error) {
      log.error({ event: "internal_error", err: error }, "a pass failed by a defect; it is tried again");
      await clock.sleep(AFTER_DEFECT_MS, stop);
    }
  }
}

/** One pass; answers when the next one is due (epoch ms). */
export async function pass(
  parts: LoopParts,
  loop: LoopState,
  stop: AbortSignal,
  abortMutations: AbortSignal,
): Promise<number> {
  const { clock } = parts;
  const [began, remembered] = [clock.now(), loop.state];
  const passEnds = () => {
    loop.passes += 1;
    loop.finishedAt = clock.now();
    loop.passMs = loop.finishedAt - began;
    parts.onPass?.(remembered);
  };
  const published = { server: loop.file?.server ?? null, instance: loop.file?.instance ?? null };
  // Before the list: what it shows then was made before the label was ours, or by us.
  const renewed = await parts.lease.renew(loop.state);
  loop.state = renewed.state;
  let seen = await parts.observer.observe(loop.state, published, urgencyOf(loop), stop);
  if (stop.aborted) return clock.now();
  let decided = decide(parts, loop, seen, published, renewed.ownership);
  if (needsFreshList(decided.allowed.plan) && seen.listedAt < began) {
    seen = await parts.observer.observe(loop.state, published, "now", stop);
    if (stop.aborted) return clock.now();
    decided = decide(parts, loop, seen, published, renewed.ownership);
    // The API has refused to tell: nothing is changed by an old list, but a server that is dead is let go of all the same.
    if (needsFreshList(decided.allowed.plan) && seen.listedAt < began)
      decided.allowed.plan = untilListed(decided.allowed.plan);
  }
  const { state, allowed, now } = decided;
  if (seen.list.known) loop.startCounted = true;
  const before = loop.plan;
  Object.assign(loop, { seen, plan: allowed.plan, suppressed: allowed.suppressed });
  logChange(parts.log, before, allowed.plan);
  const served = loop.served;
  const written = await keep(parts, loop, state, () => publishPlan(parts, loop, allowed.plan));
  if (written) {
    await withdraw(parts, loop, allowed.plan, served, stop);
    await actAll(parts, loop, allowed.plan, seen, stop, abortMutations);
  }
  // Who cannot act must not keep another from acting, whose volumes are well.
  if (!written) await parts.lease.release();
  passEnds();
  if (!written) return Math.max(allowed.plan.nextCheckAt, now + AFTER_DEFECT_MS);
  return parts.observer.wakeAt(urgencyOf(loop), allowed.plan.nextCheckAt);
}

/** While all is well the list is asked for seldom. */
function urgencyOf({ plan: last, problem }: LoopState): Urgency {
  return last?.reason === "instance_ready" && last.actions.length === 0 && problem === null ? "ready" : "starting";
}

/** A decision about one look. It changes nothing, so that it can be made again from a newer one. */
function decide(
  { clock, desired, limits, policy, firstCreateWaitMs }: LoopParts,
  loop: LoopState,
  seen: Observation,
  published: Published,
  ownership: PlanInput["ownership"],
): { state: State; allowed: ReturnType<typeof applyPolicy>; now: number } {
  const now = clock.now();
  let state = applyObservation(loop.state, seen, desired, firstCreateWaitMs, now);
  if (!loop.startCounted && seen.list.known && limits.bansEnabled) state = countStart(state);
  // What an earlier setting has left behind bans nobody.
  if (!limits.bansEnabled && state.unwrittenBans.length > 0) state = { ...state, unwrittenBans: [] };
  return {
    state,
    allowed: applyPolicy(plan({ desired, seen, state, ownership, now, limits }, published), policy),
    now,
  };
}

/** What an old list may not decide. */
function needsFreshList({ actions }: Plan): boolean {
  return actions.some(({ kind }) => kind === "create" || kind === "destroy" || kind === "forget_intent");
}

/** Puts memory and upstream file on disk. False when either cannot be written: then nothing may be mutated. Throws defects. */
async function keep(parts: LoopParts, loop: LoopState, state: State, publish: () => Promise<void>): Promise<boolean> {
  loop.state = state;
  try {
    await publish();
    await parts.save(loop.state);
  } catch (error) {
    if (!isFileSystemError(error)) throw error; // a defect: no volume is to blame
    const { message } = describeError(error);
    const problem = `nothing is created or destroyed while this cannot be written: ${message}. Make the volumes of STATE_PATH and UPSTREAM_PATH writable for this user, with free space`;
    if (loop.problem !== problem) parts.log.error({ event: "disk", err: error }, problem);
    loop.problem = problem;
    return false;
  }
  if (loop.problem !== null) parts.log.info({ event: "disk" }, "the files can be written again");
  loop.problem = null;
  return true;
}

/** The system's own codes are like ENOSPC; Node's are like ERR_INVALID_ARG_TYPE. */
function isFileSystemError(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^E[A-Z0-9]+$/.test(String(error.code));
}

async function publishPlan(parts: LoopParts, loop: LoopState, allowed: Plan): Promise<void> {
  const { changed, file } = await parts.publisher.publish(allowed);
  loop.file = file;
  loop.state = { ...loop.state, generation: file.generation };
  if (file.server !== null && file.instance !== null) loop.served = { id: file.instance.id, server: file.server };
  if (changed)
    parts.log.debug(
      { event: "published", generation: file.generation, server: file.server },
      "the upstream file is written",
    );
}

/** Before an instance that was served is destroyed, nginx must have let go of it: its port may be a stranger's minutes later. */
async function withdraw(
  parts: LoopParts,
  loop: LoopState,
  allowed: Plan,
  served: LoopState["served"],
  stop: AbortSignal,
): Promise<void> {
  const { clock, log, askReloader, drainMs } = parts;
  if (served === null || loop.file === null) return;
  if (!allowed.actions.some((action) => action.kind === "destroy" && action.id === served.id)) return;
  const answers = loop.state.tracks[served.id]?.serving === true;
  await awaitWithdrawn(askReloader, loop.file.generation, served.server, answers ? drainMs : 0, clock, log, stop);
  if (!stop.aborted && loop.served?.id === served.id) loop.served = null;
}

async function actAll(
  parts: LoopParts,
  loop: LoopState,
  allowed: Plan,
  seen: Observation,
  stop: AbortSignal,
  abortMutations: AbortSignal,
): Promise<void> {
  for (const action of allowed.actions) {
    if (stop.aborted) return;
    const done = await keep(parts, loop, loop.state, async () => {
      loop.state = await parts.act(action, allowed, seen, loop.state, { stop, abortMutations });
    });
    if (!done) return;
  }
}

/** One line per state change. */
function logChange(log: Logger, before: Plan | null, now: Plan): void {
  const key = (p: Plan) => JSON.stringify([p.state, p.reason, p.message, p.server, p.instance?.id]);
  if (before !== null && key(before) === key(now)) return;
  const line = {
    event: "state",
    state: now.state,
    reason: now.reason,
    server: now.server,
    instance: now.instance?.id ?? null,
  } as const;
  if (now.reason === "internal_error") log.error(line, now.message);
  else if (now.state === "blocked" || now.state === "unavailable") log.warn(line, now.message);
  else log.info(line, now.message);
}
