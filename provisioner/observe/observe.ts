// Looks at the world once: list, template, bans, probes. Touches the API, Redis and the instances, and changes nothing.
import type { Clock } from "../../common/clock.ts";
import type { BanStore } from "../blacklist/store.ts";
import type { Desired } from "../model/desired.ts";
import { currentEndpoint } from "../model/endpoint.ts";
import { phaseOf, stoppedByVast } from "../model/instance-phase.ts";
import {
  known,
  type Observation,
  type ObservedInstance,
  type Published,
  type Seen,
  type Why,
} from "../model/observation.ts";
import type { State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import { accountTrouble, asVastError, type VastError } from "../vast/errors.ts";
import type { Instance, Template } from "../vast/rows.ts";
import { READ_WAIT_MS } from "../vast/transport.ts";
import {
  afterAnswer,
  afterRefusal,
  CREATE_AFTER_SLOT_MS,
  firstCreateSlot,
  firstObservation,
  hasSlot,
  mayBeAlone,
  nextCreateSlot,
  nextTemplate,
  nextWhileReady,
  nextWhileStarting,
  type PollSlot,
  startPolling,
} from "./poll-schedule.ts";
import type { Probe } from "./probe.ts";

// After a failed look at the template: often enough to go on soon, rare enough for its limit.
const TEMPLATE_RETRY_MS = 10_000;
const TEMPLATE_LIMIT_MS = 3000;
// A pass that is wanted within this waits for something to come up.
const SOON_MS = 2500;
// A list that was refused as too frequent is no news: the last one holds on for so long. Then it is unknown.
const LIST_HOLDS_MS = 120_000;

export interface ObserverParts {
  client: VastClient;
  bans: BanStore;
  probe: Probe;
  clock: Clock;
  random: () => number;
  desired: Desired;
  slot: PollSlot;
  /** The pod has never run here: it takes its turn among neighbours that may be starting as well. */
  fresh: boolean;
  firstCreateWaitMs: number;
  /** Epoch ms before which a list would have to wait for its gate. */
  listAvailableAt: () => number;
  /** Lets no create start before `until` (epoch ms). */
  blockCreateUntil: (until: number) => void;
}

/**
 * How urgent the list is. `ready`: all is well; `starting`: something is awaited; `now`: something is about to be changed, and an
 * older list does not do.
 */
export type Urgency = "ready" | "starting" | "now";

export interface Observer {
  observe(state: State, published: Published, urgency: Urgency, signal?: AbortSignal): Promise<Observation>;
  /** Epoch ms at which the next look is best made when the plan wants one at `wantedAt`: perhaps in a slot before that. */
  wakeAt(urgency: Urgency, wantedAt: number): number;
}

export function createObserver(parts: ObserverParts): Observer {
  const { client, bans, probe, clock, random, desired, slot: place } = parts;
  let polling = startPolling(place, parts.fresh && !mayBeAlone(place));
  let last: Observation | null = null;
  let askedAt = 0;
  // The turn of a pod that has never run here, from its first empty list on.
  let createSlotAt: number | null = null;
  let fresh = parts.fresh;
  // A refusal tells that there are others.
  let alone = mayBeAlone(place);
  let template: Seen<Template | null> | null = null;
  let templateDueAt = 0;
  let templateAt = 0;

  function listDueAt(urgency: Urgency): number {
    if (last === null) return 0;
    // What is to be changed waits with the list where the API has asked for longer than a pass may wait.
    if (urgency === "now") return parts.listAvailableAt() - clock.now() > READ_WAIT_MS ? parts.listAvailableAt() : 0;
    if (createSlotAt !== null) return createSlotAt;
    const due =
      urgency === "ready" && last.list.known ? nextWhileReady(polling, askedAt) : nextWhileStarting(polling, askedAt);
    return Math.max(due, parts.listAvailableAt());
  }

  /** A list of a time to come would pass for a fresh one, and no other be due until then. */
  const wasSetBack = ({ listedAt }: Observation) => clock.now() < listedAt;

  /** The list, or the last one where the API has only refused to say it again. */
  async function list(patient: boolean, signal?: AbortSignal): Promise<Pick<Observation, "listedAt" | "list">> {
    askedAt = clock.now();
    try {
      const rows = await client.listInstances(desired.label, signal, !patient);
      polling = afterAnswer(polling);
      return { listedAt: askedAt, list: known(rows) };
    } catch (error) {
      const failure = asVastError(error);
      const refused = failure.kind === "rate_limited";
      if (refused) {
        // The first one that a new pod hears: its neighbours are new as well, most likely.
        polling = parts.fresh && alone ? startPolling(place, true) : afterRefusal(polling, place, random);
        alone = false;
      }
      if (refused && last?.list.known && !wasSetBack(last) && askedAt - last.listedAt < LIST_HOLDS_MS) return last;
      return { listedAt: askedAt, list: unknown(failure) };
    }
  }

  /** A pod that has never run here and sees no instance looks again at its turn; refused then, at its next. */
  function takeCreateSlot({ list, listedAt }: Pick<Observation, "listedAt" | "list">): void {
    const heard = listedAt >= askedAt;
    if (createSlotAt !== null && heard && !alone) parts.blockCreateUntil(createSlotAt + CREATE_AFTER_SLOT_MS);
    if (createSlotAt !== null) createSlotAt = heard ? null : nextCreateSlot(place, askedAt + 1, random);
    if (!fresh || !heard || !list.known) return;
    fresh = false;
    if (list.value.length === 0) createSlotAt = firstCreateSlot(place, listedAt + parts.firstCreateWaitMs, alone);
  }

  async function observeTemplate(signal?: AbortSignal): Promise<Seen<Template | null>> {
    // No instance depends on it until then.
    if (fresh || createSlotAt !== null) return unknown("it is asked for at this pod's turn");
    if (template !== null && clock.now() >= templateAt && clock.now() < templateDueAt) return template;
    templateAt = clock.now();
    try {
      template = known(await client.findTemplate(desired.templateName, signal, true));
      templateDueAt = nextTemplate(place, templateAt);
    } catch (error) {
      const failure = asVastError(error);
      const refused = failure.kind === "rate_limited";
      templateDueAt = refused
        ? nextCreateSlot(place, templateAt + TEMPLATE_LIMIT_MS, random)
        : templateAt + TEMPLATE_RETRY_MS;
      if (!refused || template === null) template = unknown(failure);
    }
    return template;
  }

  async function observeCredit(signal?: AbortSignal): Promise<Seen<number | null>> {
    try {
      return known(await client.readCredit(signal));
    } catch (error) {
      return unknown(asVastError(error));
    }
  }

  /** The endpoint and the probe of every row that is not being destroyed; while the list is unknown, of the published server. */
  async function probeAll(
    list: Observation["list"],
    state: State,
    published: Published,
    signal?: AbortSignal,
  ): Promise<Pick<Observation, "instances" | "publishedProbe">> {
    if (!list.known) return { instances: [], publishedProbe: await probePublished(published, signal) };
    const live = list.value.filter((row) => !state.pendingDeletes.some((d) => d.id === row.id));
    const instances = live.map(async (row): Promise<ObservedInstance> => {
      const endpoint = currentEndpoint(row, state.tracks[row.id], desired.upstreamPort, clock.now());
      return { row, endpoint, probe: endpoint.found ? await probe(endpoint.endpoint, signal) : null };
    });
    return { instances: await Promise.all(instances), publishedProbe: null };
  }

  async function probePublished(published: Published, signal?: AbortSignal): Promise<Observation["publishedProbe"]> {
    if (published.server === null || published.instance === null) return null;
    const { host, port } = published.server;
    return { instanceId: published.instance.id, probe: await probe({ host, port }, signal) };
  }

  /** What can be told from the last list and new probes; null where a list is needed at once. */
  async function withoutList(
    state: State,
    published: Published,
    urgency: Urgency,
    signal?: AbortSignal,
  ): Promise<Observation | null> {
    if (last === null || wasSetBack(last) || clock.now() >= listDueAt(urgency)) return null;
    const probed = await probeAll(last.list, state, published, signal);
    // Where something served and does not answer, its row may tell why.
    const results = [...probed.instances, probed.publishedProbe].map((one) => one?.probe);
    if (urgency === "ready" && results.some((result) => result?.ok === false)) return null;
    return { ...last, template: await observeTemplate(signal), templateAt, ...probed };
  }

  return {
    wakeAt(urgency, wantedAt) {
      if (createSlotAt !== null) return Math.min(wantedAt, createSlotAt);
      // What is blocked is not looked at more often than it asks for.
      const soon = urgency === "ready" || hasSlot(polling) || wantedAt - clock.now() < SOON_MS;
      const template = fresh ? Number.POSITIVE_INFINITY : templateDueAt;
      return Math.min(wantedAt, template, soon ? listDueAt(urgency) : Number.POSITIVE_INFINITY);
    },
    async observe(state, published, urgency, signal) {
      if (fresh && last === null) await clock.sleep(firstObservation(place, clock.now()) - clock.now(), signal);
      const young = await withoutList(state, published, urgency, signal);
      if (young !== null) return young;
      const listed = await list(urgency === "now" || createSlotAt !== null, signal);
      takeCreateSlot(listed);
      const rows = listed.list.known ? listed.list.value : [];
      const stopped = rows.some((row) => isStopped(row, state, clock.now()));
      const [seenTemplate, credit, seenBans, counters, probed] = await Promise.all([
        observeTemplate(signal),
        stopped ? observeCredit(signal) : undefined,
        bans.bans(),
        bans.counters(rows.map((row) => row.id)),
        probeAll(listed.list, state, published, signal),
      ]);
      last = { ...listed, template: seenTemplate, templateAt, bans: seenBans, counters, ...probed };
      if (credit !== undefined) last.credit = credit;
      return last;
    },
  };
}

/** Stopped, and not by us: that is what Vast.ai does to every instance of an account that has no credit left. */
function isStopped(row: Instance, state: State, now: number): boolean {
  return !state.pendingDeletes.some((d) => d.id === row.id) && stoppedByVast(phaseOf(row, row.createdAt ?? now, now));
}

function unknown(why: VastError | string): { known: false; why: Why } {
  if (typeof why === "string") return { known: false, why: { message: why, account: null } };
  return { known: false, why: { message: why.message, account: accountTrouble(why) } };
}
