// Which lines of a program's log the terminal of the local stack shows, and how. Pure.

import { isCalm, readLogLine, sentenceOf, textLine, withLevel, wordOf } from "../../common/log-text.ts";
import { printableLines } from "../../common/terminal.ts";

/** One thing that happened: `3.2s  creating     creating from offer 5000123 (RTX 4090, $0.316/h)`. */
export interface Message {
  word: string;
  text: string;
}

/** The message to show for a line of `program`, or null to show nothing. */
export function present(program: string, line: string): Message | null {
  if (line.trim() === "") return null;
  const entry = readLogLine(line);
  if (entry === null) return { word: program, text: printableLines(line) };
  const word = wordOf(entry);
  if (word !== null) return { word, text: sentenceOf(entry) };
  return isCalm(entry) ? null : { word: program, text: withLevel(entry) };
}

/** A log line as plain text, for the last lines of a program that exited. */
export function plain(line: string): string {
  const entry = readLogLine(line);
  return entry === null ? line : withLevel(entry);
}

/** One line for the terminal, with the time since the start. */
export function formatMessage(elapsedMs: number, { word, text }: Message): string {
  return textLine(`${(elapsedMs / 1000).toFixed(1)}s`, word, text);
}
