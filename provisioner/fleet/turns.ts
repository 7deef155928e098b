// Turns in Redis: the pods that share a limit of the API call one after another. Touches Redis through the commands that it is given.
import * as z from "zod";
import type { ScriptRunner } from "../redis/commands.ts";
import { INTERVALS_MS } from "../vast/pacing.ts";
import { gateKeys } from "./gate-keys.ts";
import { LEAVE, LEFT, OPEN, PENALTY, TURN } from "./turn-scripts.ts";

// Two calls take different times to reach the API. A gate whose calls are refused all the same takes twice as much, up to MOST_MARGIN_MS.
const MARGIN_MS = 150;
const MOST_MARGIN_MS = 600;
// A member that has not asked for so long has ended or wants nothing any more. Members ask each 10 s at the latest, and a create in
// between searches for some seconds.
const BEAT_TTL_MS = 30_000;
// A member that only asks, and whose turn is farther away than this, asks less often (far-turn.ts): it counts for three times as long.
const FAR_MS = 60_000;
// What a member that does not go costs the ones behind it: more than the time between two looks at an open gate.
const DELAY_PER_RANK_MS = 300;
// A member that only asks has its list and its search before it. The first ones take their turns after some seconds: with a shorter delay,
// many of those behind them would begin as well, and reserve the offers that are found.
const PREPARATION_PER_RANK_MS = 2000;
// All that a cold start and a replacement need. The names of the gates in one group have one hash tag (gate-keys.ts).
const FIRST_ENDPOINTS = [["user", "list", "template", "create", "destroy"], ["search"]];
// How long an interval from a 429 is kept: the vendor changes the intervals from time to time, in both directions.
const LEARNED_TTL_MS = 600_000;

/** A place in a queue. `since`: when the member first wanted a turn, by Redis' clock; 0 for now. A lower class goes first. */
export interface Place {
  class: 0 | 1 | 2;
  since: number;
}

export interface Turn {
  /** 0: the turn was taken, or could be. */
  waitMs: number;
  /** How many are to go before. */
  ahead: number;
  since: number;
}

export interface TurnStore {
  /** Queues, or keeps its place, and takes the turn if it has come. Rejects when Redis does not answer. */
  take(endpoint: string, place: Place): Promise<Turn>;
  /** Queues, or keeps its place, without taking the turn. */
  ask(endpoint: string, place: Place): Promise<Turn>;
  /** The same, and answers how long it takes if all before it go, although they may be late. */
  estimate(endpoint: string, place: Place): Promise<Turn>;
  /** What `take` would answer, without taking the turn. */
  peek(endpoint: string, place: Place): Promise<Turn>;
  /** A call that took its turn leaves now: the gate counts from this. */
  left(endpoint: string): Promise<void>;
  leave(endpoint: string): Promise<void>;
  /** After a 429: no pod calls this endpoint for `waitMs`. `thresholdMs`: the interval that the API names. */
  penalize(endpoint: string, waitMs: number, thresholdMs: number | null): Promise<void>;
}

export interface TurnStoreParts {
  redis: ScriptRunner;
  /** The limits count per key and address. */
  apiKey: () => string;
  /** The group of pods that call the API from one address. */
  egress: string;
  /** Names this pod in the queues. */
  member: string;
}

const answer = z.tuple([z.number(), z.number(), z.number(), z.number()]);
// As in the script.
const MODES = { ask: 0, peek: 0, take: 1, estimate: 2 } as const;

const intervalOf = (endpoint: string) => INTERVALS_MS[endpoint] ?? 1000;

export function createTurnStore({ redis, apiKey, egress, member }: TurnStoreParts): TurnStore {
  const keysOf = (endpoint: string) => gateKeys(endpoint, apiKey(), egress);
  const turnOf = async (endpoint: string, place: Place, mode: keyof typeof MODES) => {
    const { gate, queue, beats } = keysOf(endpoint);
    const lateMs = mode === "take" || mode === "peek" ? DELAY_PER_RANK_MS : PREPARATION_PER_RANK_MS;
    const times = [intervalOf(endpoint), MARGIN_MS, BEAT_TTL_MS, lateMs];
    const args = [member, place.class, place.since, ...times, MODES[mode], FAR_MS];
    const [waitMs, ahead, since, isNew] = answer.parse(await redis.evaluate(TURN, [gate, queue, beats], args));
    return { waitMs, ahead, since, isNew };
  };
  const openGates = async () => {
    const open = (endpoints: readonly string[]) => {
      const gates = endpoints.map((endpoint) => keysOf(endpoint).gate);
      return redis.evaluate(
        OPEN,
        gates,
        endpoints.map((endpoint) => intervalOf(endpoint) + MARGIN_MS),
      );
    };
    await Promise.all(FIRST_ENDPOINTS.map(open));
  };
  const turn = async (endpoint: string, place: Place, mode: keyof typeof MODES): Promise<Turn> => {
    const { isNew, ...answered } = await turnOf(endpoint, place, mode);
    // Nobody has called before, or Redis was flushed: the other gates are needed soon, and would each begin closed only then.
    if (isNew === 1) await openGates();
    return answered;
  };
  return {
    async left(endpoint) {
      await redis.evaluate(LEFT, [keysOf(endpoint).gate], [intervalOf(endpoint), MARGIN_MS]);
    },
    async leave(endpoint) {
      const { queue, beats } = keysOf(endpoint);
      await redis.evaluate(LEAVE, [queue, beats], [member]);
    },
    take: (endpoint, place) => turn(endpoint, place, "take"),
    ask: (endpoint, place) => turn(endpoint, place, "ask"),
    estimate: (endpoint, place) => turn(endpoint, place, "estimate"),
    peek: (endpoint, place) => turn(endpoint, place, "peek"),
    async penalize(endpoint, waitMs, thresholdMs) {
      const args = [Math.ceil(waitMs), thresholdMs ?? 0, LEARNED_TTL_MS, MARGIN_MS, MOST_MARGIN_MS];
      await redis.evaluate(PENALTY, [keysOf(endpoint).gate], args);
    },
  };
}
