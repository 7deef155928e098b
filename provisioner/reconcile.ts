// The loop: observe, apply the observation, decide, apply the policy, publish, withdraw, act, wait. Each pass starts from the
// observed state. Touches only what it is handed.
import type { Clock } from "../common/clock.ts";
import { isFileSystemError } from "../common/errors.ts";
import { describeError, type Logger } from "../common/logging.ts";
import { runPasses, WakeSignal } from "../common/loop.ts";
import type { Act } from "./act/act.ts";
import type { Lease } from "./lease/lease.ts";
import type { LoopState } from "./loop-state.ts";
import type { Desired, Limits, Policy } from "./model/desired.ts";
import type { Observation, Published } from "./model/observation.ts";
import type { Ownership } from "./model/ownership.ts";
import {
  type Action,
  type Decision,
  destroysInstance,
  givesUpServer,
  type Plan,
  toPlan,
  withoutActions,
} from "./model/plan.ts";
import type { Urgency } from "./observe/list-schedule.ts";
import type { Observer } from "./observe/observe.ts";
import { decide } from "./plan/plan.ts";
import { applyPolicy, untilListed } from "./plan/policy.ts";
import { logChange } from "./publish/log-change.ts";
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
  /** Called after each pass that finished, with the state that it began with. */
  onPass?(before: State): void;
}

// A pass that could not write its files is repeated after this time at the earliest.
const AFTER_WRITE_ERROR_MS = 5000;

/** Runs passes until `stop` is aborted. `abortMutations` is aborted when mutations that were sent are waited for no longer. */
export async function runLoop(
  parts: LoopParts,
  loop: LoopState,
  stop: AbortSignal,
  abortMutations: AbortSignal,
): Promise<void> {
  const { clock, log } = parts;
  const onePass = async () => {
    const nextCheckAt = await pass(parts, loop, stop, abortMutations);
    return Math.max(nextCheckAt - clock.now(), 0);
  };
  const onError = (error: unknown) =>
    log.error({ event: "internal_error", err: error }, "reconcile failed with an internal error; retrying in 5 s");
  await runPasses({ pass: onePass, onError, wake: new WakeSignal(), clock }, stop);
}

/** One pass; answers when the next one is due (epoch ms). */
export async function pass(
  parts: LoopParts,
  loop: LoopState,
  stop: AbortSignal,
  abortMutations: AbortSignal,
): Promise<number> {
  const { clock, lease } = parts;
  const [began, stateBefore] = [clock.now(), loop.state];
  // Before the list is read: then whatever the list shows was made before the lease was ours, or by us.
  const { state: leased, ownership } = await lease.renew(loop.state);
  loop.state = leased;
  const observed = await observeAndDecide(parts, loop, ownership, began, stop);
  if (observed === null) return clock.now();
  const outcome = await prepareReplacement(parts, loop, observed);
  const { state, decision, suppressed, seen, now } = outcome;
  const plan = toPlan(decision);
  if (seen.list.known) loop.startCounted = true;
  logChange(parts.log, loop.plan, plan);
  Object.assign(loop, { seen, plan, suppressed });
  const servedBefore = loop.served;
  const written = await keep(parts, loop, state, () => publishPlan(parts, loop, plan));
  if (written) {
    await withdraw(parts, loop, plan, servedBefore, stop);
    await actAll(parts, loop, plan, seen, stop, abortMutations);
    if (givesUpServer(decision)) await serveUnlessEnded(parts, loop, outcome, ownership);
  } else {
    // A provisioner that cannot act must not prevent another one, whose volumes work, from acting.
    await lease.release();
  }
  loop.passes += 1;
  loop.finishedAt = clock.now();
  loop.passMs = loop.finishedAt - began;
  parts.onPass?.(stateBefore);
  const { nextCheckAt } = loop.plan ?? plan;
  if (!written) return Math.max(nextCheckAt, now + AFTER_WRITE_ERROR_MS);
  return parts.observer.wakeAt(urgencyOf(loop), nextCheckAt);
}

/** While all is well the list is read seldom. */
function urgencyOf({ plan, problem }: LoopState): Urgency {
  return plan?.reason === "instance_ready" && plan.actions.length === 0 && problem === null ? "ready" : "starting";
}

interface Outcome {
  seen: Observation;
  state: State;
  decision: Decision;
  suppressed: readonly Action[];
  now: number;
}

/** Observes and decides, twice where a mutation would follow from a list that is older than the pass. Null: stopped meanwhile. */
async function observeAndDecide(
  parts: LoopParts,
  loop: LoopState,
  ownership: Ownership,
  began: number,
  stop: AbortSignal,
): Promise<Outcome | null> {
  const { observer } = parts;
  const published = { server: loop.file?.server ?? null, instance: loop.file?.instance ?? null };
  const observe = async (urgency: Urgency) => {
    const seen = await observer.observe(loop.state, published, urgency, stop);
    return stop.aborted ? null : decideOn(parts, loop, seen, published, ownership);
  };
  const tooOld = ({ decision, seen }: Outcome) => needsFreshList(decision.actions) && seen.listedAt < began;
  const first = await observe(urgencyOf(loop));
  if (first === null || !tooOld(first)) return first;
  const second = await observe("now");
  if (second === null || !tooOld(second)) return second;
  // The API refused a fresh list. Nothing is changed by the old one, but a server that does not answer is withdrawn.
  return { ...second, decision: untilListed(second.decision) };
}

/** The decision on one observation. It changes nothing, so it can be made again on a newer observation. */
function decideOn(
  { clock, desired, limits, policy, firstCreateWaitMs }: LoopParts,
  loop: LoopState,
  seen: Observation,
  published: Published,
  ownership: Ownership,
): Outcome {
  const now = clock.now();
  let state = applyObservation(loop.state, seen, desired, firstCreateWaitMs, now);
  if (!loop.startCounted && seen.list.known && limits.bansEnabled) state = countStart(state);
  // Unwritten bans of an earlier run, in which bans were enabled, ban nobody.
  if (!limits.bansEnabled && state.unwrittenBans.length > 0) state = { ...state, unwrittenBans: [] };
  const decided = decide({ desired, seen, state, ownership, now, limits }, published);
  return { seen, state, now, ...applyPolicy(decided, policy) };
}

/** True for actions that an old list may not decide. */
function needsFreshList(actions: readonly Action[]): boolean {
  return actions.some(({ kind }) => kind === "create" || kind === "destroy" || kind === "forget_intent");
}

/** What serves is given up only when its destroy can be recorded: without a disk it could not be sent either. */
async function prepareReplacement(parts: LoopParts, loop: LoopState, outcome: Outcome): Promise<Outcome> {
  if (!givesUpServer(outcome.decision)) return outcome;
  if (await keep(parts, loop, outcome.state, async () => undefined)) return outcome;
  const why = "not carried out while the state file cannot be written: make its volume writable";
  return { ...outcome, decision: withoutActions(outcome.decision, why, AFTER_WRITE_ERROR_MS) };
}

/** An instance that was withdrawn and not destroyed is served again: its destroy was refused, or could not be sent. */
async function serveUnlessEnded(
  parts: LoopParts,
  loop: LoopState,
  { seen, decision: { serving } }: Outcome,
  ownership: Ownership,
): Promise<void> {
  if (loop.state.pendingDeletes.some(({ id }) => id === serving.instance?.id)) return;
  const { desired, limits, clock } = parts;
  const decided = decide({ desired, seen, state: loop.state, ownership, now: clock.now(), limits }, serving);
  const again = givesUpServer(decided);
  const plan = toPlan(
    again ? withoutActions(decided, "not carried out", AFTER_WRITE_ERROR_MS) : { ...decided, actions: [] },
  );
  logChange(parts.log, loop.plan, plan);
  loop.plan = plan;
  await keep(parts, loop, loop.state, () => publishPlan(parts, loop, plan));
}

/**
 * Takes the state over, runs `work` and puts the state on disk. False when a file cannot be written: then nothing may be
 * mutated. Throws internal errors.
 */
async function keep(parts: LoopParts, loop: LoopState, state: State, work: () => Promise<void>): Promise<boolean> {
  loop.state = state;
  try {
    await work();
    await parts.save(loop.state);
  } catch (error) {
    if (!isFileSystemError(error)) throw error;
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

async function publishPlan(parts: LoopParts, loop: LoopState, plan: Plan): Promise<void> {
  const { changed, file } = await parts.publisher.publish(plan);
  loop.file = file;
  loop.state = { ...loop.state, generation: file.generation };
  if (file.server !== null && file.instance !== null) loop.served = { id: file.instance.id, server: file.server };
  if (changed)
    parts.log.debug(
      { event: "published", generation: file.generation, server: file.server },
      "the upstream file is written",
    );
}

/** nginx must stop using a server before its instance is destroyed: minutes later its port may belong to somebody else. */
async function withdraw(
  parts: LoopParts,
  loop: LoopState,
  plan: Plan,
  served: LoopState["served"],
  stop: AbortSignal,
): Promise<void> {
  const { clock, log, askReloader, drainMs } = parts;
  if (served === null || loop.file === null || !destroysInstance(plan.actions, served.id)) return;
  const answers = loop.state.tracks[served.id]?.serving === true;
  await awaitWithdrawn(askReloader, loop.file.generation, served.server, answers ? drainMs : 0, clock, log, stop);
  if (!stop.aborted && loop.served?.id === served.id) loop.served = null;
}

async function actAll(
  parts: LoopParts,
  loop: LoopState,
  plan: Plan,
  seen: Observation,
  stop: AbortSignal,
  abortMutations: AbortSignal,
): Promise<void> {
  for (const action of plan.actions) {
    if (stop.aborted) return;
    const before = loop.state;
    const done = await keep(parts, loop, loop.state, async () => {
      const { state } = await parts.act(action, plan, seen, loop.state, { stop, abortMutations });
      loop.state = state;
    });
    if (done) continue;
    // A destroy that could not be recorded was not sent: it must not be sent later, when the instance may be the right one again.
    if (action.kind === "destroy" && !wasSent(loop.state, action.id)) loop.state = before;
    return;
  }
}

function wasSent({ pendingDeletes }: State, id: number): boolean {
  return pendingDeletes.some((pending) => pending.id === id && pending.deleteSentAt !== null);
}
