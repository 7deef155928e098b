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
  const isRecent = (at: number) => now - at < REPLACED_WITHIN_MS;
  const { intent, tracks, takeovers } = before;
  const missing = takeovers.vanishedAt !== null && isRecent(takeovers.vanishedAt) ? takeovers.vanished : [];
  const pending = new Set(before.pendingDeletes.map(({ id }) => id));
  // One that was only missing from a list is ours when it is listed again.
  const wasOurs = (id: number) => tracks[id] !== undefined || missing.includes(id);
  const isOurs = (id: number) => wasOurs(id) || pending.has(id) || (intent !== null && (intent.contract ?? id) === id);
  const appeared = rows.find(({ id }) => !isOurs(id));
  // While one of ours is still listed, nobody has taken its place: those that come and go beside it are its duplicates.
  const kept = rows.some(({ id }) => wasOurs(id) && !pending.has(id) && id !== takeovers.foreign?.id);
  const vanished = kept ? [] : vanishedIds(before, seen);
  const gone = kept ? [] : [...missing, ...vanished];
  const vanishedAt = gone.length === 0 ? null : vanished.length > 0 ? now : takeovers.vanishedAt;
  const last = appeared === undefined ? takeovers.foreign : { id: appeared.id, at: now };
  const foreign = last !== null && isRecent(last.at) ? last : null;
  const at = takeovers.at.filter((time) => now - time < WINDOW_MS);
  // Nearly always there was none, and the state is not copied.
  if (at.length === 0 && vanishedAt === null && foreign === null && isEmpty(after.takeovers)) return after;
  const takenOver =
    appeared === undefined ? foreign !== null && vanished.some((id) => id !== foreign.id) : vanishedAt !== null;
  const next = takenOver
    ? { vanishedAt: null, vanished: [], foreign: null, at: [...at, now] }
    : { vanishedAt, vanished: gone, foreign, at };
  return { ...after, takeovers: next };
}

const isEmpty = ({ vanishedAt, foreign, at }: State["takeovers"]) =>
  vanishedAt === null && foreign === null && at.length === 0;

/** Until when nothing is changed because the instance was taken over twice, or null. */
export function takenOverUntil({ takeovers: { at } }: State, now: number): number | null {
  const until = (at.at(-1) ?? 0) + PAUSE_MS;
  return at.length >= MOST && until > now ? until : null;
}
