// Keeps the state on disk, on the provisioner's own volume. Touches one file.
import { type Disk, systemDisk } from "../../common/disk.ts";
import { parseJson } from "../../common/parse-json.ts";
import { type State, stateSchema } from "./schema.ts";
import { fromSchema1 } from "./schema-1.ts";

/** `aside`: where an unusable state file was moved to, and why it is unusable. */
export interface LoadResult {
  state: State | null;
  aside?: { path: string; why: string };
}

export interface StateFile {
  /** Throws the file system's error when the file cannot be read at all. */
  load(label: string): Promise<LoadResult>;
  /** Throws the file system's error; the file then keeps its old content. */
  save(state: State): Promise<void>;
}

// Only the provisioner's own user may read it: it names what is rented.
const MODE = 0o600;

/** `now` is part of the name under which an unusable file is set aside. */
export function createStateFile(path: string, now: () => number, disk: Disk = systemDisk): StateFile {
  return {
    async load(label) {
      await disk.prepare(path);
      const text = await disk.read(path);
      if (text === null) return { state: null };
      const read = parse(text, label);
      if ("state" in read) return read;
      const aside = `${path}.unusable-${now()}`;
      await disk.move(path, aside);
      return { state: null, aside: { path: aside, why: read.why } };
    },
    async save(state) {
      await disk.write(path, `${JSON.stringify(state)}\n`, MODE);
    },
  };
}

function parse(text: string, label: string): { state: State } | { why: string } {
  const read = parseJson(text, stateSchema, fromSchema1);
  if ("why" in read) return read;
  // The ids of another label are not ours: acting on them would destroy other instances.
  if (read.value.label !== label) {
    const other = read.value.label;
    return {
      why: `it belongs to the label ${other}: an instance that still has that label is still being billed, destroy it in the console of Vast.ai`,
    };
  }
  return { state: read.value };
}
