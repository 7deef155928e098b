// Log lines for people: from a JSON line to a time, a word and a sentence. What other machines said in it controls no terminal. Pure.
import * as z from "zod";
import { oneLine, printableLines, type Terminal } from "./terminal.ts";

// The fields of a JSON log line that are shown.
const logLine = z.object({
  level: z.string(),
  msg: z.string().transform(printableLines),
  time: z.string().optional(),
  event: z.string().transform(oneLine).optional(),
  phase: z.string().optional(),
  action: z.string().optional(),
  state: z.string().optional(),
  reason: z.string().optional(),
  // From the reloader: the server that nginx was verified to serve, how long that took, and the problem, if any.
  server: z.object({ host: z.string().transform(oneLine), port: z.number() }).nullish(),
  settledMs: z.number().optional(),
  problem: z.string().transform(printableLines).optional(),
  err: z
    .object({ message: z.string().transform(printableLines), stack: z.string().transform(printableLines).optional() })
    .optional(),
});
export type LogLine = z.infer<typeof logLine>;

/** Words for reasons that say more than their state. */
const WORDS_OF_REASONS: Readonly<Record<string, string>> = {
  confirming_none: "looking",
  no_instance: "looking",
  create_unresolved: "creating",
  instance_starting: "loading",
  destroying: "destroying",
};
const WORDS_OF_STATES: Readonly<Record<string, string>> = { provisioning: "replacing" };
const WORDS_OF_ACTIONS: Readonly<Record<string, string>> = {
  create: "created",
  destroy: "destroying",
  ban: "banned",
  forget_intent: "looking",
};

// As wide as the longest word, "unavailable".
const WORD_WIDTH = 11;
// `15:04:05`. In the local stack the seconds since its start, to 9999.9 s: a longer time only shifts its line to the right.
const TIME_WIDTH = 8;

/** Null: the line is no log line of a program. */
export function readLogLine(line: string): LogLine | null {
  try {
    return logLine.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null; // plain text
  }
}

/** The word for what happened; null for a line that is mostly for machines. */
export function wordOf({ event, phase, action, state, reason, level, settledMs }: LogLine): string | null {
  if (level === "debug" || level === "trace") return null;
  if (settledMs !== undefined) return "reloaded";
  switch (event) {
    case "state":
      return WORDS_OF_REASONS[reason ?? ""] ?? WORDS_OF_STATES[state ?? ""] ?? state ?? null;
    case "progress":
      return phase ?? null;
    case "action":
      // A warning about an action is not the action itself: it is shown with its level.
      return level === "info" || action === "ban" ? (WORDS_OF_ACTIONS[action ?? ""] ?? null) : null;
    case "start":
      return "starting";
    case "stop":
      return "stopped";
    default:
      return null;
  }
}

export const isCalm = ({ level }: LogLine) => !["warn", "error", "fatal"].includes(level);

/** What is said, without a level. */
export function sentenceOf({ msg, problem, server, settledMs }: LogLine): string {
  if (settledMs === undefined) return problem === undefined ? msg : `${msg}: ${problem}`;
  const what = server ? `nginx routes to ${server.host}:${server.port}` : "nginx answers 503: no instance";
  return `${what} (${settledMs} ms)`;
}

export const withLevel = (line: LogLine) => `${line.level}: ${sentenceOf(line)}`;

/** One line for the terminal. Further lines of the text are indented below it. */
export function textLine(time: string, word: string, text: string): string {
  const [first = "", ...more] = text.split("\n");
  const below = more.map((line) => `${" ".repeat(TIME_WIDTH + WORD_WIDTH + 4)}${line}`);
  return [`${time.padStart(TIME_WIDTH)}  ${word.padEnd(WORD_WIDTH)}  ${first}`, ...below].join("\n");
}

/** A JSON line of a log, with its line end, as a person reads it: with the time of day on this machine. */
export function prettyLine(json: string, paint: Terminal["paint"]): string {
  const line = readLogLine(json);
  if (line === null) return `${printableLines(json.trimEnd())}\n`;
  const word = wordOf(line) ?? line.event ?? "";
  const sentence = wordOf(line) === null && line.level !== "info" ? withLevel(line) : sentenceOf(line);
  const cause = line.err === undefined ? "" : `\n${line.err.stack ?? line.err.message}`;
  const text = textLine(timeOfDay(line.time), word, sentence + cause);
  if (line.level === "debug" || line.level === "trace") return `${paint("dim", text)}\n`;
  if (isCalm(line)) return `${line.state === "ready" ? paint("green", text) : text}\n`;
  return `${paint(line.level === "warn" ? "yellow" : "red", text)}\n`;
}

function timeOfDay(iso: string | undefined): string {
  const at = new Date(iso ?? Number.NaN);
  return Number.isNaN(at.getTime()) ? "" : (at.toTimeString().split(" ")[0] ?? "");
}
