// Law 8: two provisioners of one label never both act while Redis keeps the lease. Pure.
import { type Breach, redisMayHaveForgotten, type Truth } from "../emulator-truth.ts";

// A lease lasts 60 s and is renewed at most 25 s before a mutation is sent: another process cannot act sooner than this after it.
const APART_MS = 30_000;
// An earlier Redis outage can still have an effect: a provisioner notices it in its next pass.
const AFTERGLOW_MS = 180_000;

/**
 * No process sends a create or destroy while another one holds the lease, or just after another process that is still running, unless
 * that one gave its lease up after the end of what it had sent, as it does when it cannot write its state.
 */
export function oneOwner(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod) =>
    pod.acts.flatMap(({ at, process, leaseOfOther }, i) => {
      if (leaseOfOther && !redisMayHaveForgotten(truth, at - AFTERGLOW_MS, at))
        return [
          { law: "one-owner", at, message: `process ${process} of ${pod.name} acts while another holds the lease` },
        ];
      const other = pod.acts
        .slice(0, i)
        .findLast((act) => act.process !== process && (pod.running[act.process]?.to ?? 0) > at);
      if (other === undefined || at - other.at >= APART_MS) return [];
      if (redisMayHaveForgotten(truth, other.at - AFTERGLOW_MS, at)) return [];
      if (pod.releases.some((one) => one.process === other.process && other.endedAt <= one.at && one.at <= at))
        return [];
      const message = `processes ${other.process} and ${process} of ${pod.name} both act, ${at - other.at} ms apart`;
      return [{ law: "one-owner", at, message }];
    }),
  );
}
