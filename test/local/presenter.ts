// Turns a program's JSON log line into what the terminal shows: a word and a sentence. Pure.
import { z } from "zod";

/** One thing that happened: `3.2s  creating     creating from offer 5000123 (RTX 4090, $0.316/h)`. */
export interface Message {
  word: string;
  text: string;
}

// The fields of a JSON log line that are shown.
const logLine = z.object({
  level: z.string(),
  msg: z.string(),
  event: z.string().optional(),
  phase: z.string().optional(),
  action: z.string().optional(),
  state: z.string().optional(),
  reason: z.string().optional(),
  // From the reloader: the server that nginx was verified to serve, how long that took, and the problem, if any.
  server: z.object({ host: z.string(), port: z.number() }).nullish(),
  settledMs: z.number().optional(),
  problem: z.string().optional(),
});
type LogLine = z.infer<typeof logLine>;

/** Words for reasons that say more than their state. */
const REASON_WORDS: Readonly<Record<string, string>> = {
  confirming_none: "looking",
  no_instance: "looking",
  create_unresolved: "creating",
  instance_starting: "loading",
  destroying: "destroying",
};
const STATE_WORDS: Readonly<Record<string, string>> = { provisioning: "replacing" };
const ACTION_WORDS: Readonly<Record<string, string>> = {
  create: "created",
  destroy: "destroying",
  ban: "banned",
  forget_intent: "looking",
};

// As wide as the longest word, "unavailable".
const WORD_WIDTH = 11;
// Enough for 9999.9 s (almost three hours); a longer time only shifts its line to the right.
const TIME_WIDTH = 7;

/** The message to show for a line of `program`, or null to show nothing. */
export function present(program: string, line: string): Message | null {
  if (line.trim() === "") return null;
  const parsed = logLine.safeParse(jsonOf(line));
  if (!parsed.success) return { word: program, text: line };
  const entry = parsed.data;
  if (entry.settledMs !== undefined) return { word: "reloaded", text: describeReload(entry.server, entry.settledMs) };
  const word = wordOf(entry);
  if (word !== null) return { word, text: entry.msg };
  const calm = !["warn", "error", "fatal"].includes(entry.level);
  return calm ? null : { word: program, text: describe(entry) };
}

/** A log line as plain text, for the last lines of a program that exited. */
export function plain(line: string): string {
  const parsed = logLine.safeParse(jsonOf(line));
  return parsed.success ? describe(parsed.data) : line;
}

function describe({ level, msg, problem }: LogLine): string {
  return `${level}: ${msg}${problem === undefined ? "" : `: ${problem}`}`;
}

function describeReload(server: LogLine["server"], settledMs: number): string {
  const what = server ? `nginx routes to ${server.host}:${server.port}` : "nginx answers 503: no instance";
  return `${what} (${settledMs} ms)`;
}

function wordOf({ event, phase, action, state, reason, level }: LogLine): string | null {
  if (level === "debug" || level === "trace") return null;
  switch (event) {
    case "state":
      return REASON_WORDS[reason ?? ""] ?? STATE_WORDS[state ?? ""] ?? state ?? null;
    case "progress":
      return phase ?? null;
    case "action":
      // A warning about an action is not the action itself: it is shown with its level.
      return level === "info" || action === "ban" ? (ACTION_WORDS[action ?? ""] ?? null) : null;
    case "start":
      return "starting";
    case "stop":
      return "stopped";
    default:
      return null;
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null; // plain text: it is shown unchanged
  }
}

/** One line for the terminal, with the time since the start. Further lines of the text are indented below it. */
export function formatMessage(elapsedMs: number, { word, text }: Message): string {
  const time = `${(elapsedMs / 1000).toFixed(1)}s`.padStart(TIME_WIDTH);
  const [first = "", ...more] = text.split("\n");
  const below = more.map((line) => `${" ".repeat(TIME_WIDTH + WORD_WIDTH + 4)}${line}`);
  return [`${time}  ${word.padEnd(WORD_WIDTH)}  ${first}`, ...below].join("\n");
}
