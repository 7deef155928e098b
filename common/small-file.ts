// Reads a small file, and refuses anything else that may lie in its place: a pipe would block the reader for ever, a file of
// gigabytes would exhaust the memory. Reads that file.
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";

export interface SmallFile {
  text: string;
  /** Epoch ms of the last write. */
  writtenAt: number;
}

// The size limit of a ConfigMap. Every file of both programs has a few KB.
const MAX_BYTES = 1024 * 1024;
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
  const file = await open(path, OPEN | (noFollow ? constants.O_NOFOLLOW : 0));
  try {
    const found = await file.stat();
    check(found);
    return { bytes: await file.readFile(), writtenAt: found.mtimeMs };
  } finally {
    await file.close();
  }
}

/** The text of the file, for what is read at the start of a program and for secrets. Throws as `readSmallFile` does. */
export function readSmallFileSync(path: string): string {
  const file = openSync(path, OPEN);
  try {
    check(fstatSync(file));
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

function check(found: Stats): void {
  if (found.isDirectory()) throw unusable("it is not a regular file", "it is a folder (EISDIR)");
  if (!found.isFile()) throw unusable("it is not a regular file");
  if (found.size > MAX_BYTES) throw unusable(`it has ${found.size} bytes; the limit is ${MAX_BYTES}`);
}

const unusable = (code: string, message = code) => Object.assign(new Error(message), { code });
