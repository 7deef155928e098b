// Paces the calls of a pod together with those of the other pods that share its limits: each call waits for its turn in Redis. While Redis
// is away the pod paces its calls alone. Touches the clock, and Redis through the turns.
import { type Clock, stopwatch } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { DEFAULT_REFUSAL_WAIT_MS, INTERVALS_MS, type Pacing, PENALTY_MS, type Precedence } from "../vast/pacing.ts";
import { READ_WAIT_MS } from "../vast/transport.ts";
import { ownSlotWaitMs } from "./own-slot.ts";
import type { Place, Turn, TurnStore } from "./turns.ts";
import type { Unavailable } from "./unavailable.ts";

// A pod without an answer of Redis for so long calls without its turns: by then the ones that had the last turns are through.
const AWAY_MS = 10_000;
const RETRY_MS = 1000;
// How long before its turn a call that changes something opens its connection: a handshake with the API takes less.
const CONNECT_MS = 500;
// A turn that was taken so long ago is not used: the process was paused, and another pod may have the next one.
const TURN_HOLDS_MS = 1000;
// The members of a queue look again at half of the estimate, but not more often than this and not less often than that.
const LEAST_SLEEP_MS = 50;
export const MOST_SLEEP_MS = 10_000;
// How long a read waits for its turn. A create follows from a search, and there are ten searches a minute for all pods.
const READ_TURN_MS: Readonly<Record<string, number>> = { search: 30_000 };
const CHANGES = new Set([
  "create",
  "destroy",
  "update_template",
  "recycle",
  "manage",
  "template_write",
  "accept_price",
  "bid_price",
]);
const CLASSES: Readonly<Record<Precedence, Place["class"]>> = { for_all: 0, needed: 1, soon_again: 2 };
// A place that was not asked for this long is given up: a read that comes again later queues like any other.
const PLACE_TTL_MS = 60_000;
// What one create takes while each pod keeps to its own slot: the documented interval, and clocks that differ.
export const CREATE_SLOT_MS = 4650;

/** What the pods of a fleet tell each other in Redis. */
export interface FleetStore {
  turns: TurnStore;
  unavailable: Unavailable;
  /** Null: any number of pods may be updated at once. */
  updating: Unavailable | null;
}

export interface FleetPacingParts {
  clock: Clock;
  log: Logger;
  /** Paces the calls of this pod alone, and holds them up after failures. */
  local: Pacing;
  /** Null until Redis is connected. */
  store: () => FleetStore | null;
  /** The pod's place in the queue of the creates. */
  createPlace: Readonly<Place>;
  /** That of its destroys: an ordered end, which has only so much time, goes before all others and keeps its `since`. */
  destroyPlace: Readonly<Place>;
  /** Numbers this pod among the others, for the time without Redis. */
  index: number;
  /** How many pods there were last. */
  fleet: Readonly<{ size: number }>;
}

export interface FleetPacing extends Pacing {
  /** Asks Redis; null when it does not answer. */
  tryStore<T>(call: (store: FleetStore) => Promise<T>): Promise<T | null>;
  /** True when Redis has not answered for so long that the pod paces its calls alone. */
  isAlone(): boolean;
}

export function createFleetPacing(parts: FleetPacingParts): FleetPacing {
  const { clock, log, local, createPlace, destroyPlace, index, fleet } = parts;
  const places = new Map<string, { since: number; askedAt: number }>();
  const ownSlots = new Set<string>(); // the endpoints whose last call did not wait for Redis
  const turnAges = new Map<string, () => number>();
  let awaySince: number | null = null;

  async function tryStore<T>(call: (store: FleetStore) => Promise<T>): Promise<T | null> {
    const store = parts.store();
    if (store === null) return null;
    const startedAt = clock.monotonic();
    try {
      const result = await call(store);
      awaySince = null;
      return result;
    } catch (error) {
      // The connection logs an outage once.
      log.debug({ event: "redis", err: error }, "Redis did not answer about turns: it is asked again");
      awaySince ??= startedAt;
      return null;
    }
  }

  const isAlone = () => parts.store() === null || (awaySince !== null && clock.monotonic() - awaySince >= AWAY_MS);

  function placeIn(endpoint: string, precedence: Precedence): Place {
    if (endpoint === "create") return createPlace;
    const kept = places.get(endpoint);
    const since = kept !== undefined && clock.monotonic() - kept.askedAt < PLACE_TTL_MS ? kept.since : 0;
    if (endpoint === "destroy") return { class: destroyPlace.class, since: destroyPlace.since || since };
    return { class: CLASSES[precedence], since };
  }

  /** Waits for the own slot of a create; other calls follow the local pacing alone. */
  async function goAlone(endpoint: string, signal?: AbortSignal): Promise<void> {
    if (endpoint !== "create") return;
    const waitMs = ownSlotWaitMs(index, fleet.size, CREATE_SLOT_MS, clock.now());
    if (waitMs > 0) await clock.sleep(waitMs, signal);
  }

  /** Waits until the turn is taken, or until it is only `nearMs` away. */
  async function waitForTurn(
    endpoint: string,
    precedence: Precedence,
    nearMs: number,
    signal?: AbortSignal,
  ): Promise<number> {
    const startedAt = clock.monotonic();
    const mostMs = CHANGES.has(endpoint) ? Number.POSITIVE_INFINITY : (READ_TURN_MS[endpoint] ?? READ_WAIT_MS);
    ownSlots.delete(endpoint);
    while (!signal?.aborted) {
      const [alone, age] = [isAlone(), stopwatch(clock)];
      const turn = await (nearMs > 0 ? look(endpoint, precedence) : take(endpoint, precedence));
      if (turn === null && alone) {
        ownSlots.add(endpoint);
        await goAlone(endpoint, signal);
        return 0;
      }
      if (turn !== null && turn.waitMs <= nearMs && age() < TURN_HOLDS_MS) {
        turnAges.set(endpoint, age);
        return 0;
      }
      const leftMs = startedAt + mostMs - clock.monotonic();
      if (turn !== null && turn.waitMs > leftMs) return turn.waitMs;
      await clock.sleep(turn === null ? RETRY_MS : sleepMs(turn, nearMs), signal);
    }
    return 0;
  }

  async function take(endpoint: string, precedence: Precedence): Promise<Turn | null> {
    const turn = await tryStore(({ turns }) => turns.take(endpoint, placeIn(endpoint, precedence)));
    if (turn?.waitMs === 0) places.delete(endpoint);
    else keepPlace(endpoint, turn);
    return turn;
  }

  async function look(endpoint: string, precedence: Precedence): Promise<Turn | null> {
    const turn = await tryStore(({ turns }) => turns.peek(endpoint, placeIn(endpoint, precedence)));
    keepPlace(endpoint, turn);
    return turn;
  }

  function keepPlace(endpoint: string, turn: Turn | null): void {
    if (turn !== null) places.set(endpoint, { since: turn.since, askedAt: clock.monotonic() });
  }

  return {
    tryStore,
    isAlone,
    availableAt: local.availableAt,
    blockUntil: local.blockUntil,
    succeeded: local.succeeded,
    async acquire(endpoint, signal, precedence = "needed") {
      await local.acquire(endpoint, signal);
      return waitForTurn(endpoint, precedence, CHANGES.has(endpoint) ? CONNECT_MS : 0, signal);
    },
    async takeTurn(endpoint, signal) {
      if (!ownSlots.has(endpoint)) await waitForTurn(endpoint, "needed", 0, signal);
    },
    left(endpoint) {
      local.left(endpoint);
      const afterTurnMs = ownSlots.has(endpoint) ? null : Math.round(turnAges.get(endpoint)?.() ?? 0);
      log.debug({ event: "turn", endpoint, afterTurnMs }, `the ${endpoint} leaves`);
      void tryStore(({ turns }) => turns.left(endpoint).then(() => true));
    },
    failed(endpoint, error) {
      if (error.kind !== "rate_limited" || isAlone()) return local.failed(endpoint, error);
      const waitMs = Math.max(error.retryAfterMs ?? DEFAULT_REFUSAL_WAIT_MS, PENALTY_MS[endpoint] ?? 0);
      const { thresholdMs } = error;
      const longer = thresholdMs !== null && thresholdMs > (INTERVALS_MS[endpoint] ?? 1000) ? thresholdMs : null;
      const told = tryStore(async ({ turns }) => {
        await turns.penalize(endpoint, waitMs, longer);
        return true;
      });
      void told.then((done) => done ?? local.failed(endpoint, error));
    },
  };
}

/** The one whose turn is next wakes when it comes, or is near; the others look again at half of the estimate. */
function sleepMs({ waitMs, ahead }: Turn, nearMs: number): number {
  const ms = ahead === 0 ? waitMs - nearMs : Math.max(waitMs / 2, LEAST_SLEEP_MS);
  return Math.min(Math.max(ms, 1), MOST_SLEEP_MS);
}
