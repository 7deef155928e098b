// How instants are written on the page. Pure.
import { shortDuration } from "../screens/amounts.ts";
import { type Html, html } from "./html.ts";

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
    const text = shortDuration(Math.abs(ms));
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
