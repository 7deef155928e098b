// Keeps the memory on disk, on the provisioner's own volume. Touches one file.
import { type Disk, systemDisk } from "../../common/disk.ts";
import { type Memory, memorySchema } from "./schema.ts";

/** `aside` names the file that an unusable memory was moved to, and `why` says what was wrong with it. */
export interface Loaded {
  memory: Memory | null;
  aside?: { path: string; why: string };
}

export interface StateFile {
  /** Throws the file system's error when the file cannot be read at all. */
  load(label: string): Promise<Loaded>;
  /** Throws the file system's error; the file then holds what it held before. */
  save(memory: Memory): Promise<void>;
}

// Only the provisioner's own user reads it: it says what is rented.
const MODE = 0o600;

/** `now` stamps the name under which an unusable file is set aside. */
export function createStateFile(path: string, now: () => number, disk: Disk = systemDisk): StateFile {
  return {
    async load(label) {
      await disk.prepare(path);
      const text = await disk.read(path);
      if (text === null) return { memory: null };
      const read = parse(text, label);
      if ("memory" in read) return read;
      const aside = `${path}.unusable-${now()}`;
      await disk.move(path, aside);
      return { memory: null, aside: { path: aside, why: read.why } };
    },
    async save(memory) {
      await disk.write(path, `${JSON.stringify(memory)}\n`, MODE);
    },
  };
}

function parse(text: string, label: string): { memory: Memory } | { why: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { why: "it is not JSON" };
  }
  const parsed = memorySchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { why: `${issue?.path.join(".") ?? "it"}: ${issue?.message ?? "unreadable"}` };
  }
  // The ids of another label are none of our business: acting on them would touch what is not ours.
  if (parsed.data.label !== label) {
    const other = parsed.data.label;
    return {
      why: `it belongs to the label ${other}: an instance that still has that label goes on billing, end it in the console of Vast.ai`,
    };
  }
  return { memory: parsed.data };
}
