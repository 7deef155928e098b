// Decides when the upstream file is read. An event only starts a pass: what counts is the file's content. Watches the folder.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { type ChokidarOptions, watch as chokidarWatch, type FSWatcher } from "chokidar";
import type { Clock } from "../common/clock.ts";
import { codeOf, messageOf } from "../common/errors.ts";

// chokidar 5 drops every change of a file within 50 ms of one that it reported. A read 100 ms after the last reported event
// saw the final content in each of 24 bursts, a read after 30 ms in none.
const DEBOUNCE_MS = 100;
// While events never pause, a pass runs this often all the same. Not more often, since a pass may reload nginx.
const MAX_WAIT_MS = 1_000;

/**
 * Calls `notify` at once at the first event of a burst, once a second while the burst lasts, and again when it is over. A
 * burst is over when no event came for 100 ms.
 */
export function debounce(notify: () => void, clock: Clock, signal: AbortSignal): () => void {
  let lastEventAt = 0;
  let running = false;
  const followBurst = async () => {
    let notifiedAt = lastEventAt;
    for (;;) {
      const before = clock.monotonic();
      const left = Math.min(DEBOUNCE_MS - (before - lastEventAt), MAX_WAIT_MS - (before - notifiedAt));
      await clock.sleep(left, signal);
      if (signal.aborted) return;
      const now = clock.monotonic();
      const isOver = now - lastEventAt >= DEBOUNCE_MS;
      if (!isOver && now - notifiedAt < MAX_WAIT_MS) continue;
      running = !isOver;
      notify();
      if (isOver) return;
      notifiedAt = now;
    }
  };
  return () => {
    lastEventAt = clock.monotonic();
    if (running || signal.aborted) return;
    running = true;
    notify();
    void followBurst();
  };
}

export interface Watcher {
  /** Starts to watch, and starts again when the folder was replaced (a volume mounted later). Call it before each pass. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export interface WatchOptions {
  /** The file. Its folder is watched, since the file is replaced at each change. */
  path: string;
  /** Also called when watching has begun, since no event came for earlier changes. */
  onEvent(): void;
  /** Called when the system refuses to watch, once for each reason. The file is still read every few seconds. */
  onError(why: string): void;
  clock: Clock;
  /** chokidar's own, replaced in tests. */
  watch?: (folder: string, options: ChokidarOptions) => FSWatcher;
}

// All containers of one user on a node share few watches (fs.inotify.max_user_instances is 128): one may be freed later.
const RETRY_AFTER_MS = 60_000;

/** Begins to watch at the first `refresh`. */
export function watchFolder({ path, onEvent, onError, clock, watch = chokidarWatch }: WatchOptions): Watcher {
  const folder = dirname(path);
  let current: { watcher: FSWatcher; identity: string } | null = null;
  let lastError: string | null = null;
  let failedAt: number | null = null;
  const fail = (error: unknown) => {
    const why = messageOf(error);
    if (why !== lastError) onError(why);
    lastError = why;
    failedAt = clock.monotonic();
  };
  return {
    refresh: async () => {
      const identity = identityOf(folder);
      const waits = failedAt === null || clock.monotonic() - failedAt < RETRY_AFTER_MS;
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

/** Distinguishes a folder from another one at the same path; null when there is none. */
function identityOf(folder: string): string | null {
  try {
    const { dev, ino, birthtimeNs } = statSync(folder, { bigint: true });
    // A folder that is removed and created again at once gets the same inode number on ext4, and no event reports that.
    return [dev, ino, birthtimeNs].join(":");
  } catch (error) {
    // The folder is missing or cannot be read: reading the file reports that with a remedy.
    if (codeOf(error) !== null) return null;
    throw error;
  }
}
