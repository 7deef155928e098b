// One process of a pod's provisioner: it runs, is paused, ends on SIGTERM, or is killed, after which it has no effect any more. Touches
// only what it is given.
import type { Clock } from "../../common/clock.ts";
import type { VirtualTime } from "./virtual-time.ts";

/**
 * Where in its work a process can be killed. Each point is reached many times in a run, unlike an instant chosen by the clock.
 * `create-over` is when the next call is sent: by then the answer of a create has been saved everywhere.
 */
export const KILL_POINTS = [
  "create-sent",
  "create-made",
  "create-over",
  "destroy-sent",
  "destroy-done",
  "update-sent",
  "update-done",
  "state-before",
  "state-after",
  "upstream-after",
] as const;
export type KillPoint = (typeof KILL_POINTS)[number];

export interface Process {
  alive(): boolean;
  /** Its clock. Sleeps of a dead process never end. */
  readonly clock: Clock;
  /** SIGTERM aborts it. */
  readonly stop: AbortController;
  /** SIGSTOP, or a node that is suspended. The returned function continues it: then it learns everything that it has missed, in order. */
  freeze(): () => void;
  /** Runs `step` when the process next runs: now, or when it continues. A dead process never does. */
  whenRunning(step: () => void): void;
  /** SIGKILL. Calls `died`, once. */
  kill(): void;
  /** Kills it when it next reaches `point`. */
  killAtPoint(point: KillPoint): void;
  /** Called when it reaches `point`; returns whether it is still alive. */
  passes(point: KillPoint): boolean;
}

// What sleeps until the signal is aborted: one listener for all of it, since to add and remove one takes longer than the rest of a sleep.
const sleepers = new WeakMap<AbortSignal, Set<() => void>>();

function sleepersOf(signal: AbortSignal): Set<() => void> {
  const known = sleepers.get(signal);
  if (known !== undefined) return known;
  const waiting = new Set<() => void>();
  sleepers.set(signal, waiting);
  const wakeAll = () => {
    for (const wake of waiting) wake();
  };
  signal.addEventListener("abort", wakeAll, { once: true });
  return waiting;
}

/** A new process. `died` is called when it is killed, wherever that happens. */
export function newProcess(time: VirtualTime, died: () => void, clockOffsetMs = 0): Process {
  let alive = true;
  let killPoint: KillPoint | null = null;
  let freezes = 0;
  let missed: (() => void)[] = [];
  const process: Process = {
    alive: () => alive,
    stop: new AbortController(),
    clock: {
      now: () => time.now() + clockOffsetMs,
      monotonic: () => time.now(),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (!alive) return;
          if (signal?.aborted) return resolve();
          const wake = () => {
            takeBack();
            if (waiting !== null) waiting.delete(wake);
            if (alive) resolve();
          };
          const takeBack = time.after(ms, () => process.whenRunning(wake));
          const waiting = signal === undefined ? null : sleepersOf(signal).add(wake);
        }),
    },
    freeze() {
      freezes += 1;
      let frozen = true;
      return () => {
        if (!frozen) return;
        frozen = false;
        freezes -= 1;
        if (freezes > 0) return;
        const steps = missed;
        missed = [];
        // One after another, as timers and sockets are handled: what follows from one step happens before the next.
        for (const step of steps) time.after(0, step);
      };
    },
    whenRunning(step) {
      if (freezes > 0) missed.push(step);
      else step();
    },
    kill() {
      if (!alive) return;
      alive = false;
      died();
    },
    killAtPoint(point) {
      killPoint = point;
    },
    passes(point) {
      if (killPoint === point) process.kill();
      return alive;
    },
  };
  return process;
}

/** A promise that never settles: what a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
