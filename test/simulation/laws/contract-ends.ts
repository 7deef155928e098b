// Law 14: nothing is rented whose contract ends soon, and an instance is replaced before its contract ends. Pure.
import { type Breach, type ContractTruth, contractsOf, type PodTruth, type Truth } from "../emulator-truth.ts";
import { countedCreates } from "./budget.ts";
import { calmSpans } from "./two-instances.ts";

const LAW = "contract-ends";
const HOUR_MS = 3_600_000;
/** VAST_END_MARGIN_SECONDS of the pods. */
export const END_MARGIN_MS = 900_000;
// A search may be 45 s old, and a create takes its turn.
const SEARCHED_BEFORE_MS = 180_000;
// What an offer must last beyond the margin.
const USEFUL_MS = 3_600_000 - SEARCHED_BEFORE_MS;
const PER_HOUR = 2;

/** Judged by what was agreed when the contract was made: `ends` of one that was changed later is not known then. */
export function contractEnds(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => [
    ...rentedTooShort(truth, index),
    ...endedServing(truth, pod, index),
    ...tooOften(truth, index),
  ]);
}

function rentedTooShort(truth: Truth, index: number): Breach[] {
  return truth.creates.flatMap(({ at, pod, made }) => {
    const contract = truth.contracts.find(({ id }) => id === made);
    if (pod !== index || contract === undefined || contract.ends.since > contract.createdAt) return [];
    const lastsMs = contract.ends.at - contract.createdAt;
    if (lastsMs >= END_MARGIN_MS + USEFUL_MS || changedSinceSearch(truth, contract)) return [];
    const message = `pod ${pod} rented instance ${contract.id}, whose contract ends after ${Math.round(lastsMs / 60_000)} min`;
    return [{ law: LAW, at, message }];
  });
}

/** The host changed the end of its contracts, and so of its offer, after the search: another of them has had the same end since then. */
function changedSinceSearch({ contracts }: Truth, { id, ends, createdAt }: ContractTruth): boolean {
  return contracts.some((other) =>
    [...other.endsBefore, other.ends].some(({ at, since }) => {
      const changed = other.id !== id && at === ends.at && since > other.createdAt;
      return changed && since > createdAt - SEARCHED_BEFORE_MS && since <= createdAt;
    }),
  );
}

/** Its end was known for the whole margin, the pod could do something about it all the while, and still served from it at its end. */
function endedServing(truth: Truth, pod: PodTruth, index: number): Breach[] {
  return contractsOf(truth, pod).flatMap((contract) => {
    const { at, since } = contract.ends;
    const from = at - END_MARGIN_MS;
    if (at >= truth.end || since > from || contract.createdAt > from) return [];
    if (!pod.serving.some((span) => span.id === contract.id && span.from <= from && span.to >= at)) return [];
    if (!calmSpans(truth, pod, index).some((span) => span.from <= from - HOUR_MS / 12 && span.to >= at)) return [];
    if (!couldReplace(truth, pod, index, contract) || surged(truth, pod, contract, from)) return [];
    const message = `${pod.name} served from instance ${contract.id} until its contract ended, as was known`;
    return [{ law: LAW, at, message }];
  });
}

/** The pod keeps what serves until another one does: it began with that in time, and that one did not serve yet. */
function surged(truth: Truth, pod: PodTruth, { id, ends: { at } }: ContractTruth, from: number): boolean {
  if (pod.surgesForMs === null) return false;
  return contractsOf(truth, pod).some((one) => one.id !== id && one.createdAt >= from && one.createdAt < at);
}

/** A create was left, it had not replaced two for their ends, and no other pod was down: they are replaced in turn. */
function couldReplace(truth: Truth, pod: PodTruth, index: number, { ends: { at } }: ContractTruth): boolean {
  const within = (from: number, times: readonly number[]) => times.filter((one) => one > from && one <= at).length;
  if (within(at - 2 * HOUR_MS, countedCreates(truth, index)) >= pod.maxCreatesPerHour) return false;
  if (replacedForEnd(truth, index).filter((one) => one > at - 2 * HOUR_MS).length >= PER_HOUR) return false;
  return truth.pods.every((other) => {
    if (other === pod) return true;
    return other.serving.some((span) => span.from <= at - 2 * END_MARGIN_MS && span.to >= at);
  });
}

function replacedForEnd({ destroys }: Truth, index: number): number[] {
  return destroys
    .filter(
      (one) => one.pod === index && one.answersForMs !== null && one.endsInMs <= END_MARGIN_MS && one.others === 0,
    )
    .map(({ at }) => at);
}

/** Besides two for each disk that was lost, with the memory of those before. */
function tooOften(truth: Truth, index: number): Breach[] {
  const times = replacedForEnd(truth, index);
  return times.flatMap((at) => {
    const count = times.filter((other) => other <= at && other > at - HOUR_MS).length;
    const lost = truth.pods[index]?.replacedAt.filter((one) => one <= at && one > at - 2 * HOUR_MS).length ?? 0;
    const changes = truth.pods[index]?.imageChanges.filter((one) => one <= at && one > at - 2 * HOUR_MS).length ?? 0;
    const allowed = PER_HOUR * (1 + lost) + changes + PER_HOUR;
    if (count <= allowed) return [];
    return [
      {
        law: LAW,
        at,
        message: `pod ${index} gave up ${count} instances near the end of their contracts within an hour`,
      },
    ];
  });
}
