// Asks for the one instance that is known by its id while the API fails to list: a row that comes is knowledge, one that does not proves
// nothing. Touches the API.
import type { Clock } from "../../common/clock.ts";
import { known } from "../model/observation.ts";
import type { State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Listed, ListReader } from "./list-reader.ts";
import type { Urgency } from "./list-schedule.ts";

export interface SecondSourceParts {
  /** Reads the lists. */
  lists: ListReader;
  client: Pick<VastClient, "showInstance">;
  clock: Clock;
  label: string;
  state: () => State;
  /** How many pods use the key, as far as that is known. */
  pods: () => number;
}

// The API allows one such call in 2 s per key and address: ten pods that each call so often keep to it.
const MOST_PODS = 10;
const EVERY_MS = 20_000;
// While the lists bring no news. As long as the last list counts where the API refuses another one.
const VALID_MS = 120_000;
// Where something is about to be changed, or the instance does not answer.
const URGENT_MS = 5000;

export function withSecondSource({ lists, client, clock, label, state, pods }: SecondSourceParts): ListReader {
  /** What the lists have answered last; `instead`: what counts in its place. */
  let last: { listed: Listed; instead: Listed | null } | null = null;
  let askedAt: number | null = null;

  async function instead(
    listed: Listed,
    everyMs: number,
    signal?: AbortSignal,
  ): Promise<Listed | "still_counts" | null> {
    if (listed.list.known || listed.apiFailed !== true || listed.list.why.account !== null) return null;
    const id = knownId(state());
    if (id === null || pods() > MOST_PODS) return null;
    if (askedAt !== null && clock.monotonic() - askedAt < everyMs) return last?.instead ? "still_counts" : null;
    askedAt = clock.monotonic();
    const listedAt = clock.now();
    try {
      const row = await client.showInstance(id, signal);
      if (row === null || row.label !== label) return null;
      return { listedAt, list: known([row]), partial: listed.list.why };
    } catch (error) {
      asVastError(error); // throws internal errors; that the API fails is said of its list
      return null;
    }
  }

  /** The lists' last answer again, where the row that counts in its place is old; else null. */
  function withoutOld(): Listed | null {
    if (last === null || last.instead === null || clock.monotonic() - (askedAt ?? 0) < VALID_MS) return null;
    last = { ...last, instead: null };
    return last.listed;
  }

  async function after(listed: Listed | null, everyMs: number, signal?: AbortSignal): Promise<Listed | null> {
    if (listed === null) return withoutOld();
    const found = await instead(listed, everyMs, signal);
    const before = last?.instead ?? null;
    last = { listed, instead: found === "still_counts" ? before : found };
    return found === "still_counts" ? null : (found ?? listed);
  }

  /** The lists' own last answer, which has its own rules for how long it counts. */
  const own = (seen: Listed) => (last !== null && seen.partial !== undefined ? last.listed : seen);
  const everyMs = (urgency: Urgency) => (urgency === "now" ? URGENT_MS : EVERY_MS);

  return {
    begin: lists.begin,
    templateIsNeeded: lists.templateIsNeeded,
    wakeAt: (seen, urgency, wantedAt) => lists.wakeAt(seen && own(seen), urgency, wantedAt),
    next: async (seen, urgency, signal) =>
      after(await lists.next(seen && own(seen), urgency, signal), everyMs(urgency), signal),
    again: async (seen, urgency, signal) => after(await lists.again(own(seen), urgency, signal), URGENT_MS, signal),
  };
}

/** The id of the only instance that the pod knows of; null where it knows of none or of several, or a create may have made another one. */
function knownId({ tracks, intent, pendingDeletes }: State): number | null {
  if (intent !== null && intent.contract === null) return null;
  const ids = new Set([...Object.keys(tracks).map(Number), ...[intent?.contract ?? []].flat()]);
  for (const { id } of pendingDeletes) ids.delete(id);
  const [id = null, ...others] = ids;
  return others.length === 0 ? id : null;
}
