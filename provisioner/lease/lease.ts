// One provisioner acts for a label: takes and keeps the label's lease in Redis, and the copy of the memory beside it. The only
// place that knows their keys. Touches Redis through what it is handed.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { LEASE_MS } from "../model/deadlines.ts";
import { type LeaseAnswer, OURS, type Ownership, ownershipBy } from "../model/ownership.ts";
import type { LeaseCommands } from "../redis/commands.ts";
import { redisMessage } from "../redis/trouble.ts";
import type { State } from "../state/schema.ts";
import { formatMirror, parseMirror, takeOver } from "./mirror.ts";

export interface Lease {
  /** Takes the lease or renews it. Where it is newly ours, the memory comes back with what a predecessor left behind. */
  renew(state: State): Promise<{ ownership: Ownership; state: State }>;
  /** Renews just before a mutation; false: it must not be sent. */
  mayMutate(): Promise<boolean>;
  /** Copies the memory to Redis while the lease is ours. Never rejects: the state file is the guard, this is a second copy. */
  mirror(state: State): Promise<void>;
  /** Gives the lease back, so that the next one need not wait for its end. */
  release(): Promise<void>;
}

export interface LeaseParts {
  redis: LeaseCommands;
  clock: Clock;
  log: Logger;
  label: string;
  /** Kept in the state file, so that a program that is started again is the same owner. No spaces in it. */
  token: string;
  /** For people: who has the lease. */
  owner: string;
}

// Budget and intents are of use for an hour; doomed ids are written again each minute while they are asked away.
const MIRROR_TTL_SECONDS = 86_400;

const leaseKey = (label: string) => `vast_lease_${label}`;
const mirrorKey = (label: string) => `vast_pod_${label}`;

/** A token from a random source of 0 to 1. */
export function newToken(random: () => number): string {
  const part = () => Math.floor(random() * 2 ** 32).toString(16);
  return `${part()}-${part()}-${part()}`;
}

export function createLease({ redis, clock, log, label, token, owner }: LeaseParts): Lease {
  const mine = `${token} `;
  let last: Exclude<LeaseAnswer, { kind: "none" }> | null = null;
  let askedSince: number | null = null;
  let answers = false; // the latest question had an answer: else a second one would only wait again
  let takenOver = false; // what a predecessor left behind is in our memory
  let mirrored: string | null = null;
  let said = "";

  /** Asks Redis; `kept` tells that the lease was ours without a break. */
  async function claim(): Promise<{ answer: LeaseAnswer; kept: boolean }> {
    askedSince ??= clock.now();
    try {
      const { before, leftMs } = await redis.claim(leaseKey(label), mine, `${mine}${owner}`, LEASE_MS);
      answers = true;
      if (before === null || before.startsWith(mine)) return { answer: { kind: "ours" }, kept: before !== null };
      const until = leftMs < 0 ? null : clock.now() + leftMs;
      return { answer: { kind: "other", owner: before.replace(/^\S* /, ""), until }, kept: false };
    } catch (error) {
      answers = false;
      return { answer: { kind: "none", why: redisMessage(error) }, kept: false };
    }
  }

  function conclude(answer: LeaseAnswer): Ownership {
    const ownership = ownershipBy(answer, last, askedSince ?? clock.now(), clock.now());
    if (answer.kind !== "none") last = answer;
    if (answer.kind === "other") takenOver = false;
    const doubt = ownership.kind === "ours" ? ownership.doubt : null;
    if (doubt !== null && doubt !== said) log.warn({ event: "lease" }, doubt);
    said = doubt ?? "";
    return ownership;
  }

  return {
    async renew(state) {
      const { answer, kept } = await claim();
      if (answer.kind !== "ours" || (kept && takenOver)) return { ownership: conclude(answer), state };
      try {
        const next = inherit(await redis.get(mirrorKey(label)), state);
        takenOver = true;
        mirrored = null;
        return { ownership: conclude(answer), state: next };
      } catch (error) {
        // The lease is ours, but what was begun before us is not known.
        return { ownership: conclude({ kind: "none", why: redisMessage(error) }), state };
      }
    },
    async mayMutate() {
      const { answer, kept } = await claim();
      // Somebody else may have had it in between: what was decided before that counts no more, the next pass looks anew.
      const broken = answer.kind === "ours" && !(kept && takenOver);
      const ownership = conclude(answer);
      if (broken) takenOver = false;
      return ownership.kind === "ours" && !broken;
    },
    async mirror(state) {
      const text = formatMirror(state, token);
      if (!answers || !takenOver || text === mirrored) return;
      try {
        const written = await redis.setWhileMine(leaseKey(label), mine, mirrorKey(label), text, MIRROR_TTL_SECONDS);
        if (written) mirrored = text;
      } catch (error) {
        answers = false;
        log.warn(
          { event: "lease", err: error },
          "Redis did not take the copy of the state file: the disk alone has it",
        );
      }
    },
    async release() {
      if (last?.kind !== "ours") return; // nothing to give back
      // From here on it may be somebody else's: what was known of it counts no more.
      last = null;
      askedSince = null;
      takenOver = false;
      // Asked for also where the latest question had no answer: Redis may be back, and the next owner would wait for a minute.
      try {
        await redis.removeMine(leaseKey(label), mine);
      } catch (error) {
        log.warn(
          { event: "lease", err: error },
          `the lease could not be given back: it ends within ${LEASE_MS / 1000} s`,
        );
      }
    },
  };

  function inherit(text: string | null, state: State): State {
    if (text === null) return state;
    const read = parseMirror(text, label);
    if ("mirror" in read) return takeOver(state, read.mirror, token, clock.now());
    const what = `the Redis key ${mirrorKey(label)} cannot be used (${read.why}): it is written anew`;
    log.warn({ event: "lease" }, what);
    return state;
  }
}

/** Without Redis: nobody else is known of, and the state file is all there is. */
export const noLease: Lease = {
  renew: async (state) => ({ ownership: OURS, state }),
  mayMutate: async () => true,
  mirror: async () => undefined,
  release: async () => undefined,
};
