// The whole state of one emulator, as plain data that the rules read and change. Nothing here knows TCP or the system's clock.
import type { Agenda } from "./agenda.ts";
import type { FaultRule } from "./control/fault-rule.ts";
import type { Instance } from "./instances/instance.ts";
import type { Json } from "./json.ts";
import type { Market } from "./market/offer.ts";
import type { Random } from "./random.ts";
import type { Settings } from "./settings.ts";
import type { Template } from "./templates/template.ts";

/** The account whose key is asked for. `credit` is what was paid in: what instances cost is taken off when it is shown. */
export interface Account {
  id: number;
  keyId: number;
  email: string;
  username: string;
  key: string;
  balance: number;
  credit: number;
  keyRevoked: boolean;
  /** What the key may do; null: everything. */
  scopes: string[] | null;
  /** Every call is refused until somebody logs in with a second factor. */
  twoFactor: boolean;
  /** New accounts may spend only so fast: creates are refused. */
  spendLimited: boolean;
  missingBilling: boolean;
}

/** What a test has ordered of all machines of a host. */
export interface HostRule {
  neverBoots: boolean;
  bootSeconds: number | null;
}

export interface RequestRecord {
  n: number;
  at: string;
  method: string;
  path: string;
  query: Record<string, string>;
  body: Json;
  authorization: "none" | "Bearer right" | "Bearer wrong" | "query right" | "query wrong";
  status: number;
  note: string;
}

export interface StoredLog {
  readyAt: number;
  text: string;
}

export interface World {
  settings: Settings;
  /** Emulated instant that is being worked on, epoch ms. */
  time: number;
  /** What `/_emulator/clock` has added to the injected clock, ms. */
  offsetMs: number;
  /** Emulated seconds in one of the caller's: 1 unless the clock runs faster. */
  timeScale: number;
  agenda: Agenda;
  random: Random;
  /** A stream of its own, so that a fault with a probability does not change what else happens. */
  faultRandom: Random;
  /** Draws a port for the address `ip`; it may be one that is taken already. */
  takePort: (ip: string) => number;
  account: Account;
  /** What ended contracts have cost, $. */
  spentOnEnded: number;
  /** When the money will be gone at today's rate, epoch ms. */
  brokeAt: number | null;
  market: Market;
  hosts: Map<number, HostRule>;
  /** Every contract ever made. */
  instances: Map<number, Instance>;
  /** Those that have not ended. */
  live: Map<number, Instance>;
  /** Those that have ended and may still be listed. */
  lingering: Instance[];
  templates: Template[];
  /** Hashes of earlier revisions, with the content that they stood for. */
  earlierTemplates: Map<string, Template>;
  faults: FaultRule[];
  requests: RequestRecord[];
  requestCount: number;
  /** When each identity last called each endpoint, and until when it is locked out. */
  rates: Map<string, { lastAt: number; blockedUntil: number; recent: number[] }>;
  logs: Map<string, StoredLog>;
  nextInstanceId: number;
  nextTemplateId: number;
  nextFaultId: number;
}

/** Emulated time in the API's unit, epoch seconds. */
export function seconds(world: World): number {
  return world.time / 1000;
}
