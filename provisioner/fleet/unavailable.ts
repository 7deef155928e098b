// How many pods there are, and how many of them may be without an instance at once because theirs is replaced, or may be updated at once.
// Touches Redis through the commands that it is given.
import * as z from "zod";
import type { ScriptRunner } from "../redis/commands.ts";
import { podKeys } from "./gate-keys.ts";
import { COME_UP, GO_DOWN, SEEN, STAY_DOWN } from "./turn-scripts.ts";

// A pod is seen each minute. One that was not seen for so long has ended.
const SEEN_TTL_MS = 180_000;
// A replacement takes some minutes. One whose pod waits for longer than this blocks the others no more, and neither does one whose pod has
// ended.
const DOWN_TTL_MS = 900_000;
// A surge has an end of its own, and a pod that serves notes the end of its update: this is for one that has lost its state.
const UPDATING_TTL_MS = 3_600_000;

/** The most pods that may be down for a replacement: a percentage of all, or a number. At least one always may. */
export type MaxUnavailable = { percent: number } | { number: number };

export interface Unavailable {
  /** Notes that this pod runs, and answers how many there are. `isNew`: Redis did not know this one. */
  seen(): Promise<{ pods: number; isNew: boolean }>;
  /**
   * Asks whether this pod may stop serving for its replacement, and notes that it does. `waitMs`: the one before it has just done so, or
   * Redis has forgotten everything. `until`: when it does not count any more, by Redis' clock.
   */
  goDown(): Promise<{ allowed: boolean; others: number; most: number; waitMs: number; until: number }>;
  /**
   * This pod, which went down `until` then, does not serve yet: notes it where Redis has forgotten it, and that it was seen. `isNew`: Redis
   * did not know this pod.
   */
  stayDown(until: number): Promise<{ isNew: boolean }>;
  /** This pod serves again. */
  comeUp(): Promise<void>;
}

export interface UnavailableParts {
  redis: ScriptRunner;
  apiKey: () => string;
  member: string;
  maxUnavailable: MaxUnavailable;
  /** No two pods stop serving within this time: they would wait for each other's create. */
  apartMs: number;
}

const seenAnswer = z.tuple([z.number(), z.number()]);
const downAnswer = z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]);

export function createUnavailable(parts: UnavailableParts): Unavailable {
  return createLimit(parts, ({ down, pods }) => ({ down, pods }), DOWN_TTL_MS);
}

/** The same for the pods that are updated, most of which may serve meanwhile: `goDown` begins an update, `comeUp` ends it. */
export function createUpdating(
  parts: Omit<UnavailableParts, "maxUnavailable" | "apartMs"> & { most: number },
): Unavailable {
  const limit = { ...parts, maxUnavailable: { number: parts.most }, apartMs: 0 };
  return createLimit(limit, ({ updating, pods }) => ({ down: updating, pods }), UPDATING_TTL_MS);
}

function createLimit(
  { redis, apiKey, member, maxUnavailable, apartMs }: UnavailableParts,
  keysOf: (all: ReturnType<typeof podKeys>) => { down: string; pods: string },
  ttlMs: number,
): Unavailable {
  const keys = () => keysOf(podKeys(apiKey()));
  const limit = "percent" in maxUnavailable ? [maxUnavailable.percent, 0] : [0, maxUnavailable.number];
  return {
    async seen() {
      const [pods, isNew] = seenAnswer.parse(await redis.evaluate(SEEN, [keys().pods], [member, SEEN_TTL_MS]));
      return { pods, isNew: isNew === 1 };
    },
    async goDown() {
      const { down, pods } = keys();
      const answer = await redis.evaluate(GO_DOWN, [down, pods], [member, ttlMs, ...limit, apartMs]);
      const [allowed, others, most, waitMs, until] = downAnswer.parse(answer);
      return { allowed: allowed === 1, others, most, waitMs, until };
    },
    async stayDown(until) {
      const { down, pods } = keys();
      return { isNew: (await redis.evaluate(STAY_DOWN, [down, pods], [member, until, SEEN_TTL_MS])) === 1 };
    },
    async comeUp() {
      await redis.evaluate(COME_UP, [keys().down], [member]);
    },
  };
}
