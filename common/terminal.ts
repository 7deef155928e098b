// Where a command prints: its streams, the width of the screen, colours, and text of strangers made harmless. Touches the streams
// that it gets, and the environment only through Node's own rules for colours (NO_COLOR, FORCE_COLOR, TERM).
import { stripVTControlCharacters, styleText } from "node:util";
import { codeOf } from "./errors.ts";

/** Where text for people goes: results to `out`, problems to `err`. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export interface Terminal extends Streams {
  /** Columns of the screen now. Null: `out` is a file or a pipe, and nothing is cut or left out. */
  width(): number | null;
  /** The text in this style where `out` shows colours, otherwise unchanged. */
  paint(style: Style, text: string): string;
}

// What a terminal has that does not tell its size.
const USUAL_WIDTH = 80;

/** Of the process: its streams are made when they are used, because that makes a pipe non-blocking also for the log. */
export function createTerminal(of: Pick<NodeJS.Process, "stdout" | "stderr">): Terminal {
  const used = new Set<NodeJS.WritableStream>();
  const write = (stream: NodeJS.WritableStream, text: string): void => {
    if (!used.has(stream)) mayLoseItsReader(stream);
    used.add(stream);
    stream.write(text);
  };
  return {
    out: (text) => write(of.stdout, text),
    err: (text) => write(of.stderr, text),
    width: () => (of.stdout.isTTY ? of.stdout.columns || USUAL_WIDTH : null),
    paint: (style, text) => painter(of.stdout)(style, text),
  };
}

/**
 * `head` ends when it has read enough, and whoever writes on gets EPIPE. That is no failure, and no reason to stop: a command that destroys
 * goes on to its end. Other errors are thrown as before.
 */
export function mayLoseItsReader(stream: NodeJS.EventEmitter): void {
  stream.on("error", (error) => {
    if (codeOf(error) !== "EPIPE") throw error;
  });
}

/** Colours for one stream. */
export function painter(stream: NodeJS.WritableStream): Terminal["paint"] {
  return (style, text) => styleText(style, text, { stream });
}

// Zl and Zp are line ends too, and Bidi_Control turns the order of the text around it.
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** A text of a stranger on one line: without sequences that control a terminal, and with single blanks for line ends. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\s\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(CONTROLS, "")
    .trim();
}

/** A text of a stranger with its lines and tabs, and without anything else that controls a terminal. */
export function printableLines(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\r*\n/g, "\n")
    .replaceAll(CONTROLS, (character) => (character === "\n" || character === "\t" ? character : ""));
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** How many columns a text takes on a terminal, colours not counted. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text))
    width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** The beginning of a text that takes at most so many columns; its end is an ellipsis when it was cut. Colours are lost then. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = "";
  for (const character of stripVTControlCharacters(text)) {
    if (displayWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return width < 1 ? "" : `${cut.trimEnd()}…`;
}
