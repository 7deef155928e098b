// The complete state of one emulator, as plain data that the rules read and change. Independent of TCP and the system's clock.
import type { Agenda } from "./agenda.ts";
import type { FaultRule } from "./control/fault-rule.ts";
import type { Instance } from "./instances/instance.ts";
import type { Json } from "./json.ts";
import type { Market } from "./market/offer.ts";
import type { Random } from "./random.ts";
import type { Settings } from "./settings.ts";
import type { Template } from "./templates/template.ts";

/** The account of the key. `credit` is what was paid in; the cost of instances is subtracted when it is shown. */
export interface Account {
  id: number;
  keyId: number;
  email: string;
  username: string;
  key: string;
  /** Epoch ms. */
  createdAt: number;
  balance: number;
  credit: number;
  keyRevoked: boolean;
  /** The key belongs to a login whose second factor has expired. */
  sessionExpired: boolean;
  /** The key's permissions; null means everything. */
  scopes: string[] | null;
  /** Every call is refused until a login with a second factor. */
  twoFactor: boolean;
  /** A new account has reached its spending limit: creates are refused. */
  spendLimited: boolean;
  missingBilling: boolean;
}

export interface SshKey {
  id: number;
  key: string;
  createdAt: number;
}

/** What a test has set for all machines of a host. */
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
  /** From where it came. */
  address: string;
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
  /** The current emulated instant, epoch ms. */
  time: number;
  /** The total that `/_emulator/clock` has added to the injected clock, ms. */
  offsetMs: number;
  /** Emulated seconds in one second of the caller; 1 unless the clock runs faster. */
  timeScale: number;
  agenda: Agenda;
  random: Random;
  /** A separate stream, so that a fault with a probability does not change other events. */
  faultRandom: Random;
  /** Draws a port for the address `ip`; it can be one that is taken already. */
  takePort: (ip: string) => number;
  account: Account;
  /** The total cost of ended contracts, $. */
  spentOnEnded: number;
  /** When the credit will be used up at the current rate, epoch ms. */
  brokeAt: number | null;
  market: Market;
  hosts: Map<number, HostRule>;
  /** Every contract ever made. */
  instances: Map<number, Instance>;
  /** Those that have not ended. */
  live: Map<number, Instance>;
  /** Those that have ended and can still be listed. */
  lingering: Instance[];
  templates: Template[];
  /** Hashes of earlier revisions, with their content. */
  earlierTemplates: Map<string, Template>;
  faults: FaultRule[];
  requests: RequestRecord[];
  requestCount: number;
  /** When each identity last called each endpoint, and until when it is blocked. */
  rates: Map<string, { lastAt: number; blockedUntil: number; recent: number[] }>;
  logs: Map<string, StoredLog>;
  sshKeys: SshKey[];
  /** The names of the account's environment variables. */
  variables: Set<string>;
  nextInstanceId: number;
  nextTemplateId: number;
  nextFaultId: number;
  nextIncreaseId: number;
  nextSshKeyId: number;
}

/** Emulated time in the API's unit, epoch seconds. */
export function seconds(world: World): number {
  return world.time / 1000;
}
