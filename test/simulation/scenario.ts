// A run's settings and all its faults, as plain data that can be printed and shortened. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { KillPoint } from "./process.ts";

/** One fault. `at` is ms from the run's start; a fault with `forMs` ends after that time. */
export type Injection = { at: number } & (
  | { kind: "api-fault"; forMs: number; rule: JsonObject }
  | { kind: "api-settings"; forMs: number; set: JsonObject }
  | { kind: "account"; forMs: number; set: JsonObject; back: JsonObject }
  | { kind: "network"; forMs: number; to: "api" | "instances"; code: string; pod: number | null }
  | { kind: "instance"; pod: number; event: string; body: JsonObject; undo: { event: string; afterMs: number } | null }
  /** Somebody creates a second instance with the pod's label by hand. */
  | { kind: "twin"; pod: number }
  | { kind: "bad-host"; pod: number; forMs: number }
  /** Every so many-th host never starts an instance. */
  | { kind: "bad-hosts"; every: number }
  | { kind: "rented-out"; offers: number }
  /** The cheapest machines that are free are let for so long only. */
  | { kind: "short-offers"; offers: number; seconds: number }
  | { kind: "template"; readme: string }
  | { kind: "image"; image: string; losesDisk: boolean }
  /** The template file of all pods is edited, and they start again one after another. */
  | { kind: "template-file"; readme: string; losesDisk: boolean }
  | {
      kind: "restart";
      pod: number;
      how: "kill" | "terminate";
      point: KillPoint | null;
      downMs: number;
      losesDisk: boolean;
    }
  /** The process gets SIGTERM while these faults and a full volume await it; then its pod starts again. */
  | { kind: "end"; pod: number; rules: JsonObject[]; diskFull: boolean; downMs: number }
  /** The process is stopped (SIGSTOP, a suspended node) and then continues exactly where it was. */
  | { kind: "freeze"; pod: number; forMs: number }
  /** The pod is force-deleted: another one replaces it, with new volumes, while its process still runs. */
  | { kind: "overlap"; pod: number; forMs: number }
  | { kind: "redis-away"; forMs: number }
  | { kind: "redis-flush" }
  | { kind: "disk-full"; pod: number; forMs: number }
  /** Only the volume of the state file: the upstream file can be written. */
  | { kind: "state-disk-full"; pod: number; forMs: number }
  | { kind: "reloader-down"; pod: number; forMs: number }
);

/** The desired image at the start. */
export const FIRST_IMAGE = "example/app:1";

export interface Scenario {
  seed: number;
  hours: number;
  pods: number;
  /** All faults have ended after this many ms. */
  faultsEndMs: number;
  /** Additional environment of every pod. */
  env: Record<string, string>;
  /** The pods that change their instance in place. */
  inPlacePods?: readonly number[];
  /** The pods that keep their instance until its replacement serves. */
  surgePods?: readonly number[];
  /** The pods that give up an instance for an update without a search for another one (VAST_UPDATE_PRECHECK=none). */
  uncheckedPods?: readonly number[];
  /** The pods that rent with bids, and their settings. */
  bids?: { pods: readonly number[]; env: Record<string, string> };
  /** The pods have a template file (VAST_TEMPLATE_FILE), at first with what the account's template has. */
  templateFile?: boolean;
  /** All pods call the API from one address and share its limits. */
  oneAddress: boolean;
  /** Settings of the emulator for the whole run. */
  emulator: JsonObject;
  injections: Injection[];
  /** Machines differ in what becomes of their instances (qualities.ts). */
  qualities?: boolean;
}

/** One line about an injection. */
export function describeInjection(injection: Injection): string {
  const { at: _, kind, ...rest } = injection;
  const minutes = (ms: number) => `${(ms / 60_000).toFixed(1)} min`;
  switch (injection.kind) {
    case "api-fault":
      return `API fault for ${minutes(injection.forMs)}: ${JSON.stringify(injection.rule)}`;
    case "account":
      return `account trouble for ${minutes(injection.forMs)}: ${JSON.stringify(injection.set)}`;
    case "network":
      return `no way to ${injection.to === "api" ? "the API" : "the instances"} (${injection.code}) for ${minutes(injection.forMs)}, pod ${injection.pod ?? "all"}`;
    case "instance":
      return `instance of pod ${injection.pod}: ${injection.event} ${JSON.stringify(injection.body)}${injection.undo === null ? "" : `, ${injection.undo.event} after ${minutes(injection.undo.afterMs)}`}`;
    case "restart":
      return `pod ${injection.pod}: ${injection.how}${injection.point === null ? "" : ` at ${injection.point}`}, down for ${(injection.downMs / 1000).toFixed(0)} s${injection.losesDisk ? ", replaced: its disk is lost" : ""}`;
    default:
      return `${kind} ${JSON.stringify(rest)}`;
  }
}
