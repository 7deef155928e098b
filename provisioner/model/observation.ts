// What one pass saw, as values: unknown is never none. Pure.
import type { PublishedInstance, Server } from "../../common/upstream-file.ts";
import type { AccountTrouble } from "../vast/errors.ts";
import type { Instance, Template } from "../vast/rows.ts";
import type { Endpoint } from "./endpoint.ts";

export interface Why {
  message: string;
  account: AccountTrouble | null;
}

/** A fact, or why it is not known. */
export type Seen<T> = { known: true; value: T } | { known: false; why: Why };

export const known = <T>(value: T): Seen<T> => ({ known: true, value });

/** `tcp` tells that the connection stood although the probe as a whole failed. */
export interface ProbeResult {
  endpoint: Endpoint;
  ok: boolean;
  tcp: boolean;
  why: string;
}

/** What the ban store tells about one instance. */
export interface StoredCounters {
  /** Epoch ms, or null when nobody wrote it. */
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
  /** Epoch ms at which the list's first page was asked for. */
  listedAt: number;
  /** Own-label rows, doomed ones included. */
  list: Seen<readonly Instance[]>;
  /** `null`: the account has no template of that name. */
  template: Seen<Template | null>;
  /** Epoch ms at which the template was last asked for. */
  templateAt: number;
  /** Banned hosts and machines; known and empty when bans are disabled. */
  bans: Seen<readonly Ban[]>;
  counters: ReadonlyMap<number, StoredCounters>;
  /** $ that the account can still spend, or null where the API does not say. Left out while no instance of ours is stopped: nothing depends on it. */
  credit?: Seen<number | null>;
  /** By instance id. */
  probes: ReadonlyMap<number, ProbeResult>;
}

/** What is published, as the upstream file says it. */
export interface Published {
  server: Server | null;
  instance: PublishedInstance | null;
}
