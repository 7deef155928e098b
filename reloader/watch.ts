// Says when to look at the upstream file. Events only wake: what counts is the content. Touches the folder, watching.
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type ChokidarOptions, watch as chokidarWatch, type FSWatcher } from "chokidar";
import { type Clock, elapsedMs } from "../common/clock.ts";

// chokidar 5 drops every change of a file within 50 ms of one it has reported. A look 100 ms after the last event it
// did report saw the final content in every one of 24 bursts, a look at 30 ms in none.
const DEBOUNCE_MS = 100;
// Under events that never pause the quiet never comes: look all the same, but no more often, as a look may end in a reload.
const MAX_WAIT_MS = 1_000;

/**
 * Calls `look` at the first event of a burst at once, again when the burst is over, and once a second while it is not.
 * A burst is over when no event came for 100 ms.
 */
export function debounce(look: () => void, clock: Clock, signal: AbortSignal): () => void {
  let last = 0;
  let running = false;
  const trail = async () => {
    let looked = last;
    for (;;) {
      const before = clock.now();
      const left = Math.min(DEBOUNCE_MS - elapsedMs(last, before), MAX_WAIT_MS - elapsedMs(looked, before));
      await clock.sleep(left, signal);
      if (signal.aborted) return;
      const now = clock.now();
      const isOver = elapsedMs(last, now) >= DEBOUNCE_MS;
      if (!isOver && elapsedMs(looked, now) < MAX_WAIT_MS) continue;
      running = !isOver;
      look();
      if (isOver) return;
      looked = now;
    }
  };
  return () => {
    last = clock.now();
    if (running || signal.aborted) return;
    running = true;
    look();
    void trail();
  };
}

/** A bell: `ring` ends the present or the next `wait`. */
export class WakeSignal {
  #rung = false;
  #waiter: AbortController | null = null;

  notify(): void {
    this.#rung = true;
    this.#waiter?.abort();
  }

  /** Resolves when it was rung since the last call, or after `ms`. */
  async wait(ms: number, clock: Clock): Promise<void> {
    if (!this.#rung) {
      this.#waiter = new AbortController();
      await clock.sleep(ms, this.#waiter.signal);
      this.#waiter = null;
    }
    this.#rung = false;
  }
}

export interface Watcher {
  /** Watches anew when the folder is another one than before (a volume mounted later). Call it now and then. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export interface Watch {
  /** The file. Its folder is watched, since the file is replaced at each change. */
  path: string;
  /** Also hears when watching has begun, as what changed before went unseen. */
  onEvent(): void;
  /** Hears why the system will not watch, once for each reason; looking now and then goes on. */
  onError(why: string): void;
  clock: Clock;
  /** chokidar's, but in tests. */
  watch?: (folder: string, options: ChokidarOptions) => FSWatcher;
}

// All containers of one user on a node share few watches (fs.inotify.max_user_instances is 128): others may end.
const TRY_AGAIN_MS = 60_000;

/** Begins to watch at the first `refresh`. */
export function watchFolder({ path, onEvent, onError, clock, watch = chokidarWatch }: Watch): Watcher {
  const folder = dirname(path);
  let current: { watcher: FSWatcher; identity: string } | null = null;
  let told: string | null = null;
  let failedAt: number | null = null;
  const fail = (error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    if (why !== told) onError(why);
    told = why;
    failedAt = clock.now();
  };
  return {
    refresh: async () => {
      const identity = await identityOf(folder);
      const waits = failedAt === null || elapsedMs(failedAt, clock.now()) < TRY_AGAIN_MS;
      if (current?.identity === identity && waits) return;
      await current?.watcher.close();
      current = null;
      if (identity === null) return;
      failedAt = null;
      const watcher = watch(folder, {
        depth: 0,
        ignoreInitial: true,
        ignored: (name) => name !== folder && name !== path,
      });
      watcher.on("all", onEvent).on("ready", onEvent).on("error", fail);
      current = { watcher, identity };
    },
    close: async () => {
      await current?.watcher.close();
    },
  };
}

/** Tells one folder from another of the same name; null where there is none. */
async function identityOf(folder: string): Promise<string | null> {
  try {
    const { dev, ino, birthtimeNs } = await stat(folder, { bigint: true });
    // A folder that is removed and made again at once gets the same inode number on ext4, and nobody tells of it.
    return [dev, ino, birthtimeNs].join(":");
  } catch (error) {
    // Not there or not to be seen: reading the file itself says so, with a remedy.
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}
