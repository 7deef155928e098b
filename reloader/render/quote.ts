// Decides whether a value may be written to an nginx config, and quotes it. Every value of the template comes from here. Pure.
import { isIPv6 } from "node:net";
import { isHost } from "../../common/upstream-file.ts";

/** The desired config cannot be rendered. The message says why, and what to do. */
export class RenderError extends Error {
  override readonly name: string = "RenderError";
}

/** A value that must not reach nginx. The message names its field, shows it as JSON and says why. */
export class UnsafeValueError extends RenderError {
  override readonly name = "UnsafeValueError";
  constructor(field: string, value: unknown, why: string) {
    super(`${field} is ${JSON.stringify(value)}, which cannot be used in an nginx config: ${why}`);
  }
}

/**
 * Text as one double-quoted nginx token. Backslash and quote are escaped; braces, semicolons and blanks are plain text
 * between quotes. `$` begins a variable and nginx has no escape for it, so it is refused, and so are control characters.
 */
export function quoted(field: string, text: string): string {
  if (text.includes("$")) throw new UnsafeValueError(field, text, "nginx has no escape for $");
  return quoteLiteral(field, text);
}

/** The same for places without variables, such as the values of `geo`, where `$` is plain text. */
export function quoteLiteral(field: string, text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
  if (/[\x00-\x1f\x7f]/.test(text)) throw new UnsafeValueError(field, text, "it has control characters");
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** An IP address and port in the syntax of `upstream`: `203.0.113.9:80`, `[2001:db8::1]:80`. */
export function endpoint(field: string, address: string, port: number): string {
  if (!isHost(address) || /[^0-9a-fA-F.:]/.test(address) || !/[.:]/.test(address)) {
    throw new UnsafeValueError(field, address, "it is not an IP address");
  }
  return `${isIPv6(address) ? `[${address}]` : address}:${whole(field, port, 1, 65535)}`;
}

/** A whole number within bounds. */
export function whole(field: string, value: number, min: number, max: number): string {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new UnsafeValueError(field, value, `it is not a whole number from ${min} to ${max}`);
  }
  return String(value);
}

/** A time of at most `maxSeconds` in nginx' syntax: `4s`, or `400ms` when it is not a whole number of seconds. */
export function duration(field: string, ms: number, maxSeconds: number): string {
  const text = whole(field, ms, 1, maxSeconds * 1000);
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${text}ms`;
}

/** A size in nginx' syntax: digits and at most one of k, m, g. */
export function size(field: string, text: string): string {
  if (!/^\d{1,9}[kKmMgG]?$/.test(text)) throw new UnsafeValueError(field, text, "it is not a size like 10M");
  return text;
}

/** Text for a comment: one line of JSON, in which line breaks are escaped. */
export function comment(field: string, value: unknown): string {
  const text = JSON.stringify(value);
  if (/[\r\n]/.test(text)) throw new UnsafeValueError(field, value, "it does not fit on one line");
  return text;
}
