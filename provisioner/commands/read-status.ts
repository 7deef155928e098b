// Reads what `status` shows: the account's instances and credit, what the provisioner here says, and which pods the cluster wants. Changes
// nothing. Touches the API, the provisioner's status port and the cluster's API, through its parts.
import * as z from "zod";
import type { Clock } from "../../common/clock.ts";
import { codeOf } from "../../common/errors.ts";
import { getJson } from "../../common/http.ts";
import { fleetKeys } from "../fleet/keys.ts";
import { readReports, type SeenReport } from "../fleet/reports.ts";
import { whyText } from "../model/account.ts";
import { known, type Seen } from "../model/observation.ts";
import { unknownBecause } from "../observe/unknown.ts";
import type { ScriptRunner } from "../redis/commands.ts";
import { type FleetReading, type FleetStatus, fleetStatus, totalOf } from "../report/fleet-status.ts";
import { type StatusDocument, statusDocumentSchema } from "../report/status-document.ts";
import type { PodLabels } from "../teardown/read-labels.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError, VastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";

export interface StatusParts {
  /** Null: only the provisioner here is asked. */
  client: Pick<VastClient, "listAccount" | "readCredit"> | null;
  /** The fleet's, with what to say when it does not answer; null: none is set. */
  redis: { scripts: ScriptRunner; accountId(): Promise<number>; explain(error: unknown): string } | null;
  askProvisioner(): Promise<Answer>;
  /** Only instances whose labels begin with it; null: all. */
  prefix: string | null;
  /** Null: not in a cluster, or there is no prefix to compare with the names of its pods. */
  readLabels: (() => Promise<PodLabels | { problem: string }>) | null;
  clock: Clock;
}

/** What the provisioner says; `null`: none listens there. */
type Answer = { status: StatusDocument } | { problem: string } | null;

export interface StatusReading {
  status: FleetStatus;
  /** False: what was asked for is not known. */
  complete: boolean;
}

export async function readStatus(parts: StatusParts): Promise<StatusReading> {
  const { client, clock } = parts;
  const [own, account] = await Promise.all([
    parts.askProvisioner(),
    client === null ? null : readAccount(client, parts),
  ]);
  const problems = [...(account?.problems ?? [])];
  if (own !== null && "problem" in own) problems.push(own.problem);
  if (own === null && account === null) problems.push(NOBODY);
  const status = own !== null && "status" in own ? own.status : null;
  const isAsked = parts.prefix === null || status?.label.startsWith(parts.prefix) === true;
  const reading: FleetReading = {
    lists: account?.lists ?? null,
    accountDollarsPerHour: account?.dollarsPerHour ?? null,
    own: isAsked ? status : null,
    reports: account?.reports ?? "no_redis",
    orphans: account?.orphans ?? null,
    credit: account?.credit ?? unknownBecause("it was not asked for"),
    problems,
    now: clock.now(),
  };
  const complete =
    account === null ? reading.own !== null : account.lists.known && account.isWhole && account.reports !== "unknown";
  return { status: fleetStatus(reading), complete };
}

const NOBODY =
  "No provisioner answers on PROVISIONER_STATUS_PORT, and there is no VAST_API_KEY to ask the account: run this in the provisioner's container, or set the key.";

type Lists = ReadonlyMap<string, readonly Instance[]>;

interface AccountReading extends Pick<FleetReading, "orphans" | "credit" | "reports"> {
  lists: Seen<Lists>;
  dollarsPerHour: number | null;
  /** Every label's instances can be read. */
  isWhole: boolean;
  problems: readonly string[];
}

async function readAccount(
  client: NonNullable<StatusParts["client"]>,
  { prefix, redis, readLabels }: StatusParts,
): Promise<AccountReading> {
  const isAsked = (label: string) => prefix === null || label.startsWith(prefix);
  const [listed, credit, told] = await Promise.all([readLists(client), readCredit(client), reportsOf(redis)]);
  const problems = credit.known ? [] : [`The credit is unknown (${whyText(credit.why)}).`];
  if (typeof told === "object" && "problem" in told) problems.push(told.problem);
  const reports: FleetReading["reports"] =
    told === "no_redis" ? told : "problem" in told ? "unknown" : new Map([...told].filter(([label]) => isAsked(label)));
  if (!listed.known) {
    problems.unshift(`The instances of the account are unknown (${whyText(listed.why)}).`);
    return { lists: listed, dollarsPerHour: null, isWhole: false, orphans: null, credit, reports, problems };
  }
  const asked = [...listed.value].filter(([label]) => isAsked(label));
  const lists = new Map<string, readonly Instance[]>();
  for (const [label, list] of asked) {
    if (list instanceof VastError)
      problems.push(`The instances with the label ${label} are unknown (${list.message}).`);
    else lists.set(label, list);
  }
  const labels = readLabels === null ? null : await readLabels();
  if (labels !== null && "problem" in labels) problems.push(`Orphans are not known: ${labels.problem}.`);
  const orphans =
    labels === null || "problem" in labels
      ? null
      : new Set(
          [...lists.keys(), ...(typeof reports === "string" ? [] : reports.keys())].filter(
            (label) => labels.isOfPods(label) && !labels.isWanted(label),
          ),
        );
  const all = [...listed.value.values()];
  const prices = all.flatMap((list) => (list instanceof VastError ? [null] : list.map((row) => row.dollarsPerHour)));
  const isWhole = asked.every(([, list]) => !(list instanceof VastError));
  return { lists: known(lists), dollarsPerHour: totalOf(prices), isWhole, orphans, credit, reports, problems };
}

/** What the provisioners say, by label. */
async function reportsOf(
  redis: StatusParts["redis"],
): Promise<ReadonlyMap<string, SeenReport> | { problem: string } | "no_redis"> {
  if (redis === null) return "no_redis";
  const because = (why: string) => ({ problem: `What the provisioners of other pods say is unknown (${why}).` });
  let accountId: number;
  try {
    accountId = await redis.accountId();
  } catch (error) {
    return because(whyText(unknownBecause(asVastError(error)).why));
  }
  try {
    return await readReports(redis.scripts, fleetKeys(accountId));
  } catch (error) {
    return because(redis.explain(error));
  }
}

async function readLists({ listAccount }: NonNullable<StatusParts["client"]>) {
  try {
    // A pass gives way to other pods with the same key; a person waits for the answer.
    return known((await listAccount(undefined, { retryRateLimited: true })).lists);
  } catch (error) {
    return unknownBecause(asVastError(error));
  }
}

async function readCredit(client: NonNullable<StatusParts["client"]>): Promise<Seen<number | null>> {
  try {
    return known(await client.readCredit());
  } catch (error) {
    return unknownBecause(asVastError(error));
  }
}

// /status asks the reloader, which takes up to a second where it does not answer.
const ASK_DEADLINE_MS = 3000;
const withMessage = z.looseObject({ message: z.string() });

const silentOn = (port: number) =>
  `What listens on port ${port} (PROVISIONER_STATUS_PORT) does not answer within ${ASK_DEADLINE_MS / 1000} s: the provisioner here is busy or hangs; try again, then look at its log.`;

/** Asks the provisioner on this machine. */
export async function askProvisioner(port: number, clock: Clock): Promise<Answer> {
  let answer: unknown;
  try {
    ({ data: answer } = await getJson(`http://127.0.0.1:${port}/status`, clock, ASK_DEADLINE_MS));
  } catch (error) {
    // Without an answer in time one may run; otherwise no server listens there, or it is none of ours.
    return codeOf(error) === "ERR_CANCELED" ? { problem: silentOn(port) } : null;
  }
  const read = statusDocumentSchema.safeParse(answer);
  if (read.success) return { status: read.data };
  const cannotStart = withMessage.safeParse(answer);
  if (cannotStart.success) return { problem: `The provisioner here does not run: ${cannotStart.data.message}` };
  const fields = read.error.issues.map(({ path }) => path.join(".") || "top level");
  return {
    problem: `What answers on port ${port} (PROVISIONER_STATUS_PORT) is not this version's provisioner: ${fields.slice(0, 3).join(", ")} cannot be read.`,
  };
}
