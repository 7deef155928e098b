// The page's script: takes the changed parts from the stream, lets times go on, and says when what is seen is old. Pure.
import { shortDuration } from "../screens/amounts.ts";

// Two ticks may be late; after that nothing that is shown can be relied on.
const SILENCE_MS = 15_000;
// A refused stream, as while the program starts again or too many pages are open, is not tried again by the browser itself.
const RETRY_MS = 3_000;

/** Inline, because the page asks for nothing but its stream; its hash is in the page's Content-Security-Policy. */
export const SCRIPT = `
"use strict";
const shortDuration = ${shortDuration};
const shown = {};
const bar = document.getElementById("old");
let clockOffset = Date.parse(document.documentElement.dataset.at) - Date.now();
let heardAt = performance.now();
let broken = false;
const now = () => Date.now() + clockOffset;
function heard(at) {
  clockOffset = Date.parse(at) - Date.now();
  heardAt = performance.now();
  broken = false;
  showTimes();
}
function showTimes() {
  for (const one of document.querySelectorAll("time[data-form]")) {
    const ms = Date.parse(one.dateTime) - now();
    const text = shortDuration(Math.abs(ms));
    const form = one.dataset.form;
    const words = form === "in" ? (ms <= 0 ? "now" : "in " + text) : form === "ago" ? text + " ago" : text;
    if (one.textContent !== words) one.textContent = words;
  }
  for (const one of document.querySelectorAll("progress")) {
    const from = Date.parse(one.dataset.from);
    one.value = Math.min(Math.max((now() - from) / (Date.parse(one.dataset.to) - from), 0), 1);
  }
  const silentMs = performance.now() - heardAt;
  const isOld = broken || silentMs > ${SILENCE_MS};
  document.body.classList.toggle("old", isOld);
  bar.hidden = !isOld;
  if (isOld) bar.textContent = "No connection to the provisioner: what you see is " + shortDuration(silentMs) + " old. Trying again.";
}
function listen() {
  const stream = new EventSource("events");
  stream.onmessage = (event) => {
    const { at, content: { icon, parts, title } } = JSON.parse(event.data);
    for (const [name, text] of Object.entries(parts)) {
      if (shown[name] === text) continue;
      shown[name] = text;
      document.getElementById(name).innerHTML = text;
    }
    document.title = title;
    document.getElementById("icon").href = icon;
    heard(at);
  };
  stream.addEventListener("tick", (event) => heard(event.data));
  stream.onerror = () => {
    broken = true;
    showTimes();
    if (stream.readyState !== EventSource.CLOSED) return;
    stream.close();
    setTimeout(listen, ${RETRY_MS});
  };
}
setInterval(showTimes, 1000);
listen();
`;
