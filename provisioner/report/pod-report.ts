// What the pod says of itself to the other pods and to the command `status` (fleet/reports.ts): a small part of `/status`. Pure.
import { oneLine } from "../../common/terminal.ts";
import { masked } from "../fleet/entry.ts";
import { POD_REPORT_SCHEMA, type PodReport } from "../fleet/reports.ts";
import type { LoopState } from "../loop-state.ts";
import { pendingPriceOf } from "../model/account-view.ts";
import { unchangedSince } from "../state/history.ts";
import { type DecisionSettings, nextOf } from "./next.ts";

// A thousand of them are read at once. The remedy stands in a message's first sentences.
const MOST_CHARACTERS = 400;

/** Null before the first pass. `clean` takes secrets out. */
export function podReport(
  loop: LoopState,
  settings: DecisionSettings & { podName: string },
  clean: (text: string) => string,
  now: number,
): PodReport | null {
  const { plan, file, state } = loop;
  if (plan === null) return null;
  const bounded = (text: string) => oneLine(clean(text)).slice(0, MOST_CHARACTERS);
  // It may quote a host.
  const sentence = (text: string) => bounded(masked(text));
  const next = nextOf(loop, settings, now);
  const { paid, wasted, instances } = state.money;
  const id = plan.instance?.id ?? null;
  return {
    observer: settings.policy === "observe",
    schema: POD_REPORT_SCHEMA,
    pod: bounded(settings.podName),
    state: file?.state ?? plan.state,
    reason: plan.reason,
    message: sentence(loop.problem ?? [plan.message, loop.wouldRent?.message ?? []].flat().join("; ")),
    since: isoOrNull(unchangedSince(state.history)),
    next: next && {
      waitsFor: sentence(next.waitsFor),
      deadline: next.deadline,
      afterwards: next.afterwards === null ? null : sentence(next.afterwards),
    },
    image: bounded(settings.desired.image),
    instanceId: id,
    instanceDollars: id === null ? null : (instances[id]?.paid ?? null),
    paidDollars: paid,
    wastedDollars: wasted,
    pendingPrice: pendingPrice(loop),
  };
}

/** Changes when there is something new to report; the rest, like money, may be some minutes old. */
export function reportedChange(loop: LoopState): string {
  const { plan, file, problem, wouldRent } = loop;
  const offer = wouldRent?.offer?.id ?? wouldRent?.message;
  return JSON.stringify([file?.state, plan?.reason, plan?.instance?.id, problem, pendingPrice(loop), offer]);
}

function pendingPrice({ plan, seen, account }: LoopState): PodReport["pendingPrice"] {
  const row = seen?.list.known ? seen.list.value.find(({ id }) => id === plan?.instance?.id) : undefined;
  const pending = row === undefined ? null : pendingPriceOf(row, account);
  return pending && { dollarsPerHour: pending.dollarsPerHour, at: isoOrNull(pending.at) };
}

const isoOrNull = (at: number | null) => (at === null ? null : new Date(at).toISOString());
