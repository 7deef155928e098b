// The main loop: observe, apply the observation, decide, apply the policy, publish, withdraw, act, wait. Each pass starts from the
// observed state. The serving loop (serve.ts) runs beside it. Touches only what it is handed.
import { runPasses, WakeSignal } from "../common/loop.ts";
import type { Act } from "./act/act.ts";
import type { Signals } from "./act/try-offer.ts";
import { expectServer, lastServed, onLease } from "./expected-server.ts";
import type { PodTurns, Wish } from "./fleet/pod-turns.ts";
import { type KeepParts, keep, publishPlan } from "./keep.ts";
import type { Lease } from "./lease/lease.ts";
import { type LoopState, lostMs, takeSeen, takeState, urgencyOf, withSeen } from "./loop-state.ts";
import type { Policy } from "./model/desired.ts";
import type { Observation, Published } from "./model/observation.ts";
import {
  type Action,
  type Decision,
  type DestroyAction,
  givesUpServer,
  interruptsInstance,
  type Plan,
  toPlan,
  withoutActions,
} from "./model/plan.ts";
import { isPrechecked } from "./model/precheck.ts";
import type { Urgency } from "./observe/list-schedule.ts";
import type { Observer } from "./observe/observe.ts";
import type { Pauses } from "./observe/pauses.ts";
import { createAction } from "./plan/no-instance.ts";
import { decide } from "./plan/plan.ts";
import { afterGap, applyPolicy, isListTooOld, untilListed } from "./plan/policy.ts";
import { rehearsalOf, untilRehearsed } from "./plan/rehearsal.ts";
import { untilTurn, wishOf } from "./plan/turn.ts";
import { logChange } from "./publish/log-change.ts";
import type { AskReloader } from "./publish/withdraw.ts";
import { releaseServer } from "./release-server.ts";
import { countStart } from "./state/apply-observation.ts";
import { mustRehearse } from "./state/refused-end.ts";
import type { State } from "./state/schema.ts";
import { recordTakeovers } from "./state/takeovers.ts";
import { continueAfterGap } from "./state/unobserved.ts";
import { wasChangeSent } from "./state/updating.ts";

export interface LoopParts extends KeepParts {
  observer: Observer;
  pauses: Pauses;
  act: Act;
  lease: Lease;
  turns: PodTurns;
  /** No other pod of its set is known: its cold start comes before that of others. */
  mayBeAlone: boolean;
  askReloader: AskReloader;
  policy: Policy;
  drainMs: number;
  firstCreateWaitMs: number;
  /** Called after each pass that finished, with the state that it began with and what it has seen. */
  afterPass?(before: State, seen: Observation, stop: AbortSignal): Promise<void>;
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
    loop.nextPassAt = await pass(parts, loop, stop, abortMutations);
    return Math.max(loop.nextPassAt - clock.now(), 0);
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
  onLease(loop, await lease.renew(loop.state, stop), parts);
  const first = await observeAndDecide(parts, loop, began, stop);
  if (first === null) return clock.now();
  const recordable = await prepareReplacement(parts, loop, first, began, { stop, abortMutations });
  if (stop.aborted) return clock.now();
  // From here to the publication nothing waits: the serving loop may have recorded probes meanwhile, and the newest state counts.
  const outcome = upToDate(parts, loop, first);
  const { suppressed, now, seen } = outcome;
  const decision = feasible(outcome, began, clock.now(), recordable);
  const plan = toPlan(decision);
  logChange(parts.log, loop.plan, plan);
  // A pause from here on makes the decision an old one: it is not carried out any further.
  const wasPaused = () => parts.pauses.totalMs() > outcome.pausedMs;
  const isOld = () => stop.aborted || wasPaused();
  const servedBefore = loop.served;
  takeSeen(loop, outcome);
  Object.assign(loop, { seen, plan, suppressed });
  expectServer(loop, { plan, seen }, parts);
  const written = await keep(parts, loop, () => publishPlan(parts, loop, plan));
  if (written) {
    if (await releaseServer(parts, loop, plan, servedBefore, stop, isOld))
      await actAll(parts, loop, plan, seen, { stop, abortMutations }, isOld);
    if (givesUpServer(decision) && !wasPaused()) await serveUnlessEnded(parts, loop, outcome);
  } else {
    // A provisioner that cannot act must not prevent another one, whose volumes work, from acting.
    await lease.release();
  }
  loop.passes += 1;
  loop.finishedAt = clock.now();
  loop.passMs = loop.finishedAt - began;
  await parts.afterPass?.(stateBefore, seen, stop);
  const { nextCheckAt } = loop.plan ?? plan;
  if (!written) return Math.max(nextCheckAt, now + AFTER_WRITE_ERROR_MS);
  if (wasPaused()) return clock.now();
  return parts.observer.wakeAt(urgencyOf(loop), nextCheckAt);
}

interface Outcome {
  seen: Observation;
  /** The state before the observation was applied. */
  before: State;
  state: State;
  decision: Decision;
  /** What the decision wants a turn for, whether it has come or not. */
  wish: Wish | null;
  suppressed: readonly Action[];
  now: number;
  pausedMs: number;
  afterGap: boolean;
  published: Published;
}

/** Observes, twice where a mutation would follow from a list that is older than the pass. Null: stopped meanwhile. */
async function observeAndDecide(
  parts: LoopParts,
  loop: LoopState,
  began: number,
  stop: AbortSignal,
): Promise<Outcome | null> {
  const { limits, clock, pauses } = parts;
  const once = async (urgency: Urgency): Promise<Observation | null> => {
    const pausedMs = pauses.totalMs();
    const published = lastServed(loop, limits.httpProbe, clock.monotonic(), false); // for the case that no list comes
    const seen = await parts.observer.observe(loop.state, published, urgency, stop, began);
    if (stop.aborted) return null;
    // What was seen before a pause is old.
    return pauses.totalMs() > pausedMs ? once("now") : seen;
  };
  const first = await once(urgencyOf(loop));
  if (first === null) return null;
  const asked = decideOn(parts, loop, first);
  await askForTurn(parts, asked);
  const outcome = asked.wish === null ? upToDate(parts, loop, asked) : decideOn(parts, loop, first);
  if (!isListTooOld(outcome.decision.actions, outcome.seen, began, clock.now())) return outcome;
  const second = await once("now");
  return second === null ? null : decideOn(parts, loop, second);
}

/** The outcome itself, or a new one if the state has changed or the process was paused since it was decided. */
function upToDate(parts: LoopParts, loop: LoopState, outcome: Outcome): Outcome {
  const isNewest = outcome.before === loop.state && outcome.pausedMs === parts.pauses.totalMs();
  return isNewest ? outcome : decideOn(parts, loop, outcome.seen);
}

/** Before the decision counts, because from then on nothing waits. */
async function askForTurn({ turns }: LoopParts, { wish, state, decision, seen }: Outcome): Promise<void> {
  const kept = seen.list.known && seen.instances.some(({ row }) => !state.pendingDeletes.some((d) => d.id === row.id));
  const surging = state.surge !== null || state.intent?.besides !== undefined;
  await turns.ask(wish, { listed: kept, serves: decision.serving.server !== null, surging });
}

/** The decision on one observation. It changes nothing, so it can be made again. */
function decideOn(
  { clock, desired, limits, pauses, policy, firstCreateWaitMs, turns, mayBeAlone }: LoopParts,
  loop: LoopState,
  seen: Observation,
): Outcome {
  const { ownership } = loop;
  const now = clock.now();
  const pausedMs = pauses.totalMs();
  const continued = continueAfterGap(loop.state, seen, lostMs(loop, pausedMs, now), now);
  const gap = loop.afterGap || continued.afterGap;
  let state = withSeen(loop, { desired, firstCreateWaitMs }, continued.state, seen, now);
  // While another provisioner holds the lease, it replaces the instance with good reason.
  if (ownership.kind === "ours") state = recordTakeovers(loop.state, state, seen, now);
  if (!loop.startCounted && seen.list.known && limits.bansEnabled) state = countStart(state);
  // Unwritten bans of an earlier run, in which bans were enabled, ban nobody.
  if (!limits.bansEnabled && state.unwrittenBans.length > 0) state = { ...state, unwrittenBans: [] };
  const published = lastServed(loop, limits.httpProbe, clock.monotonic(), seen.list.known);
  const decided = decide({ desired, seen, state, ownership, now, limits }, published);
  const { decision, suppressed } = applyPolicy(gap ? afterGap(decided, published) : decided, policy);
  const wish = wishOf(decision, state, mayBeAlone);
  const admitted = wish === null ? decision : untilTurn(decision, wish, turns.turnFor(wish));
  const before = loop.state;
  return { seen, before, state, decision: admitted, wish, suppressed, now, pausedMs, afterGap: gap, published };
}

/**
 * What serves is given up only when its destroy can be recorded, when the API is likely to take it and, where that is asked for, when
 * another instance can be created. False where the state cannot be written; what is in the way otherwise is in the state then.
 */
async function prepareReplacement(
  parts: LoopParts,
  loop: LoopState,
  first: Outcome,
  began: number,
  signals: Signals,
): Promise<boolean> {
  const outcome = upToDate(parts, loop, first);
  const { decision, seen } = outcome;
  if (!givesUpServer(decision) || isListTooOld(decision.actions, seen, began, parts.clock.now())) return true;
  takeSeen(loop, outcome);
  if (!(await keep(parts, loop, async () => undefined))) return false;
  const act = async (action: Action) =>
    takeState(loop, (await parts.act(action, toPlan(decision), seen, loop.state, signals)).state);
  if (mustRehearse(loop.state, parts.clock.now())) {
    const rehearsal = rehearsalOf(decision, seen);
    if (rehearsal !== null) await act(rehearsal);
    if (mustRehearse(loop.state, parts.clock.now())) return true;
  }
  const replaces = decision.actions.find(
    (action): action is DestroyAction => action.kind === "destroy" && isPrechecked(action, parts.limits),
  );
  if (replaces === undefined) return true;
  const create = createAction({ ...parts, seen, state: loop.state });
  await act({ kind: "check_replacement", replaces, create });
  return true;
}

/**
 * The decision that may be carried out. Nothing is changed by an old list, not even where the API refuses a new one; but a server that
 * does not answer is withdrawn.
 */
function feasible(
  { decision, seen, published, state }: Outcome,
  began: number,
  now: number,
  recordable: boolean,
): Decision {
  if (isListTooOld(decision.actions, seen, began, now)) return untilListed(decision, published);
  if (recordable || !givesUpServer(decision)) return untilRehearsed(decision, state, now);
  const why = "not carried out while the state file cannot be written: make its volume writable";
  return withoutActions(decision, why, AFTER_WRITE_ERROR_MS);
}

/** An instance that was withdrawn and not destroyed is served again: its destroy was refused, or could not be sent. */
async function serveUnlessEnded(
  parts: LoopParts,
  loop: LoopState,
  { seen, decision: { serving } }: Outcome,
): Promise<void> {
  if (loop.state.pendingDeletes.some(({ id }) => id === serving.instance?.id)) return;
  const { desired, limits, clock } = parts;
  const { state, ownership } = loop;
  const decided = decide({ desired, seen, state, ownership, now: clock.now(), limits }, serving);
  const again = givesUpServer(decided);
  const plan = toPlan(
    again ? withoutActions(decided, "not carried out", AFTER_WRITE_ERROR_MS) : { ...decided, actions: [] },
  );
  logChange(parts.log, loop.plan, plan);
  loop.plan = plan;
  await keep(parts, loop, () => publishPlan(parts, loop, plan));
}

async function actAll(
  parts: LoopParts,
  loop: LoopState,
  plan: Plan,
  seen: Observation,
  signals: Signals,
  isOld: () => boolean,
): Promise<void> {
  for (const action of plan.actions) {
    // What was served is withdrawn for its destroy already, and its connections have had their time to end.
    const follows =
      interruptsInstance([action], plan.instance?.id) || !isListTooOld([action], seen, 0, parts.clock.now());
    if (isOld() || !follows) return;
    const before = loop.state;
    const done = await keep(parts, loop, async () => {
      const { state } = await parts.act(action, plan, seen, loop.state, signals);
      takeState(loop, state);
    });
    if (done) continue;
    // What could not be recorded was not sent: it must not be sent later, when the instance may be the right one again.
    if (!wasChangeSent(loop.state, action)) takeState(loop, before);
    return;
  }
}
