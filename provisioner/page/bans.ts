// The page's bans: the hosts and machines on which nothing is rented. Pure.
import type { StatusDocument } from "../report/status-document.ts";
import { counted } from "../screens/amounts.ts";
import { type Html, html } from "./html.ts";

// A fleet may have hundreds: the newest reasons are in the history.
const MOST_SHOWN = 10;

export function bansPart({ bans }: Pick<StatusDocument, "bans">): Html {
  const title = html`<h2>Bans <small>hosts and machines on which nothing is rented</small></h2>`;
  if (bans === null) return html`${title}<p class="empty">Not known.</p>`;
  if (bans.length === 0) return html`${title}<p class="empty">None.</p>`;
  const rows = bans
    .slice(0, MOST_SHOWN)
    .map(
      ({ kind, id, reason, written }) =>
        html`<div><dt>${kind} <code>${id}</code></dt><dd><code>${reason}</code>${written ? null : ", of this pod alone until Redis answers"}</dd></div>`,
    );
  const more = bans.length - MOST_SHOWN;
  return html`${title}<dl class="rows">${rows}</dl>
<p class="remedy">${more > 0 ? `and ${counted(more, "other")}. ` : ""}<code>vast-provisioner bans list</code> shows ${more > 0 ? "all of them, with " : ""}when they end.</p>`;
}
