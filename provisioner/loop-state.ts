// What the two loops keep between passes: both write it, status and metrics read it. Pure but for the state that it is given.
import { sameServer, type UpstreamFile } from "../common/upstream-file.ts";
import type { LeftServer } from "./lease/mirror.ts";
import { type AccountView, NOTHING_READ } from "./model/account-view.ts";
import type { Desired } from "./model/desired.ts";
import { type Observation, type ProbeResult, type Published, wholeList } from "./model/observation.ts";
import { OURS, type Ownership } from "./model/ownership.ts";
import type { Action, Plan } from "./model/plan.ts";
import type { RentPreview } from "./model/rent-preview.ts";
import type { Urgency } from "./observe/list-schedule.ts";
import { PAUSE_MS } from "./observe/pauses.ts";
import { applyObservation } from "./state/apply-observation.ts";
import { endAccountPause } from "./state/apply-outcome.ts";
import { countCosts } from "./state/money.ts";
import { countRecords } from "./state/records.ts";
import type { State } from "./state/schema.ts";
import { withLaterProbes, withProbe } from "./state/track.ts";
import { LOOK_GAP_MS, markObserved } from "./state/unobserved.ts";

/** Kept by `run`, read by the status server. */
export interface LoopState {
  state: State;
  file: UpstreamFile | null;
  /** The last published server, until it is withdrawn for its destroy. */
  served: Served | null;
  seen: Observation | null;
  /** When the whole list was last known in this run (epoch ms). */
  wholeListAt: number | null;
  ownership: Ownership;
  /** One pod reads the instance list for all. */
  sharesLists: boolean;
  /** What was last read about the money of the account. */
  account: AccountView;
  plan: Plan | null;
  suppressed: readonly Action[];
  /** What may be published while the list is unknown, once it answers: of the last list, or of a predecessor (expected-server.ts). */
  expected: ExpectedServer | null;
  /** What the suppressed create would rent; null: none is suppressed, or the first search has not ended. */
  wouldRent: RentPreview | null;
  /** Why nothing may be mutated: the state file or the upstream file cannot be written. */
  problem: string | null;
  startCounted: boolean;
  /** How long the process had been paused in all at the last look. */
  pausedMs: number;
  /** Nobody looked for a while, and no list has been read since: nothing may be changed yet. */
  afterGap: boolean;
  passes: number;
  startedAt: number;
  finishedAt: number;
  /** When the next pass is due; null before the first has finished. */
  nextPassAt: number | null;
  /** How long the last pass took. */
  passMs: number;
}

export interface Served {
  id: number;
  server: NonNullable<UpstreamFile["server"]>;
  /** Since when it is not published any more (ms of the monotonic clock), or null. */
  downSince: number | null;
}

interface ExpectedServer {
  published: Published;
  /** Until when its first probe must have passed (ms of the monotonic clock). */
  until: number;
}

/** Before the first pass. */
export function startState(state: State, now: number): LoopState {
  return {
    state,
    file: null,
    served: null,
    seen: null,
    wholeListAt: null,
    ownership: OURS,
    sharesLists: false,
    account: NOTHING_READ,
    plan: null,
    suppressed: [],
    expected: null,
    wouldRent: null,
    problem: null,
    startCounted: false,
    pausedMs: 0,
    afterGap: false,
    passes: 0,
    startedAt: now,
    finishedAt: now,
    nextPassAt: null,
    passMs: 0,
  };
}

/**
 * Takes over a state that was made from an earlier one. What the other loop has recorded or published meanwhile is kept: a pass can
 * take minutes, and the probes go on.
 */
export function takeState(loop: LoopState, state: State): void {
  if (state === loop.state) return;
  const { tracks, generation, history } = loop.state;
  const merged = Object.entries(state.tracks).map(([id, track]) => [id, withLaterProbes(track, tracks[id])]);
  loop.state = {
    ...state,
    tracks: Object.fromEntries(merged),
    generation: Math.max(state.generation, generation),
    history,
  };
}

/**
 * `state`, which an observation was applied to, with the costs and the records of machines until then. The
 * loop still has the state and the file before it.
 */
export function withCosts(
  { state: before, file, sharesLists, ownership }: Pick<LoopState, "state" | "file" | "sharesLists" | "ownership">,
  state: State,
  seen: Observation,
  now: number,
): State {
  const publishedId = file === null || file.server === null ? null : (file.instance?.id ?? null);
  const { pendingDeletes } = before;
  const { tracks } = state;
  const shared = sharesLists && ownership.kind === "ours"; // else another provisioner of the label counts the same
  return {
    ...state,
    money: countCosts(state.money, { seen, pendingDeletes, publishedId, now }),
    records: countRecords(state.records, { seen, tracks, pendingDeletes, now, shared }),
  };
}

/** Records a probe of the instance's endpoint. */
export function keepProbe(loop: LoopState, id: number, probe: ProbeResult, now: number): void {
  const before = loop.state.tracks[id];
  if (before === undefined) return;
  // After the clock was set back, the probes from the future count as made just now.
  const [probedAt, streakSince] = [Math.min(before.probedAt, now), Math.min(before.streakSince, now)];
  // After a longer time the main loop takes it out of the durations (state/unobserved.ts).
  const seenLately = before.observedAt !== null && now - before.observedAt <= LOOK_GAP_MS;
  const observedAt = seenLately ? now : before.observedAt;
  const track = withProbe({ ...before, probedAt, streakSince, observedAt }, before.endpoint, probe, now);
  loop.state = { ...loop.state, tracks: { ...loop.state.tracks, [id]: track } };
}

/**
 * `state` after an observation. Where the account's trouble refused the list before and the list has come now, what the same trouble
 * refused may be tried again at once.
 */
export function withSeen(
  { seen: last }: Pick<LoopState, "seen">,
  { desired, firstCreateWaitMs }: { desired: Desired; firstCreateWaitMs: number },
  state: State,
  seen: Observation,
  now: number,
): State {
  const next = markObserved(applyObservation(state, seen, desired, firstCreateWaitMs, now), seen, now);
  const refused = last === null || last.list.known ? null : last.list.why.account;
  const isBack = refused !== null && refused === state.account?.trouble && seen.list.known;
  return isBack ? endAccountPause(next, now) : next;
}

/** Takes over the state that an observation was applied to. */
export function takeSeen(
  loop: LoopState,
  {
    state,
    seen,
    now,
    pausedMs,
    afterGap,
  }: Pick<LoopState, "state" | "pausedMs" | "afterGap"> & { seen: Observation; now: number },
): void {
  if (seen.list.known) Object.assign(loop, { startCounted: true, expected: null });
  if (wholeList(seen) !== null) loop.wholeListAt = seen.listedAt;
  Object.assign(loop, { pausedMs, afterGap: afterGap && !seen.list.known });
  takeState(loop, withCosts(loop, state, seen, now));
}

/** Records what was published; `at` in ms of the monotonic clock. */
export function noteFile(loop: LoopState, file: UpstreamFile, at: number): void {
  if (file.generation < (loop.file?.generation ?? 0)) return;
  loop.file = file;
  if (file.generation > loop.state.generation) loop.state = { ...loop.state, generation: file.generation };
  const { server, instance } = file;
  if (server !== null && instance !== null) loop.served = { id: instance.id, server, downSince: null };
  else if (loop.served !== null) loop.served = { ...loop.served, downSince: loop.served.downSince ?? at };
}

/** What a successor on a new volume needs to know of the server that is published now. */
export function serverToLeave({ file, state }: LoopState, now: number): LeftServer | null {
  if (file === null || file.server === null || file.instance === null) return null;
  const { server, instance } = file;
  if (state.tracks[instance.id]?.serving !== true) return null;
  return { server, instance, servedAt: now, listedAt: state.listUnknownSince ?? now };
}

/** True if the file still routes to the server that is served. */
export function isPublished({ file, served }: LoopState): boolean {
  return served !== null && file?.instance?.id === served.id && sameServer(file.server, served.server);
}

/** How long this program did not run since its last look; null: it is not known when the run before it ended. */
export function lostMs({ seen, state, pausedMs: before }: LoopState, pausedMs: number, now: number): number | null {
  if (seen !== null) return pausedMs - before;
  if (state.observedAt === null) return null;
  const downMs = now - state.observedAt;
  return downMs >= PAUSE_MS ? downMs : 0;
}

/** While all is well the list is read seldom. */
export function urgencyOf({ plan, problem, state, sharesLists }: LoopState): Urgency {
  // A second list shows whether the contract is really stopped: until then nginx may route to somebody else.
  if (Object.values(state.tracks).some(({ stopped }) => stopped !== null)) return "starting";
  if (plan === null || problem !== null) return "starting";
  // The next instance is created when a list does not show the destroyed one any more. A pod that reads its own lists keeps to its slots:
  // others may have destroyed theirs at the same time.
  if (sharesLists && plan.actions.some(({ kind }) => kind === "destroy")) return "now";
  if (plan.reason === "confirming_none") return "confirming";
  // A fresh list is read when the turn has come.
  const waits = plan.reason === "waiting_for_turn";
  if (plan.actions.length > 0 || (!waits && plan.reason !== "instance_ready")) return "starting";
  return plan.instance === null ? "waiting" : "ready";
}
