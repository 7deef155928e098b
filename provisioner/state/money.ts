// Counts what the pod's instances cost: price x time as listed. An estimate: traffic is billed apart and is in no price. Pure.
//
// Time is counted when a later list shows that the instance was there, so the counter never falls: also the time in which nobody looked, or
// in which the list was unknown. All listed instances of the label count, those that are being destroyed included.
import type { Observation } from "../model/observation.ts";
import type { Instance } from "../vast/rows.ts";
import type { State } from "./schema.ts";

export type Money = State["money"];
type Account = Money["instances"][string];

const HOUR_MS = 3_600_000;
// A list may leave an instance out and show it again later: then its account goes on.
const KEEP_MS = HOUR_MS;

/** What is known besides the state when costs are counted. */
export interface CostInput {
  seen: Pick<Observation, "list" | "listedAt" | "partial">;
  /** The deletes before this list was applied: those of instances that are gone now are still among them. */
  pendingDeletes: State["pendingDeletes"];
  /** The instance whose server has been published since the last call; null: none. */
  publishedId: number | null;
  now: number;
}

/** The account after an observation. Calling it again with the same one changes nothing. */
export function countCosts(before: Money, { seen, pendingDeletes, publishedId, now }: CostInput): Money {
  const sinceLastMs = before.observedAt === null ? 0 : Math.max(now - before.observedAt, 0);
  const next: Money = { ...before, since: before.since ?? now, observedAt: now, instances: {} };
  for (const [id, account] of Object.entries(before.instances)) {
    const publishedMs = account.publishedMs + (Number(id) === publishedId ? sinceLastMs : 0);
    next.instances[id] = { ...account, publishedMs };
  }
  if (!seen.list.known) return next;
  const { listedAt } = seen;
  for (const row of seen.list.value) {
    const account = next.instances[row.id] ?? newAccount(row, next.since ?? now, listedAt);
    const hasRun = account.hasRun || row.actualStatus === "running";
    const rate = rateOf(row, hasRun);
    const counted = count(next, account, listedAt, rate);
    next.instances[row.id] = { ...counted, rate: rate ?? account.rate, hasRun, goneAt: null };
  }
  if (seen.partial !== undefined) return next; // what is not shown may still be there
  for (const [id, account] of Object.entries(next.instances)) {
    if (seen.list.value.some((row) => row.id === Number(id))) continue;
    if (account.goneAt === null) {
      const end = endOf(account, pendingDeletes.find((one) => one.id === Number(id))?.deleteSentAt ?? null, listedAt);
      next.instances[id] = { ...count(next, account, end, account.rate), goneAt: listedAt };
    } else if (listedAt - account.goneAt > KEEP_MS) delete next.instances[id];
  }
  return next;
}

/** An instance that was there before the counting began counts from then on. */
function newAccount({ createdAt }: Instance, since: number, listedAt: number): Account {
  const countedUntil = Math.min(Math.max(createdAt ?? listedAt, since), listedAt);
  return { paid: 0, rate: null, hasRun: false, countedUntil, publishedMs: 0, goneAt: null };
}

/**
 * $/h at the moment: the disk from the create on; the GPUs from the first time it ran, while the contract runs. While its host is
 * offline nothing is charged. Null: the row shows no price.
 */
function rateOf({ dollarsPerHour, diskDollarsPerHour, curState, actualStatus }: Instance, hasRun: boolean) {
  if (actualStatus === "unknown" || actualStatus === "offline") return 0;
  const gpusCharged = hasRun && curState !== "stopped";
  return gpusCharged ? dollarsPerHour : (diskDollarsPerHour ?? dollarsPerHour);
}

/** Until its destroy was sent; without one, as long as its server was found answering: nobody knows when it vanished. */
function endOf({ countedUntil, publishedMs }: Account, deleteSentAt: number | null, listedAt: number): number {
  const end = deleteSentAt ?? countedUntil + publishedMs;
  return Math.min(Math.max(end, countedUntil), Math.max(listedAt, countedUntil));
}

/**
 * Adds the time until `until`. Between two prices nobody saw when it changed. The time in which its server was published, and answered, has
 * the higher one, because its GPUs ran; the rest has the lower one if it was stopped then, else the mean. The mean counts throughout where
 * its host was not heard of, and nothing is charged although the server may answer. While no price is known the time stays open.
 */
function count(money: Money, account: Account, until: number, rate: number | null): Account {
  const known = [account.rate, rate].filter((one) => one !== null);
  const ms = until - account.countedUntil;
  if (ms <= 0 || known.length === 0) return account;
  const publishedMs = Math.min(account.publishedMs, ms);
  const [higher, lower] = [Math.max(...known), Math.min(...known)];
  const mean = (higher + lower) / 2;
  const wasStopped = rate !== null && rate < higher && publishedMs > 0;
  const [published, rest] = lower === 0 ? [mean, mean] : [higher, wasStopped ? lower : mean];
  const wasted = (rest * (ms - publishedMs)) / HOUR_MS;
  const dollars = wasted + (published * publishedMs) / HOUR_MS;
  money.paid += dollars;
  money.wasted += wasted;
  return {
    ...account,
    paid: account.paid + dollars,
    countedUntil: until,
    publishedMs: account.publishedMs - publishedMs,
  };
}
