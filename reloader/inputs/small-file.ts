// Reads a small file that another program writes, and refuses anything that is not a regular file. Reads that file.
import { constants, open } from "node:fs/promises";

export interface SmallFile {
  text: string;
  /** Epoch ms of the last write. */
  writtenAt: number;
}

// The size limit of a ConfigMap. The upstream file and a template have a few KB; a larger file could exhaust the memory.
const MAX_BYTES = 1024 * 1024;

/** Throws the file system's error, or an error whose `code` says in words why the file is refused. */
export async function readSmallFile(path: string): Promise<SmallFile> {
  // Without O_NONBLOCK the open of a named pipe would block until another program writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw unusable("it is not a regular file");
    if (found.size > MAX_BYTES) throw unusable(`it has ${found.size} bytes; the limit is ${MAX_BYTES}`);
    // TextDecoder removes a byte order mark, which nginx would report as an unknown, invisible directive.
    return { text: new TextDecoder().decode(await file.readFile()), writtenAt: found.mtimeMs };
  } finally {
    await file.close();
  }
}

const unusable = (code: string) => Object.assign(new Error(code), { code });
