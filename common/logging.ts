// The log of both programs: JSON lines from pino on stdout, with all secrets removed. Touches file descriptor 1.
import pino from "pino";
import { codeOf } from "./errors.ts";
import type { LogEvent } from "./log-events.ts";

/** The fields of a line. `event` is what the line is about; of `err` only safe fields are printed. */
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
  /** The program's name. */
  app: string;
  debug: boolean;
  /** Only warnings and errors, for commands that talk to a person. */
  quiet?: boolean;
  /** Texts that must never be printed. Called for each line, because secrets rotate. */
  secrets: () => readonly string[];
  /** Where lines go; stdout by default. */
  destination?: pino.DestinationStream;
}

// A shorter secret is also part of ordinary words: replacing every "a" would make the log unreadable.
const SHORTEST_SECRET = 4;

/** Lines are written synchronously, so that the last one before the exit is not lost. */
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
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** Replaces every occurrence of each secret, also in its JSON-escaped and URL-encoded form. */
export function scrub(text: string, secrets: readonly string[]): string {
  let clean = text;
  // The longest first: if a short secret is the beginning of a longer one, the rest of the longer one would remain.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length < SHORTEST_SECRET) continue;
    for (const encoded of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
      clean = clean.replaceAll(encoded, "[secret]");
    }
  }
  return clean;
}

/**
 * The fields of an error that may be printed. It is an allow list: errors of HTTP clients contain the request with its headers, and
 * pino's own serialiser, which copies every property, has printed bearer tokens.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = codeOf(error);
  return {
    type: error.name,
    message: error.message,
    ...(code === null ? {} : { code }),
    ...(error.stack ? { stack: error.stack } : {}),
  };
}
