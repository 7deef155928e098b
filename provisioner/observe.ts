// Looks at the world once: list, template, bans, probes. Touches the API, Redis and the instances, and changes nothing.
import type { Clock } from "../common/clock.ts";
import type { BanStore } from "./blacklist/store.ts";
import type { Memory } from "./memory.ts";
import { known, type Observation, type ProbeResult, type Published, type Seen } from "./observation.ts";
import type { Desired } from "./plan/facts.ts";
import type { Probe } from "./probe.ts";
import { endpointOf } from "./track.ts";
import type { VastClient } from "./vast/client.ts";
import { accountTrouble, asVastError } from "./vast/errors.ts";
import type { Instance, Template } from "./vast/rows.ts";

// While everything is well one list in half a minute is enough, spread so that pods with one key do not meet; an end that
// the probe notices is looked at once.
const LIST_EVERY_MS = 30_000;
const LIST_SPREAD = 0.2;
// A changed template is noticed within a minute.
const TEMPLATE_EVERY_MS = 60_000;
// After a failed look at the template: often enough to go on soon, rare enough for its 3 s limit.
const TEMPLATE_RETRY_MS = 10_000;

export interface ObserverParts {
  client: VastClient;
  bans: BanStore;
  probe: Probe;
  clock: Clock;
  random: () => number;
  desired: Desired;
}

/** `fresh`: the list is asked for even if the last one is young. */
export type Observe = (
  memory: Memory,
  published: Published,
  fresh: boolean,
  signal?: AbortSignal,
) => Promise<Observation>;

export function createObserver(parts: ObserverParts): Observe {
  const { client, bans, probe, clock, random, desired } = parts;
  let last: Observation | null = null;
  let relistAt = 0;
  let template: Seen<Template | null> | null = null;
  let templateDueAt = 0;
  let templateAt = 0;

  async function lookAtTemplate(signal?: AbortSignal): Promise<Seen<Template | null>> {
    if (template !== null && clock.now() < templateDueAt) return template;
    templateAt = clock.now();
    template = await seen(() => client.findTemplate(desired.templateName, signal));
    templateDueAt = clock.now() + (template.known ? TEMPLATE_EVERY_MS : TEMPLATE_RETRY_MS);
    return template;
  }

  async function probeRows(
    rows: readonly Instance[],
    memory: Memory,
    signal?: AbortSignal,
  ): Promise<Map<number, ProbeResult>> {
    const live = rows.filter((row) => !memory.doomed.some((d) => d.id === row.id));
    const results = live.map(async (row): Promise<[number, ProbeResult] | null> => {
      const endpoint = endpointOf(row, memory.tracks[row.id], desired, clock.now());
      return endpoint === null ? null : [row.id, await probe(endpoint, signal)];
    });
    return new Map((await Promise.all(results)).filter((result) => result !== null));
  }

  async function probePublished(published: Published, signal?: AbortSignal): Promise<Map<number, ProbeResult>> {
    if (published.server === null || published.instance === null) return new Map();
    const { host, port } = published.server;
    return new Map([[published.instance.id, await probe({ host, port }, signal)]]);
  }

  return async (memory, published, fresh, signal) => {
    if (!fresh && last?.list.known && clock.now() < relistAt) {
      const probes = await probeRows(last.list.value, memory, signal);
      const well = [...probes.values()].every((result) => result.ok);
      if (well) return { ...last, template: await lookAtTemplate(signal), templateAt, probes };
    }
    const listedAt = clock.now();
    const list = await seen(() => client.listInstances(desired.label, signal));
    relistAt = clock.now() + LIST_EVERY_MS * (1 + LIST_SPREAD * (2 * random() - 1));
    const rows = list.known ? list.value : [];
    const [seenTemplate, seenBans, counters, probes] = await Promise.all([
      lookAtTemplate(signal),
      bans.bans(),
      bans.counters(rows.map((row) => row.id)),
      list.known ? probeRows(rows, memory, signal) : probePublished(published, signal),
    ]);
    last = { listedAt, list, template: seenTemplate, templateAt, bans: seenBans, counters, probes };
    return last;
  };
}

/** An error of the API as an unknown fact; every other error is a defect and is thrown on. */
async function seen<T>(look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return known(await look());
  } catch (error) {
    return { known: false, why: { message: asVastError(error).message, account: accountTrouble(error) } };
  }
}
