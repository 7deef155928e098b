// Observes the world once per pass: list, template, bans, probes. Touches the API, Redis and the instances, and changes nothing.
import type { Clock } from "../../common/clock.ts";
import type { BanStore } from "../blacklist/store.ts";
import type { AccountReadings } from "../fleet/account-readings.ts";
import { spreadMs } from "../fleet/fleet-size.ts";
import type { OwnSlot } from "../fleet/own-slot.ts";
import type { Desired } from "../model/desired.ts";
import { currentEndpoint, remoteOnly } from "../model/endpoint.ts";
import { phaseOf, stoppedByVast } from "../model/instance-phase.ts";
import { known, type Observation, type ObservedInstance, type Published, type Seen } from "../model/observation.ts";
import type { State } from "../state/schema.ts";
import { asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";
import type { Listed, ListReader } from "./list-reader.ts";
import type { Urgency } from "./list-schedule.ts";
import type { PollSlot } from "./poll-schedule.ts";
import type { Probe } from "./probe.ts";
import { createTemplateCache } from "./template-cache.ts";
import { unknownBecause } from "./unknown.ts";

// One list may count for minutes; hosts that are banned meanwhile must be noticed, as with a list of its own for each pod. In a large fleet
// the bans are read less often, up to the second of these.
const BANS_VALID_MS = 30_000;
const MOST_BANS_VALID_MS = 60_000;

export interface ObserverParts {
  readings: AccountReadings;
  bans: BanStore;
  probe: Probe;
  clock: Clock;
  random: () => number;
  desired: Desired;
  /** Whether an address of this machine may be an instance's. */
  allowLocal: boolean;
  slot: PollSlot;
  own: OwnSlot | null;
  lists: ListReader;
}

export interface Observer {
  /** `began`: nothing is changed by a list that was asked for before it, so that less has to be known with such a list. */
  observe(
    state: State,
    published: Published,
    urgency: Urgency,
    signal?: AbortSignal,
    began?: number,
  ): Promise<Observation>;
  /** Epoch ms at which to observe next when the plan wants it at `wantedAt`: earlier where a time slot comes before that. */
  wakeAt(urgency: Urgency, wantedAt: number): number;
}

export function createObserver(parts: ObserverParts): Observer {
  const { readings, bans, clock, lists } = parts;
  const templates = createTemplateCache(parts);
  let last: Observation | null = null;
  let bansAt = 0;

  const observeTemplate = (signal?: AbortSignal) => templates.observe(lists.templateIsNeeded(), signal);
  const observeBans = async (rows: readonly Instance[]): Promise<Pick<Observation, "bans" | "counters">> => {
    bansAt = clock.monotonic();
    const [seenBans, counters] = await Promise.all([bans.bans(), bans.counters(rows.map((row) => row.id))]);
    return { bans: seenBans, counters };
  };

  const areBansRecent = () =>
    clock.monotonic() - bansAt < Math.max(spreadMs(parts.own?.pods() ?? 0, MOST_BANS_VALID_MS), BANS_VALID_MS);
  /** While all is well another list of the same instances is no reason to read them. */
  const bansStillCount = (rows: readonly Instance[], urgency: Urgency) =>
    urgency === "ready" &&
    last?.bans.known === true &&
    areBansRecent() &&
    rows.every(({ id }) => last?.counters.has(id));

  /** Without an instance they matter for a create alone, and that follows from a list of its own pass. */
  const bansMatter = (rows: readonly Instance[]) => rows.length > 0 || last === null || !last.bans.known;

  async function withLastList(before: Observation, state: State, published: Published, signal?: AbortSignal) {
    const probed = await probeAll(parts, before.list, state, published, signal);
    const rows = before.list.known ? before.list.value : [];
    const isOld = before.list.known && !areBansRecent();
    if (isOld && bansMatter(rows)) last = { ...before, ...(await observeBans(rows)) };
    return { ...(last ?? before), ...(await observeTemplate(signal)), ...probed };
  }

  async function withNewList(
    listed: Listed,
    state: State,
    published: Published,
    urgency: Urgency,
    began: number,
    signal?: AbortSignal,
  ) {
    const rows = listed.list.known ? listed.list.value : [];
    const stopped = rows.some((row) => isStopped(row, state, clock.now()));
    const [template, credit, seenBans, probed] = await Promise.all([
      observeTemplate(signal),
      stopped ? observeCredit(readings, signal) : undefined,
      last !== null && listed.listedAt < began && (!bansMatter(rows) || bansStillCount(rows, urgency))
        ? { bans: last.bans, counters: last.counters }
        : observeBans(rows),
      probeAll(parts, listed.list, state, published, signal),
    ]);
    last = { listedAt: listed.listedAt, list: listed.list, ...template, ...seenBans, ...probed };
    if (listed.shared) last.shared = true;
    if (listed.partial !== undefined) last.partial = listed.partial;
    if (credit !== undefined) last.credit = credit;
    return last;
  }

  return {
    wakeAt(urgency, wantedAt) {
      const at = lists.wakeAt(last, urgency, wantedAt);
      return lists.templateIsNeeded() ? Math.min(at, templates.dueAt()) : at;
    },
    async observe(state, published, urgency, signal, began = clock.now()) {
      if (last === null) await lists.begin(signal);
      const listed = await lists.next(last, urgency, signal);
      if (listed !== null || last === null)
        return withNewList(listed ?? NOT_LISTED, state, published, urgency, began, signal);
      const recent = await withLastList(last, state, published, signal);
      // When the served instance stops answering, its row may say why.
      const fails = [...recent.instances, recent.publishedProbe].some((one) => one?.probe?.ok === false);
      const newer = urgency === "ready" && fails ? await lists.again(last, urgency, signal) : null;
      return newer === null ? recent : withNewList(newer, state, published, urgency, began, signal);
    },
  };
}

const NOT_LISTED: Listed = { listedAt: 0, list: unknownBecause("it has not been read yet") };

async function observeCredit(readings: AccountReadings, signal?: AbortSignal): Promise<Seen<number | null>> {
  try {
    return known((await readings.credit(signal)).value);
  } catch (error) {
    return unknownBecause(asVastError(error));
  }
}

/** The endpoint and the probe of every row that is not being destroyed; while the list is unknown, of the published server. */
async function probeAll(
  parts: ObserverParts,
  list: Observation["list"],
  state: State,
  published: Published,
  signal?: AbortSignal,
): Promise<Pick<Observation, "instances" | "publishedProbe">> {
  if (!list.known) return { instances: [], publishedProbe: await probePublished(parts, published, signal) };
  const { probe, desired, clock } = parts;
  const live = list.value.filter((row) => !state.pendingDeletes.some((d) => d.id === row.id));
  const instances = live.map(async (row): Promise<ObservedInstance> => {
    const chosen = currentEndpoint(row, state.tracks[row.id], desired.upstreamPort, clock.now());
    const endpoint = parts.allowLocal ? chosen : remoteOnly(chosen);
    return { row, endpoint, probe: endpoint.found ? await probe(endpoint.endpoint, row.id, signal) : null };
  });
  return { instances: await Promise.all(instances), publishedProbe: null };
}

async function probePublished(
  { probe }: ObserverParts,
  { server, instance }: Published,
  signal?: AbortSignal,
): Promise<Observation["publishedProbe"]> {
  if (server === null || instance === null) return null;
  return { instanceId: instance.id, probe: await probe({ host: server.host, port: server.port }, instance.id, signal) };
}

/** Stopped, and not by this program: Vast.ai does that to every instance of an account that has no credit left. */
function isStopped(row: Instance, state: State, now: number): boolean {
  return !state.pendingDeletes.some((d) => d.id === row.id) && stoppedByVast(phaseOf(row, row.createdAt ?? now, now));
}
