// Reads a small file, and refuses anything else that may lie in its place: a pipe would block the reader for ever, a file of
// gigabytes would exhaust the memory. Reads that file.
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { codeOf } from "./errors.ts";

export interface SmallFile {
  text: string;
  /** Epoch ms of the last write. */
  writtenAt: number;
}

// The size limit of a ConfigMap. Every file of both programs has a few KB.
const MAX_BYTES = 1024 * 1024;
// A file of /proc tells no size, and has a few hundred bytes.
const LEAST_BYTES = 1024;
// Without O_NONBLOCK the open of a named pipe would block until another program writes to it.
const OPEN = constants.O_RDONLY | constants.O_NONBLOCK;

/** Throws the file system's error, or an error whose `code` says in words why the file is refused. */
export async function readSmallFile(path: string): Promise<SmallFile> {
  const { bytes, writtenAt } = await readSmallBytes(path);
  // TextDecoder removes a byte order mark, which nginx would report as an unknown, invisible directive.
  return { text: new TextDecoder().decode(bytes), writtenAt };
}

/** The same with the bytes as they are. `noFollow`: a symbolic link is refused too. */
export async function readSmallBytes(path: string, noFollow = false): Promise<{ bytes: Buffer; writtenAt: number }> {
  return readNow(path, noFollow);
}

/** The text of the file, for what is read at the start of a program and for secrets. Throws as `readSmallFile` does. */
export function readSmallFileSync(path: string): string {
  return readNow(path, false).bytes.toString("utf8");
}

/**
 * Synchronous: each of the four calls takes some microseconds on a local volume, and through the thread pool a hundred, and two changes of
 * thread. Idle programs do little else.
 */
function readNow(path: string, noFollow: boolean): { bytes: Buffer; writtenAt: number } {
  const file = openSync(path, OPEN | (noFollow ? constants.O_NOFOLLOW : 0));
  try {
    const found = fstatSync(file);
    check(found);
    return { bytes: readAll(file, found.size), writtenAt: found.mtimeMs };
  } finally {
    closeSync(file);
  }
}

/** What `readSmallFile` says of something that is no small file, rather than of the file system; null for any other error. */
export function unusableReason(error: unknown): string | null {
  const code = codeOf(error);
  return code !== null && UNUSABLE.test(code) ? code : null;
}

/**
 * The size that `stat` tells bounds nothing: the file may grow, and those of /proc have none. But mostly it is the size, and then one
 * read is enough, into a buffer that fits: larger ones, many times a second, keep the garbage collector busy.
 */
function readAll(file: number, size: number): Buffer {
  let buffer = Buffer.allocUnsafe(Math.max(size + 1, LEAST_BYTES));
  let length = 0;
  for (;;) {
    if (length === buffer.length) buffer = Buffer.concat([buffer], 2 * length);
    const wanted = buffer.length - length;
    const bytesRead = readSync(file, buffer, length, wanted, null);
    length += bytesRead;
    if (length > MAX_BYTES) throw tooLarge(length);
    const isWhole = size > 0 && length >= size && bytesRead < wanted;
    if (bytesRead === 0 || isWhole) return buffer.subarray(0, length);
  }
}

function check(found: Stats): void {
  if (found.isDirectory()) throw unusable("it is not a regular file", "it is a folder (EISDIR)");
  if (!found.isFile()) throw unusable("it is not a regular file");
  if (found.size > MAX_BYTES) throw tooLarge(found.size);
}

const UNUSABLE = /^it /;
const tooLarge = (size: number) => unusable(`it has ${size} bytes or more; the limit is ${MAX_BYTES}`);

const unusable = (code: string, message = code) => Object.assign(new Error(message), { code });
