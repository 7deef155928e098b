// Reads from nginx' error log why a config was refused. Touches that file, reading.
import { open, stat } from "node:fs/promises";

/** A place in the log: what comes after it is new. */
export interface LogMark {
  inode: number;
  size: number;
}

/** The disk as the log needs it, so that a test can rotate a log without one. */
export interface LogDisk {
  /** Null when there is no such file. */
  stat(path: string): Promise<LogMark | null>;
  /** Bytes from `offset` on, `length` at most. */
  read(path: string, offset: number, length: number): Promise<string>;
}

export interface ErrorLog {
  mark(): Promise<LogMark | null>;
  /**
   * The last `[emerg]` message since `mark` that is final, without time and process; null when there is none.
   * `pid`: only that process counts, as somebody may run `nginx -t` on the same log meanwhile. Never throws.
   */
  refusalSince(mark: LogMark | null, pid: number | null): Promise<string | null>;
  /** What to tell people when the log gave no reason. */
  readonly hint: string;
}

// A refused config costs nginx a handful of lines; more than this since a mark is other people's noise.
const MAX_READ_BYTES = 256 * 1024;

/** `path` undefined: there is no log to read. `warn` hears once why the log cannot be read. */
export function errorLog(path: string | undefined, disk: LogDisk, warn: (why: string) => void): ErrorLog {
  if (path === undefined) {
    const hint = "nginx' own log says why; set NGINX_ERROR_LOG to a log on a shared volume to see it here";
    return { mark: async () => null, refusalSince: async () => null, hint };
  }
  let warned = false;
  const trying = async <T>(read: () => Promise<T | null>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      if (!warned) warn(`${path} (NGINX_ERROR_LOG) cannot be read: ${error instanceof Error ? error.message : error}`);
      warned = true;
      return null;
    }
  };
  return {
    hint: `see ${path}`,
    mark: () => trying(() => disk.stat(path)),
    refusalSince: (mark, pid) =>
      trying(async () => {
        const now = await disk.stat(path);
        if (now === null) return null;
        // Another file or a shorter one: it was rotated or emptied since, and all of it is new.
        const from = mark !== null && mark.inode === now.inode && mark.size <= now.size ? mark.size : 0;
        if (now.size === from) return null;
        const start = Math.max(from, now.size - MAX_READ_BYTES);
        return lastRefusal(await disk.read(path, start, now.size - start), pid);
      }),
  };
}

const EMERG = /\[emerg\] (\d+)#\d+: (.*)$/;
// A taken port (errno 98) is tried again for 2.5 s; only "still could not bind()" ends it.
const RETRIED = /^bind\(\) to .* failed \(98:/;

function lastRefusal(text: string, pid: number | null): string | null {
  const lines = text.split("\n").flatMap((line) => {
    const [, process, message] = EMERG.exec(line) ?? [];
    return message === undefined || (pid !== null && Number(process) !== pid) ? [] : [message];
  });
  const final = lines.filter((message) => !RETRIED.test(message)).at(-1);
  // That line does not name the port, the ones before it do.
  if (final?.startsWith("still could not bind()")) return lines.find((message) => RETRIED.test(message)) ?? final;
  return final ?? null;
}

export const systemLogDisk: LogDisk = {
  stat: async (path) => {
    const found = await stat(path).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    });
    return found === null ? null : { inode: found.ino, size: found.size };
  },
  read: async (path, offset, length) => {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  },
};
