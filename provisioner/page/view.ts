// What the page shows: a pod's status, or why its provisioner cannot start. Pure.
import type { StartFailure } from "../../common/stay-up.ts";
import type { StatusDocument } from "../report/status-document.ts";
import { html } from "./html.ts";
import type { TimeWriter } from "./instants.ts";
import { type Parts, partsOf, stateLine } from "./parts.ts";

export interface PageView {
  at: string;
  title: string;
  state: string | null;
  parts(when: TimeWriter): Parts;
}

export function statusView(status: StatusDocument): PageView {
  const { at, pod, state } = status;
  return { at, title: `${pod}: ${state ?? "starting"}`, state, parts: (when) => partsOf(status, when) };
}

/** Only what is known without settings. Parts that have nothing to show are hidden. */
export function failureView({ failures, message, reason, state }: StartFailure, at: string): PageView {
  const head = html`<div class="top"><h1>vast-pod</h1></div>
${stateLine(state, null)}
<p class="message" aria-live="polite">The provisioner cannot start: ${message}</p>
<p class="reason"><code>${reason}</code></p>
<p class="warning warn"><b>Note</b> Nothing is created, destroyed or taken out of nginx until it starts: an instance that exists is still
billed.</p>`;
  const next = html`<h2>Next</h2><p class="lead">It tries again within 30 s. Failed starts in a row: ${failures}.</p>`;
  const none = { proxy: "", money: "", instances: "", history: "", bans: "" };
  const foot = html`<p><a href="status">status as JSON</a></p>`;
  return {
    at,
    title: "vast-pod: cannot start",
    state,
    parts: () => ({ ...none, head: head.text, next: next.text, foot: foot.text }),
  };
}
