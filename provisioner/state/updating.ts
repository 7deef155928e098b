// A change of an instance in place: its container is replaced by one with another image and template. Pure: records facts.
//
// It begins on disk before the first call. The new template may then be prepared already, so the recycle follows in any case; until then
// the old container runs and serves. After the recycle nothing is served before a list shows the new image and template hash, and a probe
// that began later passes. What was refused, or is not shown, has failed: the instance is replaced instead. Where the new container does
// not come up, the one of before is put back in the same way, and the instance keeps its old image for a while.
import { matchesDesired } from "../model/matches-desired.ts";
import type { Observation, ObservedInstance } from "../model/observation.ts";
import type { Action, UpdateAction } from "../model/plan.ts";
import type { Instance } from "../vast/rows.ts";
import { wasDeleteSent } from "./apply-outcome.ts";
import { holdReplacement } from "./held-replacement.ts";
import { replacedFor } from "./replacements.ts";
import type { State } from "./schema.ts";
import { newTrack } from "./track.ts";

export type Updating = NonNullable<State["updating"]>;

// As long as a created instance may take to be listed. Longer, and an instance that serves nobody would be kept.
const SHOWN_WITHIN_MS = 120_000;
// A row may show the new template as soon as it is prepared, while the old container runs: it is gone this soon after the recycle.
const OLD_IS_GONE_MS = 5000;

/** Before the first call. */
export function updateBegun(state: State, action: UpdateAction, now: number): State {
  const { id: instanceId, image, templateHash, difference, statusBefore, undoes } = action;
  const { wanted } = difference;
  const earlier = updateOf(state, instanceId);
  // The row may show what an unfinished update has prepared: only its first attempt has seen the container of before.
  const isFirst = earlier === null || earlier.recycledAt !== null;
  const before = isFirst ? action.before : earlier.before;
  const begun = {
    instanceId,
    wanted,
    image,
    templateHash,
    startedAt: now,
    sentAt: null,
    recycledAt: null,
    failed: null,
    before: undoes === null ? before : null,
    isUntouched: isFirst || (earlier.isUntouched === true && earlier.sentAt !== null),
    statusBefore,
    undo: undoes === null ? null : { why: undoes, unanswered: earlier?.undo?.unanswered ?? 0 },
  };
  if (undoes === null || earlier === null || earlier.undo !== null) return { ...state, updating: begun };
  const message = `instance ${instanceId} could not be updated to ${wanted}: ${undoes}. It keeps image ${image} until the update is tried again: check VAST_TEMPLATE_IMAGE, DOCKER_LOGIN and the template`;
  const held = { instanceId, wanted, reason: "update_failed", message } as const;
  return holdReplacement({ ...updateFailed(state, undoes), updating: begun }, held, now);
}

/** The calls that go back had no answer once more. Answers how many had none in a row. */
export function undoUnanswered(state: State): { state: State; times: number } {
  const { updating } = state;
  if (updating === null || updating.undo === null) return { state, times: 0 };
  const times = updating.undo.unanswered + 1;
  return { state: { ...state, updating: { ...updating, undo: { ...updating.undo, unanswered: times } } }, times };
}

/** The new template was sent, whatever came of it. */
export function templateSent(state: State, now: number): State {
  return state.updating === null ? state : { ...state, updating: { ...state.updating, sentAt: now } };
}

/** The recycle was sent: the instance starts anew, and has to become ready like a new one. */
export function recycled(state: State, { id, difference, undoes }: UpdateAction, revision: string, now: number): State {
  if (state.updating === null) return state;
  const before = state.tracks[id];
  const track = {
    ...newTrack(now),
    probedAt: before?.probedAt ?? 0,
    observedAt: before?.observedAt ?? null,
    uncountedRestarts: before?.uncountedRestarts ?? 0,
    // The ban store may hold an earlier wait of this instance: it is over.
    unobservedMs: before === undefined ? 0 : before.unobservedMs + Math.max(0, now - before.waitingSince),
  };
  const next = { ...state, tracks: { ...state.tracks, [id]: track }, updating: { ...state.updating, recycledAt: now } };
  return undoes === null ? replacedFor(next, difference, revision, now) : next;
}

/** The instance is to be replaced. What the update has left behind does not count against that. */
export function updateFailed(state: State, why: string): State {
  const { updating } = state;
  if (updating === null) return state;
  const replacements = state.replacements.filter(({ at }) => at !== updating.recycledAt);
  const converging = updating.recycledAt === null ? state.converging : null;
  return { ...state, updating: { ...updating, failed: why }, replacements, converging };
}

/** Whether a destroy or an update was sent, whatever came of it. */
export function wasChangeSent(state: State, action: Action): boolean {
  if (action.kind === "destroy") return wasDeleteSent(state, action.id);
  return action.kind !== "update" || state.updating?.sentAt !== null;
}

/** The change of this instance that is under way. */
export function updateOf({ updating }: Pick<State, "updating">, id: number): Updating | null {
  return updating?.instanceId === id && updating.failed === null ? updating : null;
}

/** The container that runs although the row may show what an unfinished update has prepared; null where that is not certain. */
export function containerBefore(updating: Updating): Updating["before"] {
  const { before, isUntouched, sentAt, recycledAt } = updating;
  return isUntouched === true && sentAt !== null && recycledAt === null ? before : null;
}

/** Since when the container is another one that no list and probe have shown to be the wanted one (epoch ms), or null. */
export function recycledSince(state: Pick<State, "updating">, id: number): number | null {
  return updateOf(state, id)?.recycledAt ?? null;
}

/** Whether its container is being replaced, or is about to be put back: what answers is not what is wanted. */
export function isChanging(state: Pick<State, "updating">, id: number): boolean {
  const updating = updateOf(state, id);
  return updating !== null && (updating.recycledAt !== null || updating.undo !== null);
}

/** Whether the row may speak of the container that was replaced. */
export function isOldStatus(state: Pick<State, "updating">, { id, statusMessage }: Instance, now: number): boolean {
  const updating = updateOf(state, id);
  if (updating === null || updating.recycledAt === null || statusMessage !== updating.statusBefore) return false;
  return now - updating.recycledAt < SHOWN_WITHIN_MS;
}

/** The update of this instance to this value has failed, or null. */
export function failedUpdate({ updating }: Pick<State, "updating">, id: number, wanted: string): string | null {
  return updating?.instanceId === id && updating.wanted === wanted ? updating.failed : null;
}

/** The update after a list: it is over when its instance is gone, and has failed when the list does not show it in time. */
export function afterList(state: State, own: readonly ObservedInstance[], { listedAt, partial }: Observation): State {
  const { updating } = state;
  if (updating === null) return state;
  const row = own.find((one) => one.row.id === updating.instanceId)?.row;
  // One list may leave it out by mistake.
  if (row === undefined) return own.length === 0 || partial !== undefined ? state : { ...state, updating: null };
  const { recycledAt, failed } = updating;
  if (failed !== null || recycledAt === null || listedAt - recycledAt < SHOWN_WITHIN_MS) return state;
  if (isShown(updating, row, listedAt)) return state;
  const seconds = SHOWN_WITHIN_MS / 1000;
  const shown = `image ${row.image || "?"} and template hash ${row.templateHash ?? "?"}`;
  return updateFailed(state, `the list still shows ${shown} ${seconds} s after the recycle`);
}

/** The instance with its probe, unless that may be an answer of the old container. */
export function withoutOldAnswer(state: State, one: ObservedInstance, { listedAt }: Observation): ObservedInstance {
  const updating = updateOf(state, one.row.id);
  if (updating === null || updating.recycledAt === null) return one;
  const isNew = isShown(updating, one.row, listedAt) && one.probe !== null && one.probe.startedAt >= listedAt;
  return isNew ? one : { ...one, probe: null };
}

/** The update is over when its instance serves. */
export function afterProbes(state: State): State {
  const { updating } = state;
  if (updating === null || updating.failed !== null || updating.recycledAt === null) return state;
  return state.tracks[updating.instanceId]?.serving === true ? { ...state, updating: null } : state;
}

/** Whether a list that was asked for then shows the container that was wanted. */
export function isShown(
  { image, templateHash, recycledAt }: Updating,
  row: Pick<Instance, "image" | "templateHash">,
  listedAt: number,
): boolean {
  if (recycledAt === null || listedAt - recycledAt < OLD_IS_GONE_MS) return false;
  const match = matchesDesired(row, { image }, { hash: templateHash });
  return match.image === "same" && match.templateHash === "same";
}
