// What the reloader remembers from one pass to the next. Types and the empty memory only.
import type { Applied } from "../../common/reloader-status.ts";
import type { DesiredUpstream } from "../inputs/upstream.ts";
import type { RefusedConfig } from "./retry.ts";

export interface ReloadMemory {
  /** The last decision about the upstream file, or what an earlier run had proven; null before both. */
  upstream: DesiredUpstream | null;
  /** What nginx' access log descriptor points to. Kept while nginx is down, when it cannot be read. */
  logTarget: string | null;
  /**
   * Null while nginx runs. `since`: monotonic ms of the first pass without it. `usedFallback`: the config file has held another
   * config than the desired one since then.
   */
  nginxDown: { since: number; usedFallback: boolean } | null;
  /** The desired config, when nginx refused it. */
  refused: RefusedConfig | null;
  /** A fallback config that nginx refused. Without it the desired config and the fallback would alternate without a pause. */
  refusedFallback: RefusedConfig | null;
  /** Why nginx once refused to open the access log. Kept for good, since each new try would cost a refused reload. */
  logRefusal: string | null;
  /** What nginx was last proven to run. */
  applied: Applied;
}

export const EMPTY_MEMORY: ReloadMemory = {
  upstream: null,
  logTarget: null,
  nginxDown: null,
  refused: null,
  refusedFallback: null,
  logRefusal: null,
  applied: null,
};
