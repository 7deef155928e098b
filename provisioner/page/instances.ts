// The page's instances: the pod's own, and those that should not be there. Pure.
import type { StatusDocument } from "../report/status-document.ts";
import { NOT_KNOWN, perHourText } from "../screens/amounts.ts";
import { type Html, html } from "./html.ts";
import type { TimeWriter } from "./instants.ts";

type Instance = StatusDocument["instances"][number];

export function instancesPart(status: StatusDocument, when: TimeWriter): Html {
  const { instances, list, pendingDeletes } = status;
  const unlisted = pendingDeletes.filter(({ id }) => !instances.some((one) => one.id === id));
  const empty =
    list === null || !list.known
      ? "The instance list is unknown: whether an instance exists and is billed is unknown too."
      : "No instance has this pod's label: nothing is rented.";
  return html`<h2>${instances.length > 1 ? "Instances" : "Instance"} <small>${status.label}</small></h2>
${instances.length === 0 ? html`<p class="empty">${empty}</p>` : instances.map((one) => card(one, when))}
${unlisted.map(
  ({ id, reason, since }) => html`<article class="bad">
<h3><code>${id}</code> <b class="tag">is being destroyed, may still be billed</b></h3>
<p><code>${reason}</code>, ordered ${when(since, "ago")}; the last list does not show it</p></article>`,
)}`;
}

function card(instance: Instance, when: TimeWriter): Html {
  const { id, gpu, statusMessage, image, hostId, machineId, createdAt, endsAt, pendingPrice, endpoint } = instance;
  const [tone, word] = standOf(instance);
  return html`<article class="${tone}">
<h3><span class="dot"></span>${gpu === "" ? "Instance" : gpu} <code>${id}</code> <b class="tag">${word}</b></h3>
${statusMessage === "" || instance.serving === true ? null : html`<p class="said"><span>Vast says</span> ${statusMessage}</p>`}
<dl class="facts">
${fact("price", html`${perHourText(instance.dollarsPerHour)}${pendingPrice === null ? null : html`, then ${perHourText(pendingPrice.dollarsPerHour)}`}`)}
${fact("image", html`<code>${image}</code>`)}
${fact("endpoint", endpoint ? html`<code>${endpoint.host}:${endpoint.port}</code>` : html`none yet`)}
${fact("host / machine", html`<code>${hostId ?? NOT_KNOWN} / ${machineId ?? NOT_KNOWN}</code>`)}
${fact("rented", createdAt === null ? html`${NOT_KNOWN}` : html`${when(createdAt, "ago")}`)}
${fact("contract ends", endsAt === null ? html`${NOT_KNOWN}` : html`${when(endsAt, "in")}`)}
</dl></article>`;
}

function standOf({ current, pendingDelete, serving, status }: Instance): [tone: string, word: string] {
  if (pendingDelete) return ["bad", "is being destroyed, may still be billed"];
  if (!current) return ["bad", "not the pod's own, is billed"];
  if (serving === true) return ["good", "serving"];
  return status === "running" ? ["warn", "running, not serving"] : ["busy", status ?? "no status yet"];
}

function fact(name: string, value: Html): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}
