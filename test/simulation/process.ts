// One life of a pod's provisioner: started, ended by SIGTERM, or killed so that nothing of it ever takes effect again. Touches
// nothing but what it is handed.
import type { Clock } from "../../common/clock.ts";
import type { VirtualTime } from "./virtual-time.ts";

/**
 * Where in its work a process can be killed. Each is reached many times in a run, unlike a moment chosen by the clock.
 * `create-over` is when the next call leaves it: what a create answered is noted by then, wherever it must be.
 */
export const KILL_POINTS = [
  "create-sent",
  "create-made",
  "create-over",
  "destroy-sent",
  "destroy-done",
  "state-before",
  "state-after",
  "upstream-after",
] as const;
export type KillPoint = (typeof KILL_POINTS)[number];

export interface Process {
  alive(): boolean;
  /** Its time: sleeps of a dead process never end. */
  readonly clock: Clock;
  /** What SIGTERM aborts. */
  readonly stop: AbortController;
  /** Kill -9. `dead` is told once. */
  kill(): void;
  /** Kills it when it next comes to `point`. */
  killAtPoint(point: KillPoint): void;
  /** Tells that it has come to `point`; answers whether it is still alive. */
  passes(point: KillPoint): boolean;
}

/** A process that has just begun. `died` is called when it is killed, wherever that happens. */
export function newProcess(time: VirtualTime, died: () => void, clockOffsetMs = 0): Process {
  let alive = true;
  let killPoint: KillPoint | null = null;
  const process: Process = {
    alive: () => alive,
    stop: new AbortController(),
    clock: {
      now: () => time.now() + clockOffsetMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (!alive) return;
          if (signal?.aborted) return resolve();
          const wake = () => {
            takeBack();
            signal?.removeEventListener("abort", wake);
            if (alive) resolve();
          };
          const takeBack = time.after(ms, wake);
          signal?.addEventListener("abort", wake, { once: true });
        }),
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

/** What a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
