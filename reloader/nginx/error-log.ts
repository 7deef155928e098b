// Reads from nginx' error log why it refused a config. Reads that file.
import { statSync } from "node:fs";
import { constants, open } from "node:fs/promises";
import { messageOf } from "../../common/errors.ts";

/** A position in the log: what comes after it is new. */
export interface LogMark {
  inode: number;
  size: number;
}

/** The disk as the log needs it, handed in so that a test can rotate a log. */
export interface LogDisk {
  /** Null when the file does not exist. */
  stat(path: string): Promise<LogMark | null>;
  /** At most `length` bytes from `offset` on. */
  read(path: string, offset: number, length: number): Promise<string>;
}

export interface ErrorLog {
  mark(): Promise<LogMark | null>;
  /**
   * The last final `[emerg]` message since `mark`, without time and process; null when there is none. `pid`: only messages
   * of that process count, since somebody may run `nginx -t` on the same log; null for any process. Never throws.
   */
  refusalSince(mark: LogMark | null, pid: number | null): Promise<string | null>;
  /** Where to find the reason when the log has none. */
  readonly hint: string;
}

// nginx logs a few lines for a refused config. More than this since a mark comes from other causes.
const MAX_READ_BYTES = 256 * 1024;

/** `path` undefined: there is no log to read. `warn` is called once with the reason why the log cannot be read. */
export function errorLog(path: string | undefined, disk: LogDisk, warn: (why: string) => void): ErrorLog {
  if (path === undefined) {
    const hint = "the reason is in nginx' own log; set NGINX_ERROR_LOG to a log on a shared volume to see it here";
    return { mark: async () => null, refusalSince: async () => null, hint };
  }
  let warned = false;
  const orWarn = async <T>(read: () => Promise<T | null>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      if (!warned) warn(`${path} (NGINX_ERROR_LOG) cannot be read: ${messageOf(error)}`);
      warned = true;
      return null;
    }
  };
  return {
    hint: `see ${path}`,
    mark: () => orWarn(() => disk.stat(path)),
    refusalSince: (mark, pid) =>
      orWarn(async () => {
        const now = await disk.stat(path);
        if (now === null) return null;
        // A different or a shorter file: the log was rotated or emptied, and all of it is new.
        const from = mark !== null && mark.inode === now.inode && mark.size <= now.size ? mark.size : 0;
        if (now.size === from) return null;
        const start = Math.max(from, now.size - MAX_READ_BYTES);
        return lastRefusal(await disk.read(path, start, now.size - start), pid);
      }),
  };
}

const EMERG = /\[emerg\] (\d+)#\d+: (.*)$/;
// nginx retries a port that is in use (errno 98) for 2.5 s; only "still could not bind()" is final.
const RETRIED = /^bind\(\) to .* failed \(98:/;

function lastRefusal(text: string, pid: number | null): string | null {
  const lines = text.split("\n").flatMap((line) => {
    const [, process, message] = EMERG.exec(line) ?? [];
    return message === undefined || (pid !== null && Number(process) !== pid) ? [] : [message];
  });
  const final = lines.filter((message) => !RETRIED.test(message)).at(-1);
  // That line does not name the port; the lines before it do.
  if (final?.startsWith("still could not bind()")) return lines.find((message) => RETRIED.test(message)) ?? final;
  return final ?? null;
}

export const systemLogDisk: LogDisk = {
  stat: async (path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.isFile() ? { inode: found.ino, size: found.size } : null;
  },
  read: async (path, offset, length) => {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // never waits at a pipe
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  },
};
