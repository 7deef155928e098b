// Writes the upstream file when its content changes. Touches this one file.
import type { Clock } from "../../common/clock.ts";
import { type Disk, systemDisk } from "../../common/disk.ts";
import { createTurns } from "../../common/turns.ts";
import {
  formatUpstreamFile,
  type PublishedInstance,
  parseUpstreamFile,
  sameServer,
  UPSTREAM_SCHEMA,
  type UpstreamFile,
} from "../../common/upstream-file.ts";
import type { Plan } from "../model/plan.ts";

/** The part of a plan that the file holds. */
export interface PublishedState extends Pick<Plan, "state" | "reason" | "message" | "server" | "instance"> {
  /** False: the pod is not ready although its server is served. */
  ready?: boolean;
}

export interface Publisher {
  /** The file at the start of this program. Null when there was none, or when it cannot be used; then `problem` says why. */
  start(): Promise<{ file: UpstreamFile | null; problem: string | null }>;
  /** Two loops publish: the file follows the order of their calls. Throws the file system's error; the file then keeps its old content. */
  publish(view: PublishedState): Promise<{ changed: boolean; file: UpstreamFile }>;
}

// The reloader reads it as another user.
const FILE_MODE = 0o644;
// The reloader reports the age of the file, so that a dead provisioner is noticed: touched twice a minute, it stays below a minute.
const TOUCH_MS = 30_000;

/** `lastGeneration` returns the highest generation in the state: generations are never reused. */
export function createPublisher(
  path: string,
  pod: string,
  clock: Clock,
  lastGeneration: () => number,
  disk: Disk = systemDisk,
): Publisher {
  let last: UpstreamFile | null = null;
  let lastText = "";
  let touchedAt = 0;
  const inTurn = createTurns();
  return {
    async start() {
      await disk.prepare(path);
      const text = await disk.read(path);
      if (text === null) return { file: null, problem: null };
      const parsed = parseUpstreamFile(text);
      if (!parsed.ok) return { file: null, problem: parsed.problem };
      if (parsed.file.pod !== pod) return { file: null, problem: `it belongs to the pod ${parsed.file.pod}` };
      last = parsed.file;
      lastText = formatUpstreamFile(last);
      return { file: last, problem: null };
    },
    publish: (view) => inTurn(() => publish(view)),
  };

  async function publish(view: PublishedState): ReturnType<Publisher["publish"]> {
    const { state, reason, message, server, instance, ready } = view;
    if (last !== null && sameContent(last, view) && (await disk.read(path)) === lastText) {
      if (clock.now() - touchedAt >= TOUCH_MS) await touch();
      return { changed: false, file: last };
    }
    const generation = Math.max(last?.generation ?? 0, lastGeneration()) + 1;
    const updatedAt = new Date(clock.now()).toISOString();
    const file = {
      schema: UPSTREAM_SCHEMA,
      generation,
      pod,
      state,
      reason,
      message,
      server,
      instance,
      ...(ready === false ? { ready } : {}),
      updatedAt,
    } as const;
    const text = formatUpstreamFile(file);
    try {
      await disk.prepare(path);
      await disk.write(path, text, FILE_MODE);
    } catch (error) {
      // A volume that is too full for a second file must not keep nginx on a server that is dead or was left, and the pod ready: the
      // file itself has room.
      if (last === null || last.server === null || sameServer(last.server, server)) throw error;
      await overwrite(text, error);
    }
    last = file;
    lastText = text;
    touchedAt = clock.now();
    return { changed: true, file };
  }

  async function overwrite(text: string, error: unknown): Promise<void> {
    try {
      await disk.overwrite(path, text);
    } catch {
      throw error; // the first error says why nothing can be written
    }
  }

  async function touch(): Promise<void> {
    await disk.touch(path, clock.now());
    touchedAt = clock.now();
  }
}

type Content = Omit<UpstreamFile, "schema" | "generation" | "pod" | "updatedAt">;

function sameContent(a: Content, b: Content): boolean {
  if (a.state !== b.state || a.reason !== b.reason || a.message !== b.message) return false;
  if ((a.ready ?? true) !== (b.ready ?? true)) return false;
  return sameServer(a.server, b.server) && sameInstance(a.instance, b.instance);
}

function sameInstance(a: PublishedInstance | null, b: PublishedInstance | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.id !== b.id || a.hostId !== b.hostId || a.machineId !== b.machineId) return false;
  return a.image === b.image && a.templateHash === b.templateHash;
}
