// Virtual time that all programs of a run share: it passes only when nothing else can happen. Touches only the event loop.
import { nextTick } from "node:process";
import { createAgenda } from "../emulator/agenda.ts";

/** A source of events besides the timers. Instants are epoch ms. */
export interface Outside {
  nextAt(): number | null;
  /** Runs everything that is due at `now()`. */
  happen(): void;
}

export interface VirtualTime {
  /** Epoch ms, always a whole number, as on a real machine. */
  now(): number;
  /** Calls `run` in `ms`; the returned function cancels that. Timers of one instant run in order of adding. */
  after(ms: number, run: () => void): () => void;
  /** Lets time pass until `end`, or until `over`. Between any two events all programs run until they wait. */
  runUntil(end: number, outside: Outside, over?: () => boolean): Promise<void>;
  /** Resolves when every program waits for time to pass. */
  rest(): Promise<void>;
}

// After this many rests the event loop gets a turn: finalizers of the garbage collector and the test runner need it.
const RESTS_PER_TURN = 2000;

/**
 * Programs may wait for this time only: between two events they use nothing but promises. Node runs the next tick when no promise
 * can continue, which costs a tenth of a turn of the event loop.
 */
export function virtualTime(start: number): VirtualTime {
  const agenda = createAgenda();
  let now = start;
  let ran = false;
  let rests = 0;

  async function rest(): Promise<void> {
    rests += 1;
    await new Promise<void>(rests % RESTS_PER_TURN === 0 ? (resolve) => setImmediate(resolve) : nextTick);
  }

  return {
    now: () => now,
    rest,
    after(ms, run) {
      let wanted = true;
      agenda.add(Math.ceil(now + Math.max(0, ms)), () => {
        if (!wanted) return;
        ran = true;
        run();
      });
      return () => {
        wanted = false;
      };
    },
    async runUntil(end, outside, over = () => false) {
      await rest();
      while (!over()) {
        const timer = agenda.nextAt();
        const other = outside.nextAt();
        const next = Math.min(timer ?? Number.POSITIVE_INFINITY, other === null ? Number.POSITIVE_INFINITY : other);
        if (next > end) break;
        now = Math.max(now, Math.ceil(next));
        if (other !== null && other <= now) outside.happen();
        const due = agenda.takeDue(now);
        if (due === null) continue;
        ran = false;
        due.run();
        if (ran) await rest(); // most deadlines have been cancelled when their time comes
      }
      if (!over()) now = Math.max(now, end);
    },
  };
}
