// How large the disk of an instance is. Pure.
import type { Template } from "../vast/rows.ts";

// The API's default for a template without disk space, and the minimum that it accepts.
const DEFAULT_DISK_GB = 10;
const MIN_DISK_GB = 8;

/** GB that an instance of this template gets. */
export function diskSpace({ diskSpace: wanted }: Pick<Template, "diskSpace">): number {
  return Math.max(wanted ?? DEFAULT_DISK_GB, MIN_DISK_GB);
}
