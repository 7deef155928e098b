// The reloader and its nginx as the provisioner sees them: nginx serves the server of the upstream file a moment after it is
// written. Pure but for its own state.
import type { Applied } from "../../common/reloader-status.ts";
import { parseUpstreamFile, type Server, sameServer } from "../../common/upstream-file.ts";
import type { PodDisk } from "./disk.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface SimulatedReloader {
  /** The upstream file was written. */
  changed(): void;
  /** Its status; null if it is down or has applied nothing yet. */
  applied(): Applied;
  /** What nginx serves, even while the reloader is down. */
  serves(): Server | null;
  /** True while the file that it has applied says that all is well. */
  isSettled(): boolean;
  /** While true it applies nothing and has no status. */
  down: boolean;
}

// From the rename to "settled", as measured with the real one.
const APPLY_MS = 200;
// How often a reloader polls, in case it misses an event.
const POLL_MS = 5000;

/** `onChange` is called whenever nginx serves something else. */
export function simulatedReloader(
  time: VirtualTime,
  disk: PodDisk,
  path: string,
  onChange: () => void,
): SimulatedReloader {
  let state: Applied = null;
  let serves: Server | null = null;
  let settled = false;
  let pending = false;
  const apply = () => {
    pending = false;
    if (reloader.down) return later(POLL_MS);
    const text = disk.read(path);
    const parsed = text === null ? null : parseUpstreamFile(text);
    if (parsed === null || !parsed.ok) return;
    const before = serves;
    if (!sameServer(before, parsed.file.server)) serves = parsed.file.server;
    settled = serves !== null && parsed.file.reason === "instance_ready";
    state = { generation: parsed.file.generation, server: serves, hash: "" };
    if (serves !== before) onChange();
  };
  const later = (ms: number) => {
    if (pending) return;
    pending = true;
    time.after(ms, apply);
  };
  const reloader: SimulatedReloader = {
    down: false,
    changed: () => later(APPLY_MS),
    applied: () => (reloader.down ? null : state),
    serves: () => serves,
    isSettled: () => settled,
  };
  return reloader;
}
