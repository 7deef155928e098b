// Reads a file that somebody else writes, whatever they have put in its place. Touches that file, reading.
import { constants, open } from "node:fs/promises";

export interface SmallFile {
  text: string;
  /** Epoch ms of the last write. */
  writtenAt: number;
}

// As much as a ConfigMap holds; the upstream file and a template have a few KB. A container has memory for little more.
const MAX_BYTES = 1024 * 1024;

/** Throws the file system's error, or one whose `code` says in words why this is no file to read. */
export async function readSmallFile(path: string): Promise<SmallFile> {
  // A named pipe would else be waited at until somebody writes to it, and the program with it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw unusable("it is no ordinary file");
    if (found.size > MAX_BYTES) throw unusable(`it has ${found.size} bytes, and may have ${MAX_BYTES}`);
    // Takes off a byte order mark, which nginx would show as an unknown directive that nobody can see.
    return { text: new TextDecoder().decode(await file.readFile()), writtenAt: found.mtimeMs };
  } finally {
    await file.close();
  }
}

const unusable = (code: string) => Object.assign(new Error(code), { code });
