// Law 1: two live instances for one pod exist only for a short time, and at rest there is exactly one. Pure.
import { type Breach, contractsOf, livesAt, type PodTruth, type Span, type Truth } from "../emulator-truth.ts";

const LAW = "two-instances";
// The time to notice a second instance and destroy it: a list every 30 s, a withdrawal, the API's limits.
export const AT_A_STRETCH_MS = 300_000;
const SETTLED_MS = 3_600_000;

/** While the provisioner runs and the API answers correctly: two for at most 300 s at a stretch. At rest: exactly one. */
export function twoInstances(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => [...tooLong(truth, pod, index), ...notOne(truth, pod)]);
}

function tooLong(truth: Truth, pod: PodTruth, index: number): Breach[] {
  if (pod.surgesForMs !== null) return []; // its own law: surge-bounded
  const doubles = spansOf(truth, pod, (count) => count >= 2);
  const calm = calmSpans(truth, pod, index);
  return longer(doubles, calm, AT_A_STRETCH_MS).map(({ from, to }) => {
    return { law: LAW, at: from, message: `${pod.name} had two instances for ${Math.round((to - from) / 1000)} s` };
  });
}

/** The parts of the spans within the calm ones that last longer than this. */
export function longer(spans: readonly Span[], calm: readonly Span[], ms: number): Span[] {
  return spans.flatMap((one) =>
    calm.flatMap((span) => {
      const [from, to] = [Math.max(one.from, span.from), Math.min(one.to, span.to)];
      return to - from <= ms ? [] : [{ from, to }];
    }),
  );
}

function notOne(truth: Truth, pod: PodTruth): Breach[] {
  const settled = truth.faultsEnd + SETTLED_MS;
  return spansOf(truth, pod, (count) => count !== 1)
    .filter((span) => span.to > settled && !isReturnToBid(truth, pod, Math.max(span.from, settled)))
    .map((span) => {
      const at = Math.max(span.from, settled);
      const count = contractsOf(truth, pod).filter((contract) => livesAt(contract, at)).length;
      return { law: LAW, at, message: `${pod.name} had ${count} instances at rest` };
    });
}

/** One on demand, and a later one with a bid that is to take its place: an hour after bids have failed. Law 17 bounds it. */
export function isReturnToBid(truth: Truth, pod: PodTruth, at: number): boolean {
  if (pod.surgesForMs === null || pod.bids !== true) return false;
  const [old, next, ...more] = contractsOf(truth, pod).filter((contract) => livesAt(contract, at));
  return more.length === 0 && old?.isBid === false && next?.isBid === true;
}

/** When the number of the pod's live instances meets the condition. */
export function spansOf(truth: Truth, pod: PodTruth, condition: (count: number) => boolean): Span[] {
  const own = contractsOf(truth, pod);
  const instants = own.flatMap((contract) => [contract.createdAt, contract.endedAt ?? truth.end]);
  const edges = [...new Set([truth.start, ...instants, truth.end])]
    .filter((at) => at <= truth.end)
    .sort((a, b) => a - b);
  const spans: Span[] = [];
  for (const [i, from] of edges.entries()) {
    const to = edges[i + 1];
    if (to === undefined || !condition(own.filter((contract) => livesAt(contract, from)).length)) continue;
    const last = spans.at(-1);
    if (last?.to === from) last.to = to;
    else spans.push({ from, to });
  }
  return spans;
}

/** When the pod's provisioner ran and could know the truth. A hidden row counts as a wrong answer. */
export function calmSpans(truth: Truth, pod: PodTruth, index: number, harmless: readonly string[] = []): Span[] {
  const hidden = contractsOf(truth, pod).map((contract) => ({
    from: contract.createdAt,
    to: Math.min(contract.visibleAt, contract.endedAt ?? truth.end),
  }));
  // A reloader that is down delays a destroy by seconds only.
  const ignored = [...harmless, "reloader"];
  const disturbed = truth.disturbances.filter(
    (one) => (one.pod === null || one.pod === index) && !ignored.includes(one.what),
  );
  return withoutAll(pod.running, [...disturbed, ...hidden]);
}

/** The spans without the holes. */
export function withoutAll(spans: readonly Span[], holes: readonly Span[]): Span[] {
  return holes.reduce<Span[]>((left, hole) => left.flatMap((one) => without(one, hole)), [...spans]);
}

function without(span: Span, hole: Span): Span[] {
  if (hole.to <= span.from || hole.from >= span.to) return [span];
  const parts = [
    { from: span.from, to: hole.from },
    { from: hole.to, to: span.to },
  ];
  return parts.filter((part) => part.to > part.from);
}
