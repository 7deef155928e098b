// The screen of `plan`: its document as text for a terminal. Pure.
import { hiddenColumns, renderTable } from "../../common/table.ts";
import { oneLine, type Terminal } from "../../common/terminal.ts";
import { type PlanDocument, stepsTaken } from "../report/plan-document.ts";
import type { PlanOffers } from "../report/plan-offers.ts";
import { exclusionText } from "../search/exclusions.ts";
import { counted, dollarsText, NOT_KNOWN, perHourText, priceCell, shortDuration } from "./amounts.ts";

type Paint = Terminal["paint"];

const NAMED_BANS = 3;

/** `width`: columns of the terminal; null: nothing is cut. */
export function planScreen(document: PlanDocument, paint: Paint, width: number | null): string {
  return [
    heading(document, paint),
    ...comparison(document, paint),
    ...decisionLines(document, paint),
    ...offerLines(document, paint, width),
    accountLine(document),
    ...document.notes.map((note) => paint("yellow", `Note: ${oneLine(note)}`)),
    "",
  ].join("\n");
}

/** What would be done, one step on a line, for scripts: `destroy/7835610`. Without steps there is no line. */
export function planNames(document: PlanDocument): string {
  if (!document.wouldAct) return "";
  return stepsTaken(document)
    .map(({ kind, instanceId, offerId }) => `${[kind, instanceId ?? offerId ?? ""].filter(String).join("/")}\n`)
    .join("");
}

function heading({ pod, label, policy }: PlanDocument, paint: Paint): string {
  return `${paint("bold", oneLine(pod))}   label ${oneLine(label)}   policy ${policy}`;
}

function comparison(document: PlanDocument, paint: Paint): string[] {
  const { instance, image, template, maxDollarsPerHour } = document;
  const ceiling = maxDollarsPerHour === null ? "no ceiling" : `ceiling ${perHourText(maxDollarsPerHour)}`;
  if (instance === null) {
    const none = document.known ? "none" : NOT_KNOWN;
    return [
      fact("instance", none),
      fact("image", `wanted ${oneLine(image.wanted ?? "")}`),
      fact("template", `${oneLine(template.name)} ${template.wanted ?? NOT_KNOWN}`),
      fact("price", ceiling),
    ];
  }
  const { hostId, machineId, ban, dollarsPerHour } = instance;
  const banned =
    document.bans === null
      ? "bans unknown"
      : ban === null
        ? "not banned"
        : `${ban.kind} banned (${oneLine(ban.reason)})`;
  const over = maxDollarsPerHour !== null && dollarsPerHour !== null && dollarsPerHour > maxDollarsPerHour;
  return [
    fact("instance", `${instance.id}   ${statusText(instance)}`),
    fact("image", compared(image, paint)),
    fact("template", `${oneLine(template.name)}   ${compared(template, paint)}`),
    fact("host", `${hostId ?? NOT_KNOWN}/${machineId ?? NOT_KNOWN}   ${ban === null ? banned : paint("red", banned)}`),
    fact("price", `${perHourText(dollarsPerHour)}   ${ceiling}${over ? paint("red", "   ABOVE IT") : ""}`),
    ...document.others.map(({ description }) => fact("duplicate", paint("red", oneLine(description)))),
  ];
}

const fact = (name: string, text: string) => `  ${name.padEnd(9)}  ${text}`;

function statusText({ status, statusMessage, serving, probe, endpointProblem }: NonNullable<PlanDocument["instance"]>) {
  const word = status ?? "scheduled";
  if (serving && probe !== null) return `${word}, serving ${probe.host}:${probe.port}`;
  const why = probe === null ? (endpointProblem ?? "") : probe.ok ? "answers, not served yet" : probe.why;
  const details = [why, statusMessage].map(oneLine).filter((text) => text !== "");
  return [word, ...details].join("; ");
}

function compared({ wanted, is, match }: PlanDocument["image"], paint: Paint): string {
  const shown = oneLine(is ?? NOT_KNOWN);
  switch (match) {
    case "same":
      return `${shown}   same`;
    case "different":
      return `wanted ${oneLine(wanted ?? NOT_KNOWN)}   is ${shown}   ${paint("yellow", "DIFFERS")}`;
    case "not_reported":
      return `wanted ${oneLine(wanted ?? NOT_KNOWN)}   is ${NOT_KNOWN}, the API does not report it yet`;
    case "not_known":
    case "none":
      return `wanted ${oneLine(wanted ?? NOT_KNOWN)}   is ${shown}`;
  }
}

function decisionLines(document: PlanDocument, paint: Paint): string[] {
  const { steps, obstacle, reason, message, known, policy } = document;
  const why = `Why:    ${oneLine(message)} (${reason})`;
  if (!known) return [`Would:  ${NOT_KNOWN}`, why];
  const shown = steps.map(({ text }, i) => `${i + 1}. ${oneLine(text)}`).join("  ");
  const suppressed = steps.length > 0 && steps.every((step) => step.suppressed);
  if (steps.length === 0) return ["Would:  change nothing", why];
  if (suppressed)
    return ["Would:  change nothing", why, `Wanted: ${shown}`, `        VAST_POLICY=${policy} forbids it`];
  if (obstacle !== null) {
    const taken = stepsTaken(document).map(({ text }) => oneLine(text));
    const would = taken.length === 0 ? "change nothing" : paint("bold", taken.join("  "));
    return [`Would:  ${would}`, why, `Wanted: ${shown}`, `        ${paint("yellow", oneLine(obstacle))}`];
  }
  const forbidden = steps.flatMap((step, i) => (step.suppressed ? [i + 1] : []));
  return [
    `Would:  ${paint("bold", shown)}`,
    ...(forbidden.length === 0 ? [] : [`        not step ${forbidden.join(", ")}: VAST_POLICY=${policy} forbids it`]),
    why,
  ];
}

function offerLines({ offers, steps }: PlanDocument, paint: Paint, width: number | null): string[] {
  if (offers === null) return [`Offers: ${NOT_KNOWN}`];
  const { found, foundIsLeast, left, leftIsLeast, best, excluded, order } = offers;
  const title = `Offers: ${atLeast(found, foundIsLeast)} found, ${atLeast(left, leftIsLeast)} left   # taken in the order of ${oneLine(order)}`;
  const among = foundIsLeast ? `of the ${found} cheapest ` : "";
  const out = excluded.length === 0 ? [] : [`  out: ${among}${oneLine(exclusionText(excluded))}`];
  if (best.length === 0) return [title, ...out];
  const taken = steps.find(({ kind }) => kind === "create")?.offerId ?? null;
  const table = renderTable(
    OFFER_COLUMNS,
    best.map((offer, i) => offerRow(offer, i, taken)),
    width === null ? null : width - 2,
  );
  const lines = `${table.text}${hiddenColumns(table)}`.trimEnd().split("\n");
  return [
    title,
    ...lines.map((line, i) => `  ${i === 1 ? paint("bold", line) : i === 0 ? paint("dim", line) : line}`),
    ...best.flatMap(rankingLine),
    ...out,
  ];
}

const atLeast = (count: number, isLeast: boolean) => `${count}${isLeast ? " or more" : ""}`;

const OFFER_COLUMNS = [
  { head: "#", key: "number", right: true },
  { head: "OFFER", key: "offer" },
  { head: "GPU", key: "gpu" },
  { head: "$/H", key: "price", right: true },
  { head: "PLACE", key: "place", drop: 2 },
  { head: "REL", key: "reliability", right: true, drop: 4 },
  { head: "DOWN", key: "down", right: true, drop: 6 },
  { head: "ENDS", key: "ends", right: true, drop: 3 },
  { head: "HOST", key: "host", drop: 5 },
  { head: "", key: "mark" },
] as const;

function offerRow(offer: PlanOffers["best"][number], index: number, taken: number | null) {
  const { reliability, downMbps, seconds, hostId, machineId } = offer;
  return {
    number: String(index + 1),
    offer: String(offer.id),
    gpu: `${offer.gpus ?? NOT_KNOWN}x ${oneLine(offer.gpu) || NOT_KNOWN}`,
    price: priceCell(offer.dollarsPerHour),
    place: oneLine(offer.place ?? NOT_KNOWN),
    reliability: reliability === null ? NOT_KNOWN : `${(reliability * 100).toFixed(1)}%`,
    down: downMbps === null ? NOT_KNOWN : downMbps.toFixed(0),
    ends: seconds === null ? NOT_KNOWN : `in ${shortDuration(seconds * 1000)}`,
    host: `${hostId ?? NOT_KNOWN}/${machineId ?? NOT_KNOWN}`,
    mark: offer.id === taken ? "<- this one" : "",
  };
}

/** One line for an offer that is not ranked by its price alone. */
function rankingLine({ id, ranking }: PlanOffers["best"][number]): string[] {
  if (ranking === null) return [];
  return [`  offer ${id} ranks as ${perHourText(ranking.dollarsPerHour)}: ${oneLine(ranking.why)}`];
}

function accountLine({ budget, creditDollars, bans }: PlanDocument): string {
  const creates =
    budget === null
      ? `${NOT_KNOWN} creates left`
      : `${budget.createsLeft} of ${budget.createsPerHour} creates left this hour${budget.freeAt === null ? "" : `, the next at ${budget.freeAt}`}`;
  return `Budget: ${creates}   Credit: ${dollarsText(creditDollars)}   Bans: ${bansText(bans)}`;
}

function bansText(bans: PlanDocument["bans"]): string {
  if (bans === null) return NOT_KNOWN;
  if (bans.length === 0) return "none";
  const named = bans.slice(0, NAMED_BANS).map(({ kind, id, reason }) => `${kind} ${id} ${oneLine(reason)}`);
  const more = bans.length > NAMED_BANS ? `, ... ${counted(bans.length - NAMED_BANS, "other")}` : "";
  return `${bans.length} (${named.join(", ")}${more})`;
}
