// The state with which a run begins. Pure.
import { endAccountPause } from "./apply-outcome.ts";
import { withoutUnsentDuplicates } from "./pending-delete.ts";
import { emptyState, type State } from "./schema.ts";

/** `stored`: of the run before, if there is one. `revision`: what this run wants. */
export function stateAtStart(stored: State | null, label: string, revision: string, now: number): State {
  const before = endAccountPause(stored ?? emptyState(label), now);
  const state = { ...before, pendingDeletes: withoutUnsentDuplicates(before.pendingDeletes) };
  const { tracks } = state;
  if (state.revision === null || state.revision === revision) return { ...state, revision };
  // Which instances are outdated is found out again.
  const entries = Object.entries(tracks).map(([id, track]) => [id, { ...track, foundOutdated: null }]);
  return { ...state, revision, tracks: Object.fromEntries(entries) };
}
