// Takes and renews the label's lease in Redis, so that only one provisioner acts for a label, and keeps a copy of the state next to
// it. Touches Redis through the commands that it is given.
import { type Clock, stopwatch } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import type { FleetKeys } from "../fleet/keys.ts";
import { LEASE_MS, LEASE_RENEW_MS } from "../model/deadlines.ts";
import { type LeaseAnswer, OURS, type Ownership, ownershipBy } from "../model/ownership.ts";
import type { HeldKey, LeaseCommands } from "../redis/commands.ts";
import { redisMessage } from "../redis/trouble.ts";
import type { State } from "../state/schema.ts";
import {
  formatMirror,
  type LeftServer,
  leftServer,
  type Mirror,
  parseMirror,
  takeOver,
  tellsNothing,
} from "./mirror.ts";

export interface Lease {
  /**
   * Takes the lease, or renews it where that is due. When it is newly ours, the state includes what a predecessor left in Redis, and `left`
   * is the server that it published, if this provisioner knows of no instance.
   */
  renew(state: State, signal?: AbortSignal): Promise<{ ownership: Ownership; state: State; left?: LeftServer | null }>;
  /** Renews the lease right before a mutation. False: the mutation must not be sent. */
  mayMutate(): Promise<boolean>;
  /**
   * Copies the state to Redis while the lease is ours, and renews it with that. `saved`: the state file has it. `left`: the server that
   * is published. Never rejects: this is only a second copy.
   */
  mirror(state: State, saved: boolean, left?: LeftServer | null): Promise<void>;
  /** Releases the lease, so that the next provisioner need not wait until it expires. */
  release(): Promise<void>;
}

export interface LeaseParts {
  redis: LeaseCommands;
  clock: Clock;
  log: Logger;
  keys: Pick<FleetKeys, "lease" | "pod">;
  label: string;
  /** Kept in the state file, so that a restarted program is the same owner. Without spaces. */
  token: string;
  /** Who has the lease, for people. */
  owner: string;
  /** When the program started (epoch ms), for one that keeps an instance; null for a command. */
  startedAt: number | null;
}

// Recent creates and the intent matter for an hour. Pending deletes are written again each minute until they are confirmed.
const MIRROR_TTL_SECONDS = 86_400;
// The money in the copy may be this old: a successor counts the time since then itself, and knows only not whether it was served in. A
// thousand pods write twice a second for it.
const MONEY_EVERY_MS = 600_000;
// A successor may use the server only if it served a short while ago, and waits a minute for the lease of one that was killed. It is
// written before the lease is due for a renewal, which it does as well: a thousand pods ask 40 times a second for both.
const SERVED_EVERY_MS = 25_000;
// A thousand pods that start together do not write at once that nothing has happened.
const COPY_OF_NOTHING_MS = 60_000;

// What version 0.1.0 called the two keys. Its provisioner may still run, or have left a copy of its state; both expire by themselves.
const formerLease = (label: string) => `vast_lease_${label}`;
const formerMirror = (label: string) => `vast_pod_${label}`;

/** A new token. `random` returns 0 to 1. */
export function newToken(random: () => number): string {
  const part = () => Math.floor(random() * 2 ** 32).toString(16);
  return `${part()}-${part()}-${part()}`;
}

export function createLease({ redis, clock, log, keys, label, token, owner, startedAt }: LeaseParts): Lease {
  const [leaseKey, mirrorKey] = [keys.lease(label), keys.pod(label)];
  const mine = `${token} `;
  let last: Exclude<LeaseAnswer, { kind: "none" }> | null = null;
  let claimedSince: number | null = null;
  let answered = false; // Redis answered the latest command: otherwise another command would only time out too
  let takenOver = false; // what a predecessor left in Redis is part of our state
  let mirrored: string | null = null; // its part that decides what is done
  let sinceMirroredMs = stopwatch(clock);
  let withoutCopySince: number | null = null; // when it became ours while Redis had no copy of the label's state
  let wroteMirror = false; // then our state in memory is newer than the copy
  let lastDoubt = "";
  let superseded = false; // by one that started later: no lease that is ours again changes that
  let sinceClaimMs = stopwatch(clock);

  /** Forgets what Redis has answered: it was paused for so long that another provisioner may hold the lease by now. */
  function forgetAfterPause(): boolean {
    if (sinceClaimMs() < LEASE_MS) return false;
    last = null;
    claimedSince = clock.now();
    takenOver = false;
    return true;
  }

  /** It was ours so lately that it will be for the whole pass, and nothing has failed since. */
  const isRenewed = () => answered && takenOver && last?.kind === "ours" && sinceClaimMs() < LEASE_RENEW_MS;

  /** Nothing has happened yet that a successor could miss. */
  const mayBeWithoutCopy = () => withoutCopySince !== null && clock.monotonic() - withoutCopySince < COPY_OF_NOTHING_MS;

  /** Claims the lease in Redis. `kept`: it was ours without interruption. */
  async function claim(): Promise<{ answer: LeaseAnswer; kept: boolean }> {
    forgetAfterPause();
    claimedSince ??= clock.now();
    sinceClaimMs = stopwatch(clock);
    const claimed = await ask();
    if (!forgetAfterPause()) return claimed;
    return { answer: { kind: "none", why: "the program was paused while it asked" }, kept: false };
  }

  async function ask(): Promise<{ answer: LeaseAnswer; kept: boolean }> {
    try {
      const before = await redis.claim(leaseKey, mine, `${mine}${owner}`, LEASE_MS);
      answered = true;
      const other = otherOwner(before);
      return { answer: other ?? { kind: "ours" }, kept: other === null && before.value !== null };
    } catch (error) {
      answered = false;
      return { answer: { kind: "none", why: redisMessage(error) }, kept: false };
    }
  }

  function otherOwner({ value, leftMs }: HeldKey): Extract<LeaseAnswer, { kind: "other" }> | null {
    if (value === null || value.startsWith(mine)) return null;
    return { kind: "other", owner: value.replace(/^\S* /, ""), until: leftMs < 0 ? null : clock.now() + leftMs };
  }

  function ownershipAfter(answer: LeaseAnswer): Ownership {
    const ownership = ownershipBy(answer, last, claimedSince ?? clock.now(), clock.now());
    if (answer.kind !== "none") last = answer;
    if (answer.kind === "other") takenOver = false;
    const doubt = ownership.kind === "ours" ? ownership.doubt : null;
    if (doubt !== null && doubt !== lastDoubt) log.warn({ event: "lease" }, doubt);
    lastDoubt = doubt ?? "";
    return asSuperseded(ownership);
  }

  return {
    async renew(state) {
      if (isRenewed()) return { ownership: asSuperseded(OURS), state };
      const { answer, kept } = await claim();
      if (answer.kind !== "ours" || (kept && takenOver)) return { ownership: ownershipAfter(answer), state };
      try {
        const [held = null, copy = null, formerCopy = null] = await redis.mget([
          formerLease(label),
          mirrorKey,
          formerMirror(label),
        ]);
        const former = held === null ? null : otherOwner(await redis.peek(formerLease(label)));
        if (former !== null) return { ownership: ownershipAfter(former), state };
        const next = inherit(copy ?? formerCopy, state);
        takenOver = true;
        mirrored = null;
        withoutCopySince = copy === null ? clock.monotonic() : null;
        return { ownership: ownershipAfter(answer), ...next };
      } catch (error) {
        // The lease is ours, but it is unknown what the predecessor had started.
        return { ownership: ownershipAfter({ kind: "none", why: redisMessage(error) }), state };
      }
    },
    async mayMutate() {
      const { answer, kept } = await claim();
      // Another provisioner may have had it in between: this pass's decision is outdated, the next pass observes again.
      const interrupted = answer.kind === "ours" && !(kept && takenOver);
      const ownership = ownershipAfter(answer);
      if (interrupted) takenOver = false;
      return ownership.kind === "ours" && !interrupted;
    },
    async mirror(state, saved, left = null) {
      if (!answered || !takenOver) return;
      const { text, acts } = formatMirror(state, token, saved, left, startedAt);
      if (acts === mirrored && sinceMirroredMs() < (left === null ? MONEY_EVERY_MS : SERVED_EVERY_MS)) return;
      if (left === null && tellsNothing(state) && mayBeWithoutCopy()) return;
      try {
        const elapsedMs = stopwatch(clock);
        const written = await redis.setWhileMine(leaseKey, mine, mirrorKey, text(), MIRROR_TTL_SECONDS, LEASE_MS);
        sinceMirroredMs = stopwatch(clock);
        if (written) [mirrored, wroteMirror, sinceClaimMs, withoutCopySince] = [acts, true, elapsedMs, null];
        else takenOver = false; // the lease is not ours any more: the next pass asks
      } catch (error) {
        answered = false;
        log.warn(
          { event: "lease", err: error },
          "the copy of the state could not be written to Redis: only the state file has it",
        );
      }
    },
    async release() {
      if (last?.kind !== "ours") return; // nothing to release
      // From now on another provisioner may have it: forget what Redis answered before.
      last = null;
      claimedSince = null;
      takenOver = false;
      // Also when Redis did not answer before: it may be back, and the next owner would otherwise wait for a minute.
      try {
        await redis.removeMine(leaseKey, mine);
      } catch (error) {
        log.warn(
          { event: "lease", err: error },
          `the lease could not be released: it expires within ${LEASE_MS / 1000} s`,
        );
      }
    },
  };

  function asSuperseded(ownership: Ownership): Ownership {
    return superseded && ownership.kind === "ours" ? { ...ownership, superseded } : ownership;
  }

  /** As a StatefulSet replaces its pod, the settings of the one that started last count. By the clocks of the two machines. */
  function noteLaterStart({ startedAt: theirs }: Mirror): void {
    if (superseded || theirs === null || startedAt === null || theirs <= startedAt) return;
    superseded = true;
    log.warn(
      { event: "lease" },
      `another provisioner of the label ${label} started later and had the lease meanwhile: the image and template of its instance are kept as they are. End one of the two; if the settings of this one count, restart it`,
    );
  }

  function inherit(text: string | null, state: State): { state: State; left?: LeftServer | null } {
    if (text === null) return { state };
    const read = parseMirror(text, label);
    if ("mirror" in read && read.mirror.token === token && wroteMirror) return { state };
    if ("mirror" in read) {
      noteLaterStart(read.mirror);
      const next = takeOver(state, read.mirror, token, clock.now());
      return { state: next, left: leftServer(next, read.mirror, token) };
    }
    log.warn({ event: "lease" }, `the Redis key ${mirrorKey} cannot be used (${read.why}); it will be overwritten`);
    return { state };
  }
}

/** Without Redis: no other provisioner is known, and the state file is the only copy. */
export const noLease: Lease = {
  renew: async (state) => ({ ownership: OURS, state }),
  mayMutate: async () => true,
  mirror: async () => undefined,
  release: async () => undefined,
};
