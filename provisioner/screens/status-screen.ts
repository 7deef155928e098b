// The screen of `status`: its document as text for a terminal. Pure.
import { type Column, hiddenColumns, renderTable } from "../../common/table.ts";
import { oneLine, type Style, type Terminal } from "../../common/terminal.ts";
import type { FleetStatus } from "../report/fleet-status.ts";
import type { PodStatus } from "../report/pod-status.ts";
import type { StatusDocument } from "../report/status-document.ts";
import { counted, dollarsText, NOT_KNOWN, perHourText, priceCell, shortDuration } from "./amounts.ts";

type Paint = Terminal["paint"];

// A year has 8,760 hours.
const HOURS_A_MONTH = 730;

/** `width`: columns of the terminal; null: nothing is cut. `wide`: all columns. */
export function statusScreen(status: FleetStatus, paint: Paint, width: number | null, wide: boolean): string {
  const { pods, own, problems } = status;
  const lines: string[] = [];
  if (pods.length > 0) {
    const knowsSince = pods.some(({ since }) => since !== null);
    const columns = (wide ? WIDE_COLUMNS : COLUMNS).filter(({ key }) => key !== "since" || knowsSince);
    const table = renderTable(
      columns,
      pods.map((pod) => cells(pod, status.at, paint)),
      wide ? null : width,
    );
    lines.push(`${table.text}${hiddenColumns(table)}`.trimEnd());
  } else if (problems.length === 0) lines.push("No instances.");
  lines.push(totals(status));
  if (status.reports === "no_redis" && pods.some(({ label }) => label !== own?.label)) lines.push(NO_REPORTS);
  if (own !== null) lines.push(...details(own, paint));
  lines.push(...problems.map((problem) => paint("red", oneLine(problem))));
  return `${lines.join("\n")}\n`;
}

const NO_REPORTS =
  "Why and what next of other pods, and pods without an instance, need the fleet's Redis: set FLEET_REDIS_URL, or BLACKLIST_ENABLED=true with BLACKLIST_REDIS_URL.";

/** The names of the pods, the worst first, for scripts. */
export function statusNames({ pods }: FleetStatus): string {
  return [...new Set(pods.map(({ pod }) => oneLine(pod)))].map((name) => `${name}\n`).join("");
}

type Cells = ReturnType<typeof cells>;

const COLUMNS: readonly Column<keyof Cells & string>[] = [
  { head: "POD", key: "pod" },
  { head: "STATE", key: "state" },
  { head: "SINCE", key: "since", right: true, drop: 3 },
  { head: "AGE", key: "age", right: true, drop: 5 },
  { head: "GPU", key: "gpu", drop: 2 },
  { head: "$/H", key: "price", right: true },
  { head: "SO FAR", key: "soFar", right: true, drop: 1 },
  { head: "IMAGE", key: "image", drop: 4 },
  { head: "WHY", key: "why", shrink: true },
];
const WIDE_COLUMNS: readonly Column<keyof Cells & string>[] = [
  ...COLUMNS.slice(0, -1),
  { head: "INSTANCE", key: "instance" },
  { head: "HOST", key: "host" },
  { head: "ENDPOINT", key: "endpoint" },
  { head: "TEMPLATE", key: "template" },
  { head: "ENDS", key: "ends", right: true },
  { head: "PAID", key: "paid", right: true },
  { head: "WASTED", key: "wasted", right: true },
  ...COLUMNS.slice(-1),
];

function cells(pod: PodStatus, at: string, paint: Paint) {
  const { state, instanceId, since, createdAt, hostId, machineId } = pod;
  const has = instanceId !== null;
  const ofInstance = (text: string) => (has ? text : "-");
  const name = oneLine(pod.pod);
  return {
    pod: state === "orphan" || state === "duplicate" ? `(${name})` : name,
    state: paint(styleOf(state), oneLine(state)),
    since: since === null ? NOT_KNOWN : ago(since, at),
    age: ofInstance(createdAt === null ? NOT_KNOWN : ago(createdAt, at)),
    gpu: ofInstance(oneLine(pod.gpu ?? NOT_KNOWN)),
    price: ofInstance(priceCell(pod.dollarsPerHour)),
    soFar: ofInstance(dollarsText(pod.soFarDollars)),
    image: pod.image === null ? ofInstance(NOT_KNOWN) : shortImage(oneLine(pod.image)),
    instance: ofInstance(String(instanceId)),
    host: ofInstance(`${hostId ?? NOT_KNOWN}/${machineId ?? NOT_KNOWN}`),
    endpoint: oneLine(pod.endpoint ?? "-"),
    template: ofInstance(oneLine(pod.templateHash ?? NOT_KNOWN)),
    ends: ofInstance(pod.endsAt === null ? NOT_KNOWN : `in ${until(pod.endsAt, at)}`),
    paid: dollarsText(pod.paidDollars),
    wasted: dollarsText(pod.wastedDollars),
    why: [oneLine(pod.why), nextText(pod, at), priceText(pod, at), endText(pod, at)]
      .filter((text) => text !== "")
      .join("; "),
  };
}

function styleOf(state: string): Style {
  if (state === "ready" || state === "running") return "green";
  return state === "provisioning" || state === "loading" || state === "destroying" ? "yellow" : "red";
}

const ago = (instant: string, at: string) => shortDuration(Date.parse(at) - Date.parse(instant));
const until = (instant: string, at: string) => ago(at, instant);

// Time enough to replace it in working hours.
const ENDS_SOON_MS = 86_400_000;

function endText({ endsAt }: PodStatus, at: string): string {
  if (endsAt === null || Date.parse(endsAt) - Date.parse(at) > ENDS_SOON_MS) return "";
  return `its contract ends in ${until(endsAt, at)}`;
}

function priceText({ pendingPrice }: PodStatus, at: string): string {
  if (pendingPrice === null) return "";
  const from = pendingPrice.at === null ? "" : ` in ${until(pendingPrice.at, at)}`;
  return `its host asks for ${perHourText(pendingPrice.dollarsPerHour)}${from}`;
}

/** What happens if nothing changes until then, or what is waited for. Of a pod that serves, only what has a limit is news. */
function nextText({ state, next }: PodStatus, at: string): string {
  if (next === null) return "";
  // A report may be some minutes old, and its limit over.
  const limit = next.at !== null && Date.parse(next.at) > Date.parse(at) ? next.at : null;
  // The contract of a pod that serves ends one day.
  const isFar = limit !== null && Date.parse(limit) - Date.parse(at) > ENDS_SOON_MS;
  if (limit !== null && next.text !== null && !(isFar && state === "ready"))
    return `${oneLine(next.text)} in ${until(limit, at)}`;
  return state === "ready" ? "" : `waits for ${oneLine(next.waitsFor)}`;
}

/** `app:2` of `registry.example/team/app:2`. */
function shortImage(image: string): string {
  return image.slice(image.lastIndexOf("/") + 1);
}

/** Estimates are called so: traffic is billed apart and is in no price. */
function totals({
  totals: { instances, dollarsPerHour, soFarDollars },
  creditDollars,
  creditHours,
}: FleetStatus): string {
  const month = dollarsPerHour === null ? NOT_KNOWN : `$${(dollarsPerHour * HOURS_A_MONTH).toFixed(0)}`;
  const lasts = creditHours === null ? "" : ` = ${shortDuration(creditHours * 3_600_000)} at this rate of the account`;
  const count = instances === null ? `${NOT_KNOWN} instances` : counted(instances, "instance");
  return [
    `${count}  ${perHourText(dollarsPerHour)}  about ${month} a month  about ${dollarsText(soFarDollars)} so far (without traffic)`,
    `credit ${dollarsText(creditDollars)}${lasts}`,
  ].join("\n");
}

/** What only the pod's own provisioner knows. */
function details(own: StatusDocument, paint: Paint): string[] {
  const { pod, message, reason, next, proxy, list, budget, money, problem, wouldRent } = own;
  const fact = (name: string, text: string) => `  ${name.padEnd(7)} ${text}`;
  const age =
    list === null
      ? "never read"
      : `read ${shortDuration(list.ageSeconds * 1000)} ago${list.known ? "" : `, unknown: ${oneLine(list.why ?? "")}`}`;
  const free = budget.freeAt === null ? "" : `, the next at ${budget.freeAt}`;
  return [
    "",
    paint("bold", oneLine(pod)),
    fact("why", `${oneLine(message ?? "the first pass has not finished")}${reason === null ? "" : ` (${reason})`}`),
    ...(own.remedy === null ? [] : [fact("do", oneLine(own.remedy))]),
    ...(wouldRent === null ? [] : [fact("observe", oneLine(wouldRent.message))]),
    ...(next === null ? [] : [fact("next", nextSentence(next, own.at))]),
    fact("proxy", proxyText(proxy)),
    fact("list", age),
    fact("creates", `${budget.createsLeft} of ${budget.createsPerHour} left this hour${free}`),
    fact("money", moneyText(money)),
    ...(problem === null ? [] : [fact("problem", paint("red", oneLine(problem)))]),
  ];
}

/** Nothing is counted before the first list. */
function moneyText({ paidDollars, wastedDollars, since, billed }: StatusDocument["money"]): string {
  if (since === null) return NOT_KNOWN;
  const counted = `${dollarsText(paidDollars)} paid since ${since} (estimate), ${dollarsText(wastedDollars)} of it while nothing was served`;
  return billed === null ? counted : `${counted}; billed ${dollarsText(billed.dollars)} since ${billed.since}`;
}

function nextSentence({ waitsFor, deadline, afterwards }: NonNullable<StatusDocument["next"]>, at: string): string {
  const limit = deadline === null ? "" : ` until ${deadline} (in ${until(deadline, at)})`;
  const then = afterwards === null ? "" : `${deadline === null ? ";" : ", then"} ${oneLine(afterwards)}`;
  return `waits for ${oneLine(waitsFor)}${limit}${then}`;
}

function proxyText(proxy: StatusDocument["proxy"]): string {
  if (proxy === null) return `${NOT_KNOWN}, the reloader does not answer`;
  const { state, appliedGeneration, problem } = proxy;
  const applied = `${state ?? NOT_KNOWN}, generation ${appliedGeneration ?? NOT_KNOWN} applied`;
  return problem === null ? applied : `${applied}: ${oneLine(problem)}`;
}
