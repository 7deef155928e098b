// The parts of the page, each of which the browser replaces as a whole when it has changed. Pure.
import type { StatusDocument } from "../report/status-document.ts";
import { bansPart } from "./bans.ts";
import { type Html, html } from "./html.ts";
import { instancesPart } from "./instances.ts";
import { clockTime, type TimeWriter } from "./instants.ts";
import { moneyPart } from "./money.ts";
import { warningsOf } from "./warnings.ts";

export type Tone = "good" | "busy" | "warn" | "bad";

/** In the order of the page; the names are the elements' ids. */
export const PART_NAMES = ["head", "next", "proxy", "money", "instances", "history", "bans", "foot"] as const;
export type Parts = Readonly<Record<(typeof PART_NAMES)[number], string>>;

const TONES: Readonly<Record<string, Tone>> = {
  ready: "good",
  provisioning: "busy",
  unavailable: "warn",
  blocked: "bad",
};

export function toneOf(state: string | null): Tone {
  return TONES[state ?? ""] ?? "busy";
}

export function partsOf(status: StatusDocument, when: TimeWriter): Parts {
  return {
    head: headPart(status, when).text,
    next: nextPart(status, when).text,
    proxy: proxyPart(status).text,
    money: moneyPart(status, when).text,
    instances: instancesPart(status, when).text,
    history: historyPart(status, when).text,
    bans: bansPart(status).text,
    foot: footPart(status, when).text,
  };
}

function headPart(status: StatusDocument, when: TimeWriter): Html {
  const { at, message, pod, policy, reason, remedy, since, state, wouldRent } = status;
  return html`<div class="top"><h1>${pod}</h1>${policy === "sync" ? null : html`<b class="tag">policy ${policy}</b>`}</div>
${stateLine(state, since === null ? null : html`for ${when(since, "for")}, since ${clockTime(since, at)}`)}
<p class="message" aria-live="polite">${message ?? "The first look at the instance list has not finished."}</p>
${wouldRent === null ? null : html`<p class="message">With VAST_POLICY=sync it ${wouldRent.message}.</p>`}
${remedy === null ? null : html`<p class="remedy">${remedy}</p>`}
${reason === null ? null : html`<p class="reason"><code>${reason}</code></p>`}
${warningsOf(status).map(({ tone, text }) => html`<p class="warning ${tone}"><b>${tone === "bad" ? "Problem" : "Note"}</b> ${text}</p>`)}`;
}

/** The state in words and colour. */
export function stateLine(state: string | null, since: Html | null): Html {
  return html`<p class="state ${toneOf(state)}"><span class="dot"></span><b>${state ?? "starting"}</b>${
    since === null ? null : html` <span class="since">${since}</span>`
  }</p>`;
}

function nextPart({ at, next, since }: StatusDocument, when: TimeWriter): Html {
  if (next === null) return html`<h2>Next</h2><p class="empty">Nothing is waited for.</p>`;
  const { afterwards, deadline, lookAt, waitsFor } = next;
  return html`<h2>Next</h2>
<p class="lead">Waiting for ${waitsFor}.</p>
${deadline === null || since === null ? null : html`<progress data-from="${since}" data-to="${deadline}" max="1"></progress>`}
<dl class="rows">
${lookAt === null ? null : html`<div><dt>looks again</dt><dd>${when(lookAt, "in")}</dd></div>`}
${deadline === null ? null : html`<div><dt>until</dt><dd>${when(deadline, "in")}, ${clockTime(deadline, at)}</dd></div>`}
${afterwards === null ? null : html`<div><dt>then</dt><dd>${afterwards}</dd></div>`}
</dl>`;
}

function proxyPart({ desired, generation, proxy, server }: StatusDocument): Html {
  const wanted = server === null ? html`nothing (503)` : html`<code>${server.host}:${server.port}</code>`;
  const applied = proxy?.appliedGeneration ?? null;
  const isApplied = generation !== null && applied === generation;
  const serves =
    proxy === null
      ? html`unknown: the reloader does not answer`
      : isApplied
        ? html`the same, generation ${generation}`
        : html`generation ${applied ?? "?"}, wanted is ${generation ?? "?"}${proxy.state === null ? null : ` (${proxy.state})`}`;
  return html`<h2>Wanted and applied</h2>
<dl class="rows">
<div><dt>routes to</dt><dd>${wanted}</dd></div>
<div class="${isApplied ? "good" : "warn"}"><dt>nginx has</dt><dd>${serves}</dd></div>
<div><dt>image</dt><dd><code>${desired.image}</code></dd></div>
<div><dt>template</dt><dd><code>${desired.template}</code></dd></div>
</dl>`;
}

function historyPart({ at: now, history }: StatusDocument, when: TimeWriter): Html {
  if (history.length === 0) return html`<h2>History</h2><p class="empty">Nothing has changed yet.</p>`;
  const rows = history.toReversed().map(
    ({ at: instant, instanceId, message, reason, state }) => html`<li class="${toneOf(state)}">
<span class="at">${clockTime(instant, now)}<br><small>${when(instant, "ago")}</small></span><span class="dot"></span>
<div><b>${state}</b> <code>${reason}</code>${instanceId === null ? null : html` <small>${instanceId}</small>`}<p>${message}</p></div></li>`,
  );
  return html`<h2>History <small>the last ${history.length}</small></h2><ol>${rows}</ol>`;
}

function footPart({ finishedAt, list, passes, startedAt, version }: StatusDocument, when: TimeWriter): Html {
  const listAge = list === null ? html`not read yet` : html`read ${when(list.at, "ago")}`;
  const passAge =
    finishedAt === null ? html`the first pass runs` : html`pass ${passes} finished ${when(finishedAt, "ago")}`;
  return html`<p>instance list ${listAge} · ${passAge} · up ${when(startedAt, "for")} · vast-pod ${version}</p>
<p><a href="status">status as JSON</a> · <a href="metrics">metrics</a></p>`;
}
