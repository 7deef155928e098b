// Law 20: what serves is given up for an update only after a search has found another one, where VAST_UPDATE_PRECHECK asks for that. Pure.
import type { Breach, DestroyTruth, PodTruth, Truth } from "../emulator-truth.ts";
import { END_MARGIN_MS } from "./contract-ends.ts";
import { wasOrdered } from "./good-kept.ts";

const LAW = "offer-first";
const ANSWERED_MS = 60_000;
// Pods with a common Redis use a list of each other for 45 s. Before the server is withdrawn the pass waits for its turn, the answer and
// the state file.
const SEEN_WITHIN_MS = 120_000;
// From the withdrawal to the DELETE: the drain, the rate limit, and a call that is sent again. What was withdrawn before did not serve.
const WITHDRAWN_MS = 60_000;
// A server whose probe fails is withdrawn for that, and what does not serve is replaced at once.
const FAILED_MS = 120_000;
const UPDATE = /\/update_template\//;

/** Judged at the first DELETE, by when nginx routed to it last. A surge keeps what serves: its own law. */
export function offerFirst(truth: Truth): Breach[] {
  return truth.destroys.flatMap((destroy) => {
    const { at, pod: index, id } = destroy;
    const pod = truth.pods[index];
    if (pod?.prechecked !== true || pod.surgesForMs !== null || !isForUpdate(truth, destroy)) return [];
    const givenUpAt = lastServed(truth, pod, destroy);
    if (givenUpAt === null || wasSeen(truth, index, givenUpAt)) return [];
    const message = `${pod.name} gave up instance ${id}, which served, for an update, and no search had found another one`;
    return [{ law: LAW, at, message }];
  });
}

/** It is not what is wanted, answers, and is the only one. */
function isForUpdate(truth: Truth, destroy: DestroyTruth): boolean {
  const { shown, rightForMs, answersForMs, failedProbeMs, endsInMs, others } = destroy;
  if (!shown || rightForMs !== null || others > 0 || endsInMs <= END_MARGIN_MS || wasOrdered(truth, destroy))
    return false;
  if (failedProbeMs !== null && failedProbeMs <= FAILED_MS) return false;
  return answersForMs !== null && answersForMs >= ANSWERED_MS;
}

/**
 * When nginx ceased to route to it, or the DELETE, also where nginx ended with its pod, or it was withdrawn for an update in place that was
 * not answered as done, or a stop that ordered the end was killed, and the next program had not served it yet. Null: it did not serve any
 * more when it was given up.
 */
function lastServed(
  truth: Truth,
  { serving, dead, replacedAt, ends }: PodTruth,
  { at, id }: DestroyTruth,
): number | null {
  const span = serving.findLast(({ from }) => from <= at);
  if (span?.id !== id || span.to < at - WITHDRAWN_MS) return null;
  // Where it died or moved, nginx went on routing to its address.
  const to = dead.find(({ from }) => from === span.to)?.to ?? span.to;
  const isBetween = (time: number) => time >= to && time <= at;
  const endedOtherwise =
    replacedAt.some(isBetween) ||
    truth.touches.some(
      (touch) => touch.id === id && touch.failed === true && isBetween(touch.at) && UPDATE.test(touch.call),
    ) ||
    ends.some((end) => end.from <= to && to <= end.to);
  return endedOtherwise ? at : Math.min(to, at);
}

/** An own search, or with a Redis that of any pod, in whose answer an offer was within the ceiling. */
function wasSeen(truth: Truth, index: number, until: number): boolean {
  const { bids = false, maxDollarsPerHour: ceiling = null } = truth.pods[index] ?? {};
  const isAlone = truth.redisUnreliable.some(({ from, to }) => from <= truth.start && to >= truth.end);
  return truth.searches.some(({ at, pod, forBids, cheapest }) => {
    if (at > until || at < until - SEEN_WITHIN_MS || (pod !== index && isAlone)) return false;
    return cheapest !== null && (ceiling === null || cheapest <= ceiling) && (bids || !forBids);
  });
}
