// The names of all keys that the pods of one account share in Redis. Pure.
//
// The keys of an account have one hash tag, so that a Redis Cluster keeps them in one slot and a script may use several of them.
// Accounts never mix, so they can share a database. A new API key of the same account changes no name.
import { createHash } from "node:crypto";

export type FleetKeys = ReturnType<typeof fleetKeys>;

export function fleetKeys(accountId: number) {
  const name = (...parts: readonly (string | number)[]) => `vast-pod:{${accountId}}:${parts.join(":")}`;
  return {
    /** The token of the pod that reads the instance list for all. */
    lead: name("lead"),
    /** Hash by label: the instances that were read, and when they were asked for. */
    rows: name("rows"),
    /** Why the last reading failed. */
    trouble: name("trouble"),
    /** Sorted set of labels by the time at which their next reading is due. */
    want: name("want"),
    /** Sorted set of labels by the time at which their pod was last seen. */
    pods: name("pods"),
    /** The pace of an endpoint for one API key and one group of addresses. */
    gate: (endpoint: string, keyHash: string, egress: string) => name("gate", endpoint, keyHash, egress),
    /** The API counts searches for each address, whatever the key: pods of all accounts share this one. */
    searchGate: (egress: string) => `vast-pod:{ip:${egress}}:gate:search`,
    /** Sorted set of the labels that wait for that endpoint, in their order. */
    queue: (endpoint: string, keyHash: string, egress: string) => name("queue", endpoint, keyHash, egress),
    /** Sorted set of those labels by the time at which they last asked. */
    beats: (endpoint: string, keyHash: string, egress: string) => name("beats", endpoint, keyHash, egress),
    template: (nameHash: string) => name("template", nameHash),
    credit: name("credit"),
    offers: (queryHash: string) => name("offers", queryHash),
    /** The label that has reserved a machine. */
    taken: (machineId: number) => name("taken", machineId),
    /** The bans of one database: pods of an account may have different ones. */
    bans: (databaseHash: string) => name("bans", databaseHash),
    /** Sorted set of the labels that are being replaced. */
    down: name("down"),
    /** Who may create and destroy under a label. */
    lease: (label: string) => name("lease", label),
    /** The copy of the state of a label's provisioner. */
    pod: (label: string) => name("pod", label),
  };
}

/** Where the pods with one API key find its account. */
export const accountKey = (apiKey: string) => `vast-pod:{key:${shortHash(apiKey)}}:account`;

/** A part of a name for a text that is long, secret, or has characters that a name may not have. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
