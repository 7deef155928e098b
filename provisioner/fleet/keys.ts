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
    template: (nameHash: string) => name("template", nameHash),
    /** Who writes a template now. */
    templateLock: (nameHash: string) => name("template-lock", nameHash),
    /** Which content some program has made sure of lately. */
    templateMark: (nameHash: string) => name("template-mark", nameHash),
    credit: name("credit"),
    priceIncreases: name("price-increases"),
    charges: name("charges"),
    /** The offers that a search of all pods found, and what it left out. */
    offers: (searchHash: string) => name("offers", searchHash),
    /** What a search without the program's own conditions found. */
    allOffers: (searchHash: string) => name("all-offers", searchHash),
    /** The label that has reserved a machine. */
    taken: (machineId: number) => name("taken", machineId),
    /** The bans of one database: pods of an account may have different ones. */
    bans: (databaseHash: string) => name("bans", databaseHash),
    /** Hash by label: what each pod's provisioner says of its pod. */
    reports: name("reports"),
    /** Exists while what is old in it has been removed lately. */
    reportsSwept: name("reports-swept"),
    /** Hash by machine and host: what they have done with instances. */
    records: name("records"),
    /** List for each image: how the latest of its instances came up. */
    boots: (imageHash: string) => name("boots", imageHash),
    /** Written for a second by `doctor`, to see whether Redis takes writes. */
    doctor: name("doctor"),
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
