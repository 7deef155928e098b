// What a reader of a run is shown of a provisioner's log. Pure.
import { z } from "zod";

const lineSchema = z.looseObject({ level: z.string(), event: z.string().optional(), msg: z.string() });

/** A log line without its real time, or null when it tells nothing new. */
export function timelineEntry(line: string): string | null {
  const { level, event, msg } = lineSchema.parse(JSON.parse(line));
  if (level === "debug" || event === "start") return null;
  return `${level === "info" ? "" : `${level.toUpperCase()} `}${event ?? "log"}: ${msg}`;
}
