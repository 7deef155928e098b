// Where log lines go, and in which form: JSON for machines, text for a terminal. Touches the file descriptor that it gets.
import { isatty } from "node:tty";
import pino from "pino";
import type { LoggingOptions } from "./logging.ts";
import { painter, type Terminal } from "./terminal.ts";

export type LogFormat = "json" | "pretty";

const STDERR = 2;
const asItIs: Terminal["paint"] = (_, text) => text;

/** Without a format: text on a terminal, otherwise JSON. Lines are written synchronously, like those of JSON. */
export async function logDestination(
  format: LogFormat | undefined,
  fd: 1 | 2,
): Promise<NonNullable<LoggingOptions["destination"]>> {
  const destination = pino.destination({ dest: fd, sync: true });
  if ((format ?? (isatty(fd) ? "pretty" : "json")) === "json") return destination;
  const { prettyLine } = await import("./log-text.ts");
  // The stream of a pipe is not even opened: it would become non-blocking.
  const paint = isatty(fd) ? painter(fd === STDERR ? process.stderr : process.stdout) : asItIs;
  return { write: (line) => void destination.write(prettyLine(line, paint)) };
}
