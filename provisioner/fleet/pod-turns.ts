// A pod's place among the pods that want to create an instance, or to destroy a dead one: it asks each pass and goes on serving meanwhile.
// Touches the clock, and Redis through the turns.
import { type Clock, stopwatch } from "../../common/clock.ts";
import { CREATE_WAIT_MS } from "../model/deadlines.ts";
import { doubted, type FarTurn, farTurn, remaining } from "./far-turn.ts";
import { ownSlotWaitMs } from "./own-slot.ts";
import { CREATE_SLOT_MS, type FleetPacing, MOST_SLEEP_MS } from "./pacing.ts";
import type { Place, Turn } from "./turns.ts";
import type { MaxUnavailable } from "./unavailable.ts";
import { createUpdateLimit } from "./update-limit.ts";

/**
 * What a pod wants its turn for. `destroy`: of a dead instance; the DELETE itself would wait for its turn, too, but a pass that waits there
 * sees nothing meanwhile. `surge`: the create of a replacement while the outdated instance serves, so that nobody is down.
 * `lost`: it served before, or may be the only one of its set.
 */
export interface Wish {
  kind: "create" | "surge" | "replacement" | "destroy";
  lost: boolean;
}

/**
 * - `now`: list, search and create, or destroy; the turn comes while that takes its time
 * - `later`: others are before it; `guessed`: as far as the pod knows without Redis
 * - `limit`: enough pods are being replaced, or updated
 * - `unknown`: Redis has not answered for a few seconds
 *
 * `checkMs`: when to ask again.
 */
export type PodTurn =
  | { kind: "now" }
  | { kind: "later"; ahead: number; waitMs: number; checkMs: number; guessed?: true }
  | { kind: "limit"; others: number; most: number; checkMs: number; by?: "VAST_MAX_UPDATING" }
  | { kind: "unknown" };

export interface PodTurns {
  /**
   * Asks for what the pass wants. `listed`: a list shows an instance that is kept; `serves`: it is served; `surging`: another one has been
   * created beside it, or may have been. Never rejects.
   */
  ask(wish: Wish | null, instance: { listed: boolean; serves: boolean; surging?: boolean }): Promise<void>;
  /** The answer to the last question if it was for this wish. */
  turnFor(wish: Wish): PodTurn;
  /**
   * Waits until the turn of the pod's create is about to come, or nobody knows when that is. False: the turn is farther away than the
   * create itself may wait for it, because others have come before it.
   */
  untilCreateIsNext(signal: AbortSignal): Promise<boolean>;
  /** The create found nothing that it may rent, or is refused: it tries again after a wait, and queues behind the others then. */
  leaveCreates(): Promise<void>;
  /**
   * The ordered end of the pod queues for its destroys, before those of pods that go on. It keeps that place until it leaves, also for a
   * second instance: those that were told to end first have the least time left.
   */
  queueEnd(): Promise<void>;
  /**
   * For the same: 0 when the turn of its DELETE is about to come, or nobody knows when that is. Otherwise how many are to go before, after
   * a part of that time.
   */
  untilEndIsNear(signal: AbortSignal): Promise<number>;
  /** Each destroy has been sent, or one has failed: what is sent again queues behind the destroys of the others. */
  leaveEnds(): Promise<void>;
}

// What a pod does between its question and its create: a fresh list and a search.
const NEAR_MS = 12_000;
// Before the DELETE of a dead instance come a fresh list and the lease. With 3 s for each of them, three pods are about to send theirs.
const NEAR_DESTROY_MS = 10_000;
// What a replacement does besides the drain: fresh lists before and after its destroy, and the destroy. Some seconds more than that takes,
// so that a pod waits for a turn rather than a turn for a pod.
const NEAR_BESIDES_DRAIN_MS = 6000;
// While enough pods are being replaced: the next one looks each second, those behind it less often.
const LIMIT_CHECK_MS = 1000;
const MOST_LIMIT_CHECK_MS = 5000;
// What is left then to reserve a machine and to save the intent.
const NEXT_MS = 500;
const SEEN_EVERY_MS = 60_000;
const NOTE_DOWN_EVERY_MS = 5000;
// A pod that Redis does not know: it may have forgotten everything. Those that are down tell it again, at the latest after a drain and a
// destroy: no other one follows before that.
const AFTER_FORGOTTEN_MS = 30_000;
// While Redis is away, replacements keep this far apart for each pod that may be down: it is what one takes with a slow start.
const REPLACEMENT_MS = 90_000;
// Without Redis, a pod needs some seconds for its list and its search, and would miss a slot that comes sooner: a Redis that is silent
// costs a second at each question. It then waits for its slot for less than a create may wait (model/deadlines.ts).
const PREPARATION_MS = 10_000;
const NEAR_ALONE_MS = 10_000;

export interface PodTurnsParts {
  clock: Clock;
  pacing: Pick<FleetPacing, "tryStore" | "isAlone">;
  place: Place;
  /** That of its destroys, as in the wait for the DELETE itself: there it keeps it. An ordered end changes its class. */
  destroyPlace: Place;
  /** Numbers this pod among the others. */
  index: number;
  fleet: { size: number };
  maxUnavailable: MaxUnavailable;
  maxUpdating: number | null;
  drainMs: number;
}

export function createPodTurns(parts: PodTurnsParts): PodTurns {
  const { clock, pacing, place, destroyPlace, index, fleet, maxUnavailable, maxUpdating, drainMs } = parts;
  const updateLimit = createUpdateLimit(parts, maxUpdating);
  let answer: { to: Wish["kind"]; turn: PodTurn } | null = null;
  let queued = false;
  let queuedDestroy = false;
  let mayBeDown = true; // a former process may have noted it
  let forgottenAt: number | null = null;
  let down: { until: number; notedAt: number } | null = null;
  let seenAt: number | null = null;
  let far: (FarTurn & { to: Wish["kind"]; class: Place["class"] }) | null = null;

  async function noteSeen(): Promise<void> {
    if (seenAt !== null && clock.monotonic() - seenAt < SEEN_EVERY_MS) return;
    const seen = await pacing.tryStore(({ unavailable }) => unavailable.seen());
    if (seen === null) return;
    if (seen.isNew) forgottenAt = clock.monotonic();
    fleet.size = seen.pods;
    seenAt = clock.monotonic();
  }

  /** Nothing is wanted while an instance is there. A pod between its destroy and its create keeps its place. */
  async function stopWaiting(serves: boolean): Promise<void> {
    place.since = 0;
    far = null;
    if (queued) queued = (await pacing.tryStore(({ turns }) => turns.leave("create").then(() => true))) === null;
    if (!mayBeDown || !serves) return;
    down = null;
    mayBeDown = (await pacing.tryStore(({ unavailable }) => unavailable.comeUp().then(() => true))) === null;
  }

  async function askForDestroy(): Promise<PodTurn> {
    const turn = await pacing.tryStore(({ turns }) => turns.ask("destroy", destroyPlace));
    if (turn === null) return pacing.isAlone() ? { kind: "now" } : { kind: "unknown" };
    queuedDestroy = true;
    const { ahead, waitMs } = turn;
    if (waitMs <= NEAR_DESTROY_MS) return { kind: "now" };
    return { kind: "later", ahead, waitMs, checkMs: Math.min(waitMs / 2, waitMs - NEAR_DESTROY_MS) };
  }

  async function askForEnd(): Promise<Turn | null> {
    destroyPlace.class = 0;
    if (queued) await stopWaiting(false);
    const turn = await pacing.tryStore(({ turns }) => turns.ask("destroy", destroyPlace));
    if (turn === null) return null;
    queuedDestroy = true;
    destroyPlace.since = turn.since;
    return turn;
  }

  /** The instance came back, or is destroyed. */
  async function leaveDestroys(): Promise<void> {
    destroyPlace.since = 0;
    if (queuedDestroy)
      queuedDestroy = (await pacing.tryStore(({ turns }) => turns.leave("destroy").then(() => true))) === null;
  }

  async function noteDown(): Promise<void> {
    if (down === null || clock.monotonic() - down.notedAt < NOTE_DOWN_EVERY_MS) return;
    const { until } = down;
    down.notedAt = clock.monotonic();
    const noted = await pacing.tryStore(({ unavailable }) => unavailable.stayDown(until));
    if (noted?.isNew === true) forgottenAt = clock.monotonic();
  }

  async function askFor(wish: Wish): Promise<PodTurn> {
    if (wish.kind === "destroy") return askForDestroy();
    const replaces = wish.kind === "replacement";
    place.class = replaces || wish.kind === "surge" ? 2 : wish.lost ? 0 : 1;
    const of = { to: wish.kind, class: place.class };
    if (far?.to !== of.to || far.class !== of.class) far = null;
    if (far !== null && clock.monotonic() < far.askAt) return remaining(far, clock.monotonic());
    // What serves is not given up on the guess that those before it do not go.
    const turn = await pacing.tryStore(({ turns }) => turns[replaces ? "estimate" : "ask"]("create", place));
    // With a limit nobody is updated while the pods cannot count each other.
    if (turn === null)
      return pacing.isAlone() && (maxUpdating === null || !isUpdate(wish)) ? withoutStore(wish) : { kind: "unknown" };
    queued = true;
    place.since = turn.since;
    const nearMs = replaces ? drainMs + NEAR_BESIDES_DRAIN_MS : NEAR_MS;
    const { ahead, waitMs } = turn;
    const now = clock.monotonic();
    const kept = (far === null ? null : doubted(far, waitMs, now)) ?? farTurn(turn, nearMs, now);
    far = kept === null ? null : { ...kept, ...of };
    if (far !== null) return remaining(far, now);
    if (waitMs > nearMs) return { kind: "later", ahead, waitMs, checkMs: Math.min(waitMs / 2, waitMs - nearMs) };
    const limited = isUpdate(wish) ? await limitedBy(ahead) : null;
    return limited ?? (replaces ? mayGoDown(ahead) : { kind: "now" });
  }

  async function limitedBy(ahead: number): Promise<PodTurn | null> {
    const asked = await updateLimit.ask();
    if (asked === null) return { kind: "unknown" };
    const { allowed, others, most } = asked;
    return allowed ? null : { kind: "limit", others, most, checkMs: limitCheckMs(ahead), by: "VAST_MAX_UPDATING" };
  }

  async function mayGoDown(ahead: number): Promise<PodTurn> {
    const leftMs = forgottenAt === null ? 0 : Math.max(forgottenAt + AFTER_FORGOTTEN_MS - clock.monotonic(), 0);
    if (leftMs > 0) return { kind: "later", ahead, waitMs: leftMs, checkMs: leftMs };
    const asked = await pacing.tryStore(({ unavailable }) => unavailable.goDown());
    if (asked === null) return { kind: "unknown" };
    const { allowed, others, most, waitMs, until } = asked;
    if (allowed) {
      mayBeDown = true;
      down = { until, notedAt: clock.monotonic() };
      return { kind: "now" };
    }
    if (waitMs > 0) return { kind: "later", ahead, waitMs, checkMs: waitMs };
    return { kind: "limit", others, most, checkMs: limitCheckMs(ahead) };
  }

  /** A replacement begins so long before a slot of the pod's creates that its destroy is over, and its create follows in that slot. */
  function withoutStore({ kind }: Wish): PodTurn {
    const replaces = kind === "replacement";
    const share = "percent" in maxUnavailable ? (fleet.size * maxUnavailable.percent) / 100 : maxUnavailable.number;
    const apartMs = REPLACEMENT_MS / Math.max(Math.floor(share), 1);
    const everyNth = replaces ? Math.max(Math.ceil(apartMs / CREATE_SLOT_MS), 1) : 1;
    const leastMs = PREPARATION_MS + (replaces ? drainMs + PREPARATION_MS : 0);
    const nearMs = leastMs + NEAR_ALONE_MS;
    const waitMs = leastMs + ownSlotWaitMs(index, fleet.size, CREATE_SLOT_MS, clock.now() + leastMs, everyNth);
    if (waitMs <= nearMs) return { kind: "now" };
    const checkMs = Math.min(waitMs / 2, waitMs - nearMs);
    const ahead = Math.floor(waitMs / (CREATE_SLOT_MS * everyNth));
    return { kind: "later", ahead, waitMs, checkMs, guessed: true };
  }

  return {
    async ask(wish, { listed, serves, surging = false }) {
      await noteSeen();
      if (wish === null || !isUpdate(wish)) await updateLimit.note(surging || !serves);
      if (!serves) await noteDown();
      answer = null;
      if (wish?.kind !== "destroy") await leaveDestroys();
      if (wish !== null) answer = { to: wish.kind, turn: await askFor(wish) };
      if (listed && (wish === null || wish.kind === "destroy")) await stopWaiting(serves);
    },
    turnFor: ({ kind }) => (answer?.to === kind ? answer.turn : { kind: "unknown" }),
    async untilCreateIsNext(signal) {
      const waitedMs = stopwatch(clock);
      while (!signal.aborted) {
        const turn = await pacing.tryStore(({ turns }) => turns.peek("create", place));
        if (turn === null || turn.waitMs <= NEXT_MS) return true;
        if (turn.waitMs > CREATE_WAIT_MS - waitedMs()) return false;
        await clock.sleep(turn.ahead === 0 ? turn.waitMs - NEXT_MS : turn.waitMs / 2, signal);
      }
      return false;
    },
    leaveCreates: () => stopWaiting(false),
    async queueEnd() {
      await askForEnd();
    },
    async untilEndIsNear(signal) {
      const turn = await askForEnd();
      if (turn === null || turn.waitMs <= NEAR_DESTROY_MS) return 0;
      await clock.sleep(Math.min(turn.waitMs / 2, turn.waitMs - NEAR_DESTROY_MS, MOST_SLEEP_MS), signal);
      return turn.ahead;
    },
    leaveEnds: leaveDestroys,
  };
}

/** Of what serves: a surge, or what gives it up for an update or for the end of its contract. */
const isUpdate = ({ kind }: Wish) => kind === "surge" || kind === "replacement";

const limitCheckMs = (ahead: number) => Math.min((ahead + 1) * LIMIT_CHECK_MS, MOST_LIMIT_CHECK_MS);

/** Without a fleet each pod creates when it wants to. */
export const noPodTurns: PodTurns = {
  ask: async () => undefined,
  turnFor: () => ({ kind: "now" }),
  untilCreateIsNext: async () => true,
  leaveCreates: async () => undefined,
  queueEnd: async () => undefined,
  untilEndIsNear: async () => 0,
  leaveEnds: async () => undefined,
};
