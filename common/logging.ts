// The log of both containers: pino JSON lines on stdout, in which no secret can stand. Touches file descriptor 1.
import pino from "pino";
import type { LogEvent } from "./log-events.ts";

/** The fields of a line. `event` says what the line is about; `err` is an error, of which only what is safe is printed. */
export type LogFields = { event: LogEvent } & Readonly<Record<string, unknown>>;
type WriteLine = (fields: LogFields, message: string) => void;

/** Every line has an event and a message. */
export interface Logger {
  debug: WriteLine;
  info: WriteLine;
  warn: WriteLine;
  error: WriteLine;
}

export interface LoggingOptions {
  /** Which program speaks. */
  app: string;
  debug: boolean;
  /** Only warnings and errors, for commands that talk to a person. */
  quiet?: boolean;
  /** Texts that must never be printed, asked at each line since secrets rotate. */
  secrets: () => readonly string[];
  /** Where lines go; stdout when left out. */
  destination?: pino.DestinationStream;
}

// A shorter secret cannot be told from ordinary text: replacing every "a" would make the log unreadable.
const SHORTEST_SECRET = 4;

/** Makes the logger. Lines are written synchronously, so that the last one before an exit is never lost. */
export function createLogger(options: LoggingOptions): Logger {
  return pino(
    {
      level: options.debug ? "debug" : options.quiet ? "warn" : "info",
      base: { app: options.app },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      hooks: { streamWrite: (line) => scrub(line, options.secrets()) },
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** Replaces every occurrence of each secret, also in its JSON-escaped and URL-encoded form. */
export function scrub(text: string, secrets: readonly string[]): string {
  let clean = text;
  // The longest first: a secret that begins another would leave the rest of it standing.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length < SHORTEST_SECRET) continue;
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
      clean = clean.replaceAll(form, "[secret]");
    }
  }
  return clean;
}

/**
 * What of an error may be printed: an allow list, since errors of HTTP clients carry the request with its headers.
 * pino's own serialiser copies every property and has printed bearer tokens.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { type: error.name, message: error.message, ...code, ...(error.stack ? { stack: error.stack } : {}) };
}
