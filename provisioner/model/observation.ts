// What one pass observed, as values: an unknown list is not an empty list. Pure.
import type { PublishedInstance, Server } from "../../common/upstream-file.ts";
import type { AccountTrouble } from "../vast/errors.ts";
import type { Instance, Template } from "../vast/rows.ts";
import type { Endpoint, EndpointChoice } from "./endpoint.ts";

export interface Why {
  message: string;
  account: AccountTrouble | null;
}

/** A fact, or why it is not known. */
export type Seen<T> = { known: true; value: T } | { known: false; why: Why };

export const known = <T>(value: T): Seen<T> => ({ known: true, value });

/**
 * `tcp`: the connection was accepted, even if the probe as a whole failed. `refused`: the host answered that nothing listens at the port,
 * so our network is not to blame. `startedAt`, `at`: when it began and ended, epoch ms.
 */
export interface ProbeResult {
  endpoint: Endpoint;
  startedAt: number;
  at: number;
  ok: boolean;
  tcp: boolean;
  refused?: boolean;
  why: string;
}

/** One listed instance that is not being destroyed. */
export interface ObservedInstance {
  row: Instance;
  /** Where it is reached, or why nowhere: chosen once a pass, for the probe, the record and the explanation. */
  endpoint: EndpointChoice;
  /** Null where there is no endpoint to probe. */
  probe: ProbeResult | null;
}

/** What the ban store holds about one instance. */
export interface StoredCounters {
  /** Epoch ms, or null when it was never written. */
  waitingSince: number | null;
  restarts: number;
}

/** A host is an account with many machines. */
export type BanKind = "host" | "machine";

export interface Ban {
  kind: BanKind;
  id: number;
  reason: string;
}

export interface Observation {
  /** Epoch ms at which the list's first page was requested. */
  listedAt: number;
  /** Another pod may have read the list, a while before this pod looked at it. */
  shared?: true;
  /**
   * Why the list could not be read, where the one instance that is known by its id was asked for instead: `list` then holds its row alone.
   * What it does not show proves nothing.
   */
  partial?: Why;
  /** The rows with our label, those that are being destroyed included. */
  list: Seen<readonly Instance[]>;
  /** The listed rows that are not being destroyed; empty while the list is unknown. */
  instances: readonly ObservedInstance[];
  /** While the list is unknown: the probe of the published server; else null. */
  publishedProbe: { instanceId: number; probe: ProbeResult } | null;
  /** `null`: the account has no template of that name. */
  template: Seen<Template | null>;
  /** Epoch ms at which this template was requested; while it is unknown, at which it was last tried. */
  templateAt: number;
  /** Banned hosts and machines; known and empty when bans are disabled. */
  bans: Seen<readonly Ban[]>;
  counters: ReadonlyMap<number, StoredCounters>;
  /** $ that the account can still spend, or null where the API does not report it. Read only while an instance of ours is stopped. */
  credit?: Seen<number | null>;
}

/** What the upstream file holds. */
export interface Published {
  server: Server | null;
  instance: PublishedInstance | null;
}

/** All rows of the label; null where they are unknown, or only one of them is known. */
export function wholeList({ list, partial }: Pick<Observation, "list" | "partial">): readonly Instance[] | null {
  return list.known && partial === undefined ? list.value : null;
}

const SHARED_LIST_DECIDES_MS = 20_000;

/**
 * Whether something may be created or destroyed by this list. An own list is one of the same pass; a shared one ages while the pass waits
 * for probes, a search or its turn.
 */
export function mayDecide({ listedAt, shared }: Pick<Observation, "listedAt" | "shared">, now: number): boolean {
  return shared !== true || now - listedAt <= SHARED_LIST_DECIDES_MS;
}
