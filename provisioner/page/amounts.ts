// How times and amounts of money are written on the page. Pure.
import { type Html, html } from "./html.ts";

export const UNKNOWN = "?";

/** `$0.316/h` */
export function rate(dollarsPerHour: number | null): string {
  return dollarsPerHour === null ? UNKNOWN : `$${dollarsPerHour.toFixed(3)}/h`;
}

/** `$24.02` */
export function dollars(amount: number | null): string {
  if (amount === null) return UNKNOWN;
  return amount > 0 && amount < 0.01 ? "<$0.01" : `${amount < 0 ? "-" : ""}$${Math.abs(amount).toFixed(2)}`;
}

/**
 * `42s`, `6m 12s`, `41m`, `3h 5m`, `3d 4h`. The browser runs the text of this function to let times go on between two updates: it must
 * use nothing outside itself, and contain no other function.
 */
export function durationText(ms: number): string {
  const s = Math.max(Math.round(ms / 1000), 0);
  const m = Math.floor(s / 60);
  const h = Math.floor(m / 60);
  if (s < 60) return `${s}s`;
  if (m < 10) return s % 60 === 0 ? `${m}m` : `${m}m ${s % 60}s`;
  if (h < 1) return `${m}m`;
  if (h < 24) return m % 60 === 0 ? `${h}h` : `${h}h ${m % 60}m`;
  return h % 24 === 0 ? `${h / 24}d` : `${Math.floor(h / 24)}d ${h % 24}h`;
}

/** `2026-11-29 10:31:02 UTC` */
export function utc(instant: string): string {
  return `${instant.slice(0, 19).replace("T", " ")} UTC`;
}

/** `10:31:02 UTC`, and on another day than `now`: `11-28 10:31 UTC`. */
export function clockTime(instant: string, now: string): string {
  return instant.slice(0, 10) === now.slice(0, 10)
    ? `${instant.slice(11, 19)} UTC`
    : `${instant.slice(5, 10)} ${instant.slice(11, 16)} UTC`;
}

/** Writes instants as seen at `now`. */
export type TimeWriter = (instant: string, form: "ago" | "in" | "for") => Html;

/** The page as it is sent: also without JavaScript it has every time. */
export function writtenAt(now: string): TimeWriter {
  return (instant, form) => {
    const ms = Date.parse(instant) - Date.parse(now);
    const text = durationText(Math.abs(ms));
    // What was to come and has passed is due: the next update says what came of it.
    const words = form === "in" ? (ms <= 0 ? "now" : `in ${text}`) : form === "ago" ? `${text} ago` : text;
    return timeElement(instant, form, words);
  };
}

/** For updates: the browser writes the text itself, so that an update is sent only when something else has changed. */
export const writtenByBrowser: TimeWriter = (instant, form) => timeElement(instant, form, "");

function timeElement(instant: string, form: string, words: string): Html {
  return html`<time datetime="${instant}" data-form="${form}" title="${utc(instant)}">${words}</time>`;
}
