// Finds out what a create would rent while VAST_POLICY=observe forbids it, with the create's own search. Touches the API, which it only
// reads, and the log.
import type { Clock } from "../../common/clock.ts";
import { oneLine } from "../../common/terminal.ts";
import type { Observation } from "../model/observation.ts";
import type { CreateAction } from "../model/plan.ts";
import type { RentPreview } from "../model/rent-preview.ts";
import { orderText } from "../search/query.ts";
import type { State } from "../state/schema.ts";
import { type CreateParts, messageOfResult, prepareSearch, searchOffers } from "./create.ts";
import { offerText } from "./try-offer.ts";

/** What this create would rent, as the last search found it; null where there is none, or the search was ended. */
export type PreviewCreate = (
  action: CreateAction | null,
  seen: Observation,
  state: State,
  stop: AbortSignal,
) => Promise<RentPreview | null>;

interface Answer {
  /** The create that was asked about: another one is searched for at once. */
  create: string;
  preview: RentPreview;
  /** Changes when another offer would be taken, or there is another reason for none. */
  key: string;
  waitMs: number;
  /** Of the monotonic clock. */
  dueAt: number;
}

// Offers come and go by the minute, and a search counts against those that creates of other pods need.
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 600_000;

export function createPreview(parts: CreateParts): PreviewCreate {
  const { clock, log } = parts;
  let last: Answer | null = null;
  return async (action, seen, state, stop) => {
    if (action === null) {
      last = null;
      return null;
    }
    const create = JSON.stringify(action);
    const before: Answer | null = last?.create === create ? last : null;
    if (before !== null && clock.monotonic() < before.dueAt) return before.preview;
    const preview = await previewOf(parts, action, seen, state, stop);
    if (stop.aborted) return before?.preview ?? null;
    const answer = nextAnswer(before, create, preview, clock);
    last = answer;
    if (answer.key !== before?.key) {
      const { id: offer, hostId, machineId, dollarsPerHour } = preview.offer ?? {};
      log.info({ event: "progress", phase: "searching", offer, hostId, machineId, dollarsPerHour }, preview.message);
    }
    return preview;
  };
}

function nextAnswer(before: Answer | null, create: string, preview: RentPreview, clock: Clock): Answer {
  const { offer, message } = preview;
  const key = offer === null ? message : `${offer.id} ${offer.machineId} ${offer.dollarsPerHour}`;
  const waitMs = key === before?.key ? Math.min(before.waitMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
  return { create, preview, key, waitMs, dueAt: clock.monotonic() + waitMs };
}

async function previewOf(
  parts: CreateParts,
  action: CreateAction,
  seen: Observation,
  state: State,
  stop: AbortSignal,
): Promise<RentPreview> {
  const { clock, query } = parts;
  const without = (why: string): RentPreview => ({
    at: clock.now(),
    offer: null,
    message: `would rent nothing: ${why}`,
  });
  const prepared = await prepareSearch(parts, action, seen, state, stop);
  if (prepared.needs === null) return without(messageOfResult(prepared.result));
  const search = await searchOffers(parts, prepared.needs, prepared.state, null, stop);
  if (search.offers === null) return without(messageOfResult(search.result));
  const [offer] = search.offers;
  const { id, hostId, machineId, gpuName, dollarsPerHour } = offer;
  const count = search.offers.length;
  const why =
    count === 1
      ? "the only offer that can be taken"
      : `the first of ${count} that can be taken, by ${orderText(query)}`;
  return {
    at: clock.now(),
    offer: { id, hostId, machineId, gpu: oneLine(gpuName), dollarsPerHour },
    message: `would rent ${offerText(offer)} on machine ${machineId ?? "?"} of host ${hostId ?? "?"}: ${why}`,
  };
}
