// Turns a provisioner's log line into a line of a run's timeline. Pure.
import { z } from "zod";

const lineSchema = z.looseObject({ level: z.string(), event: z.string().optional(), msg: z.string() });

/** The log line without its time, or null if it is not shown. */
export function timelineEntry(line: string): string | null {
  const { level, event, msg } = lineSchema.parse(JSON.parse(line));
  if (level === "debug" || event === "start") return null;
  return `${level === "info" ? "" : `${level.toUpperCase()} `}${event ?? "log"}: ${msg}`;
}
