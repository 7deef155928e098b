// Whether somebody else keeps replacing the instance of the label. Without Redis no lease says so. Pure: records facts.
import { type Observation, wholeList } from "../model/observation.ts";
import type { State } from "./schema.ts";
import { vanishedIds } from "./vanished.ts";

const MINUTE_MS = 60_000;
// Another provisioner creates its instance within minutes after, or before, it destroys ours.
const REPLACED_WITHIN_MS = 10 * MINUTE_MS;
const WINDOW_MS = 60 * MINUTE_MS;
// Once may be a person who replaced the instance by hand.
const MOST = 2;
// Long enough that two provisioners do not fight, short enough that a pod whose rival is gone serves again within the hour.
const PAUSE_MS = 30 * MINUTE_MS;

/** `after` is the state after the observation. Not for times at which another provisioner is known to hold the lease. */
export function recordTakeovers(before: State, after: State, seen: Observation, now: number): State {
  const rows = wholeList(seen);
  if (rows === null) return after;
  const { intent, tracks, pendingDeletes } = before;
  const listed = new Set(rows.map(({ id }) => id));
  const pending = new Set(pendingDeletes.map(({ id }) => id));
  const isOurs = (id: number) =>
    tracks[id] !== undefined || pending.has(id) || (intent !== null && (intent.contract ?? id) === id);
  const isRecent = (at: number) => now - at < REPLACED_WITHIN_MS;
  const vanished = vanishedIds(before, seen);
  const appeared = [...listed].find((id) => !isOurs(id));
  const { takeovers } = before;
  const vanishedAt = vanished.length > 0 ? now : takeovers.vanishedAt;
  const foreign = appeared === undefined ? takeovers.foreign : { id: appeared, at: now };
  const gone = vanishedAt !== null && isRecent(vanishedAt) ? vanishedAt : null;
  const other = foreign !== null && isRecent(foreign.at) ? foreign : null;
  const at = takeovers.at.filter((time) => now - time < WINDOW_MS);
  // Nearly always there was none, and the state is not copied.
  if (at.length === 0 && gone === null && other === null && isEmpty(after.takeovers)) return after;
  const takenOver = appeared === undefined ? other !== null && vanished.some((id) => id !== other.id) : gone !== null;
  const next = takenOver
    ? { vanishedAt: null, foreign: null, at: [...at, now] }
    : { vanishedAt: gone, foreign: other, at };
  return { ...after, takeovers: next };
}

const isEmpty = ({ vanishedAt, foreign, at }: State["takeovers"]) =>
  vanishedAt === null && foreign === null && at.length === 0;

/** Until when nothing is changed because the instance was taken over twice, or null. */
export function takenOverUntil({ takeovers: { at } }: State, now: number): number | null {
  const until = (at.at(-1) ?? 0) + PAUSE_MS;
  return at.length >= MOST && until > now ? until : null;
}
