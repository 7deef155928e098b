// The whole page around its parts, and the headers it is sent with. Pure.
import { createHash } from "node:crypto";
import { SCRIPT } from "./browser.ts";
import { Html, html } from "./html.ts";
import { writtenAt } from "./instants.ts";
import { PART_NAMES, type Tone, toneOf } from "./parts.ts";
import { STYLE } from "./style.ts";
import type { PageView } from "./view.ts";

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The page runs only its own script and asks only its own server, even if a hostile text should get into it as HTML. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    `script-src ${hashOf(SCRIPT)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

const ICON_COLOURS: Readonly<Record<Tone, string>> = { good: "1e9e56", busy: "2f78e0", warn: "d98a00", bad: "d63434" };

/** A dot in the colour of the state, so that a tab shows it. */
export function iconOf(state: string | null): string {
  const circle = `<circle cx="8" cy="8" r="7" fill="#${ICON_COLOURS[toneOf(state)]}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${circle}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** URLs are relative: it also works behind `kubectl proxy`, where its path is long. Without JavaScript it loads itself again. */
export function pageOf({ at, parts: write, state, title }: PageView): string {
  const parts = write(writtenAt(at));
  const elements = PART_NAMES.map((name) => {
    const part = new Html(parts[name]);
    return name === "foot"
      ? html`<footer id="${name}">${part}</footer>\n`
      : html`<section id="${name}">${part}</section>\n`;
  });
  return html`<!doctype html>
<html lang="en" data-at="${at}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" id="icon" href="${iconOf(state)}">
<noscript><meta http-equiv="refresh" content="10"></noscript>
<style>${new Html(STYLE)}</style>
</head>
<body>
<p id="old" role="alert" hidden></p>
<main>
${elements}</main>
<script>${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}
