// Keeps one program of the local stack running, as Kubernetes keeps a container: restarts it when it exits, and prints that.
// Touches only the program that it starts.
import type { Clock } from "../../common/clock.ts";
import type { Child, Exit } from "../sandbox/child.ts";

export interface ServiceOptions {
  name: string;
  /** Starts the program; called again each time it has exited. */
  start(): Promise<Child>;
  /** The lines that the program wrote; the last ones are printed when it exits. */
  lastLines(child: Child): readonly string[];
  /** Prints what happened: a word, and a text of one or more lines. */
  print(word: string, text: string): void;
  clock: Clock;
}

export interface Service {
  /** The current process, or null between two starts. */
  child(): Child | null;
  /** Stops it for good. Resolves with the last process' exit when its whole group has exited. */
  stop(): Promise<Exit | null>;
}

// Exponential backoff as in the kubelet: the pause doubles from one second while the program keeps exiting, and is reset
// after a stable run. The maximum is short because somebody waits at the screen (the kubelet's is five minutes).
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 15_000;
const STABLE_AFTER_MS = 10_000;
// Enough to show the error and what led to it.
const LAST_LINES = 5;

/** Starts the program and keeps it running until `stop`. A start that throws counts as an exit. */
export function keepRunning(options: ServiceOptions): Service {
  const { name, clock, print } = options;
  const stopped = new AbortController();
  let child: Child | null = null;
  let last: Exit | null = null;
  let starts = 0;
  const run = async () => {
    for (let pause = FIRST_PAUSE_MS; !stopped.signal.aborted; ) {
      const startedAt = clock.now();
      const why = await runOnce();
      if (stopped.signal.aborted) return;
      if (clock.now() - startedAt >= STABLE_AFTER_MS) pause = FIRST_PAUSE_MS;
      print("restarting", `${name} in ${pause / 1000} s: ${why}`);
      await clock.sleep(pause, stopped.signal);
      pause = Math.min(pause * 2, MAX_PAUSE_MS);
    }
  };
  /** Runs the program once and returns why it is not running any more. */
  const runOnce = async (): Promise<string> => {
    try {
      const started = await options.start();
      child = started;
      if (starts++ > 0) print("restarted", `${name} has process id ${started.pid} now`);
      if (!stopped.signal.aborted) await started.exited;
      last = await started.stop(); // also waits for its children, which may hold its ports
      const lines = options.lastLines(started).slice(-LAST_LINES);
      return [`it exited (${describeExit(last)})`, ...lines.map((line) => `| ${line}`)].join("\n");
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      child = null;
    }
  };
  const running = run();
  return {
    child: () => child,
    stop: async () => {
      stopped.abort();
      await child?.stop();
      await running;
      return last;
    },
  };
}

/** How a process ended, in words. */
export function describeExit(exit: Exit): string {
  return exit.signal === null ? `exit code ${exit.code}` : exit.signal;
}
