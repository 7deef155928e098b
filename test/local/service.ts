// Keeps one program of the local stack running, as Kubernetes keeps a container: what dies is started again, and said.
// Touches the program that it starts.
import type { Clock } from "../../common/clock.ts";
import type { Child, Exit } from "../sandbox/child.ts";

export interface ServiceOptions {
  name: string;
  /** Starts the program; asked again each time it has died. */
  start(): Promise<Child>;
  /** The lines that the program wrote, of which a person gets to see the last ones. */
  lastLines(child: Child): readonly string[];
  /** Tells a person what happened: a word, and a text of one or more lines. */
  print(word: string, text: string): void;
  clock: Clock;
}

export interface Service {
  /** The process of the moment, or null between two. */
  child(): Child | null;
  /** Ends it for good. Resolves with the exit of the last process when all of its group are gone. */
  stop(): Promise<Exit | null>;
}

// As the kubelet: a pause that doubles from one second while the program keeps dying, and is forgotten when it has lived
// for a while. The ceiling is for a person who waits in front of a screen (the kubelet's is five minutes).
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 15_000;
const STABLE_AFTER_MS = 10_000;
// Enough to see the error and what led to it.
const LAST_LINES = 5;

/** Starts the program and keeps it running until `stop`. A start that throws counts as a death. */
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
  /** One life: answers why it is over. */
  const runOnce = async (): Promise<string> => {
    try {
      const started = await options.start();
      child = started;
      if (starts++ > 0) print("restarted", `${name} is process ${started.pid} now`);
      if (!stopped.signal.aborted) await started.exited;
      last = await started.stop(); // also waits until its children are gone: they hold its ports
      const lines = options.lastLines(started).slice(-LAST_LINES);
      return [`it ended (${describeExit(last)})`, ...lines.map((line) => `| ${line}`)].join("\n");
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

/** How a process ended, for a person. */
export function describeExit(exit: Exit): string {
  return exit.signal === null ? `exit code ${exit.code}` : exit.signal;
}
