// Keeps the state on disk, on the provisioner's own volume. Touches one file.
import { type Disk, systemDisk } from "../../common/disk.ts";
import { parseJson } from "../../common/parse-json.ts";
import { unusableReason } from "../../common/small-file.ts";
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
      const read = await readState(disk, path, label);
      if (read === null) return { state: null };
      if ("state" in read) return read;
      const aside = `${path}.unusable-${now()}`;
      await disk.move(path, aside);
      return { state: null, aside: { path: aside, why: read.why } };
    },
    async save(state) {
      await disk.write(path, textOf(state), MODE);
    },
  };
}

// The history is most of the text, and seldom changes; the state is written in every pass. Kept as long as the history itself.
const historyTexts = new WeakMap<State["history"], string>();

function textOf(state: State): string {
  let history = historyTexts.get(state.history);
  if (history === undefined) {
    history = JSON.stringify(state.history);
    historyTexts.set(state.history, history);
  }
  const others = JSON.stringify({ ...state, history: undefined });
  return `${others.slice(0, -1)},"history":${history}}\n`;
}

/**
 * The state as the file holds it. It changes nothing, also where the file is of no use. Null: there is no file. `why`: whatever lies there
 * is no state of this label. Throws the file system's error.
 */
export async function readState(
  disk: Pick<Disk, "read">,
  path: string,
  label: string,
): Promise<{ state: State } | { why: string } | null> {
  try {
    const text = await disk.read(path);
    return text === null ? null : parse(text, label);
  } catch (error) {
    const why = unusableReason(error);
    if (why === null) throw error;
    return { why };
  }
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
