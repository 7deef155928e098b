// The document of `/status`: what was observed, what is done and why, what comes next, and what happened before. Pure.
import { oneLine } from "../../common/terminal.ts";
import { VERSION } from "../../common/version.ts";
import type { LoopState } from "../loop-state.ts";
import { pendingPriceOf } from "../model/account-view.ts";
import { sameBan } from "../model/bans.ts";
import { CREATE_BUDGET_MS } from "../model/deadlines.ts";
import { describe, gpuText } from "../model/describe.ts";
import type { Ban } from "../model/observation.ts";
import { REASON_HELP } from "../model/reason-help.ts";
import { unchangedSince } from "../state/history.ts";
import type { State, Track } from "../state/schema.ts";
import { moneyStatus } from "./money-status.ts";
import { type DecisionSettings, nextOf } from "./next.ts";
import { STATUS_SCHEMA, type StatusDocument } from "./status-document.ts";

export interface StatusSettings extends DecisionSettings {
  podName: string;
}

const PARTIAL = "the instance below is known, which was asked for by its id";

// Docker's lines about a pull are shorter.
const MOST_STATUS_CHARACTERS = 300;

/** `proxy`: what the reloader says. */
export function statusDocument(
  loop: LoopState,
  settings: StatusSettings,
  proxy: StatusDocument["proxy"],
  now: number,
): StatusDocument {
  const { state, plan, seen, file } = loop;
  const { podName, desired, policy, limits } = settings;
  return {
    schema: STATUS_SCHEMA,
    version: VERSION,
    at: iso(now),
    startedAt: iso(loop.startedAt),
    pod: podName,
    label: desired.label,
    policy,
    desired: { image: desired.image, template: desired.templateName },
    state: file?.state ?? null,
    reason: plan?.reason ?? null,
    message: plan?.message ?? null,
    remedy: plan === null ? null : REASON_HELP[plan.reason].remedy,
    since: isoOrNull(unchangedSince(state.history)),
    generation: file?.generation ?? null,
    server: file?.server ?? null,
    proxy,
    problem: loop.problem,
    suppressed: [...loop.suppressed],
    wouldRent: loop.wouldRent && { ...loop.wouldRent, at: iso(loop.wouldRent.at) },
    next: nextOf(loop, settings, now),
    instances: instancesOf(loop, now),
    list:
      seen === null
        ? null
        : {
            known: seen.list.known && seen.partial === undefined,
            at: iso(seen.listedAt),
            ageSeconds: seconds(now - seen.listedAt),
            ...(seen.list.known ? {} : { why: seen.list.why.message }),
            ...(seen.partial === undefined ? {} : { why: `only ${PARTIAL}: ${seen.partial.message}` }),
          },
    bansKnown: seen?.bans.known ?? null,
    bans: bansOf(loop),
    pendingDeletes: state.pendingDeletes.map(({ id, reason, since, deleteSentAt }) => ({
      id,
      reason,
      since: iso(since),
      deleteSentAt: isoOrNull(deleteSentAt),
    })),
    intent: state.intent === null ? null : { ...state.intent, startedAt: iso(state.intent.startedAt) },
    budget: budgetOf(state.creates, limits.maxCreatesPerHour, now),
    fallback: fallbackOf(state),
    money: moneyStatus(loop, limits),
    backoff: state.backoff === null ? null : { ...state.backoff, until: iso(state.backoff.until) },
    history: state.history.map((one) => ({ ...one, at: iso(one.at) })),
    passes: loop.passes,
    finishedAt: loop.passes > 0 ? iso(loop.finishedAt) : null,
  };
}

function fallbackOf({ fallback }: State): StatusDocument["fallback"] {
  if (fallback === null) return null;
  const { since, until, attempts } = fallback;
  return { since: iso(since), lookAt: iso(until), failedReturns: attempts };
}

function bansOf({ seen, state }: LoopState): StatusDocument["bans"] {
  if (seen === null || !seen.bans.known) return null;
  const { value } = seen.bans;
  const own = state.unwrittenBans.filter((one) => !value.some((ban) => sameBan(ban, one)));
  const entry = ({ kind, id, reason }: Ban, written: boolean) => ({ kind, id, reason: oneLine(reason), written });
  return [...value.map((ban) => entry(ban, true)), ...own.map((ban) => entry(ban, false))];
}

function instancesOf({ state, seen, plan, account }: LoopState, now: number): StatusDocument["instances"] {
  const rows = seen?.list.known ? seen.list.value : [];
  return rows.map((row) => {
    const pendingDelete = state.pendingDeletes.some(({ id }) => id === row.id);
    const pendingPrice = pendingPriceOf(row, account);
    return {
      id: row.id,
      description: describe(row),
      current: row.id === plan?.instance?.id && !pendingDelete,
      gpu: gpuText(row),
      status: row.actualStatus,
      statusMessage: oneLine(row.statusMessage).slice(0, MOST_STATUS_CHARACTERS),
      hostId: row.hostId,
      machineId: row.machineId,
      image: row.image,
      templateHash: row.templateHash,
      dollarsPerHour: row.dollarsPerHour,
      interruptible: row.isBid,
      createdAt: isoOrNull(row.createdAt),
      endsAt: isoOrNull(row.endsAt),
      pendingPrice: pendingPrice && { ...pendingPrice, at: isoOrNull(pendingPrice.at) },
      pendingDelete,
      ...timesOf(state.tracks[row.id], now),
    };
  });
}

function timesOf(track: Track | undefined, now: number): Partial<StatusDocument["instances"][number]> {
  if (track === undefined) return {};
  const since = (at: number | null) => (at === null ? null : seconds(now - at));
  return {
    serving: track.serving,
    endpoint: track.endpoint,
    waitingSeconds: track.wasReady ? null : since(track.waitingSince),
    runningSeconds: since(track.runningSince),
    notServingSeconds: since(track.notServingSince),
  };
}

function budgetOf(creates: readonly number[], createsPerHour: number, now: number): StatusDocument["budget"] {
  const counted = creates.filter((at) => now - at < CREATE_BUDGET_MS);
  const createsLeft = Math.max(createsPerHour - counted.length, 0);
  return { createsLeft, createsPerHour, freeAt: createsLeft > 0 ? null : iso(Math.min(...counted) + CREATE_BUDGET_MS) };
}

const seconds = (ms: number) => Math.round(ms / 1000);
const iso = (at: number) => new Date(at).toISOString();
const isoOrNull = (at: number | null) => (at === null ? null : iso(at));
