// Time that passes only when nothing else can happen: all programs of a run share it. Touches nothing but the event loop.
import { nextTick } from "node:process";
import { createAgenda } from "../emulator/agenda.ts";

/** Something beside the timers that has events of its own. Instants are epoch ms. */
export interface Outside {
  nextAt(): number | null;
  /** Lets everything happen that is due at `now()`. */
  happen(): void;
}

export interface VirtualTime {
  /** Epoch ms, always a whole number as on a real machine. */
  now(): number;
  /** Has `run` called `ms` from now; the answered function takes that back. Timers of one instant run in order of adding. */
  after(ms: number, run: () => void): () => void;
  /** Lets time pass up to `end`. Programs come to rest between any two events. */
  runUntil(end: number, outside: Outside): Promise<void>;
  /** Resolves when every program waits for time to pass. */
  rest(): Promise<void>;
}

// After this many rests the event loop itself gets a turn: the garbage collector's clean-up and a test runner wait for it.
const RESTS_PER_TURN = 2000;

/**
 * Programs may wait for nothing but this time: what they do between two events are promises alone. Node runs the next tick
 * when no promise is left to go on with, which costs a tenth of a turn of the event loop. Another tick is waited for
 * whenever timers were added before the last.
 */
export function virtualTime(start: number): VirtualTime {
  const agenda = createAgenda();
  let now = start;
  let added = 0;
  let rests = 0;

  async function rest(): Promise<void> {
    rests += 1;
    let before: number;
    do {
      before = added;
      await new Promise<void>(rests % RESTS_PER_TURN === 0 ? (resolve) => setImmediate(resolve) : nextTick);
    } while (added !== before);
  }

  return {
    now: () => now,
    rest,
    after(ms, run) {
      let wanted = true;
      added += 1;
      agenda.add(Math.ceil(now + Math.max(0, ms)), () => {
        if (wanted) run();
      });
      return () => {
        wanted = false;
      };
    },
    async runUntil(end, outside) {
      await rest();
      for (;;) {
        const timer = agenda.nextAt();
        const other = outside.nextAt();
        const next = Math.min(timer ?? Number.POSITIVE_INFINITY, other === null ? Number.POSITIVE_INFINITY : other);
        if (next > end) break;
        now = Math.max(now, Math.ceil(next));
        if (other !== null && other <= now) outside.happen();
        const due = agenda.takeDue(now);
        if (due === null) continue;
        due.run();
        await rest();
      }
      now = Math.max(now, end);
    },
  };
}
