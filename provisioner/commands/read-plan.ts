// Reads everything that a plan depends on, and changes nothing: no lease, no file, no call that creates or destroys. Touches the API,
// Redis, the instances and, to read them, the files of the provisioner.
import type { Clock } from "../../common/clock.ts";
import type { Disk } from "../../common/disk.ts";
import { isFileSystemError, messageOf } from "../../common/errors.ts";
import { parseUpstreamFile } from "../../common/upstream-file.ts";
import type { FindOfferParts } from "../act/find-offers.ts";
import type { BanStore } from "../blacklist/store.ts";
import { type AccountReadings, createAccountReadings } from "../fleet/account-readings.ts";
import { known, type Published, type Seen } from "../model/observation.ts";
import type { ListReader } from "../observe/list-reader.ts";
import { createObserver } from "../observe/observe.ts";
import { pollSlotOf } from "../observe/poll-schedule.ts";
import type { Probe } from "../observe/probe.ts";
import { unknownBecause } from "../observe/unknown.ts";
import { decideForPlan, type PlanDecision } from "../report/plan-decision.ts";
import { type PlanContext, type PlanDocument, planDocument } from "../report/plan-document.ts";
import { needsCompleteSearch, planOffers } from "../report/plan-offers.ts";
import type { TemplateChange } from "../report/plan-steps.ts";
import { queryAlone, searchBody } from "../search/requirements.ts";
import type { PlanSettings } from "../settings.ts";
import { excludedMachines } from "../state/avoided.ts";
import { emptyState, type State } from "../state/schema.ts";
import { readState } from "../state/state-file.ts";
import { differences } from "../template/compare.ts";
import type { WantedTemplate } from "../template/file.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";

export interface PlanParts {
  settings: PlanSettings;
  client: Pick<VastClient, "listInstances" | "findTemplate" | "templates" | "readCredit" | "searchOffers">;
  /** What VAST_TEMPLATE_FILE says; null without one. */
  wantedTemplate: WantedTemplate | null;
  bans: BanStore;
  /** What is known of the machines and hosts of these offers. */
  recordsOf: FindOfferParts["recordsOf"];
  probe: Probe;
  clock: Clock;
  disk: Pick<Disk, "read">;
}

export async function readPlan(parts: PlanParts): Promise<PlanDocument> {
  const { settings, clock } = parts;
  const { desired, limits, policy, firstCreateWaitMs, drainMs, podName, warnings } = settings;
  const { stored, stateProblem } = await storedState(parts);
  const published = await publishedBefore(parts);
  const [seen, credit, templateChange] = await Promise.all([
    observe(parts, stored ?? emptyState(desired.label), published),
    readCredit(parts),
    readTemplateChange(parts),
  ]);
  const reading = { desired, limits, policy, firstCreateWaitMs, seen, stored, published, now: clock.now() };
  const plan = decideForPlan(reading);
  const offers = seen.list.known ? await findPlanOffers(parts, plan) : NO_LIST;
  return planDocument(
    { ...reading, pod: podName, drainMs, warnings, stateProblem, credit, templateChange, offers },
    plan,
  );
}

const NO_LIST = { known: false, why: "Offers were not searched for, because the instance list is unknown." } as const;

/** The state of the provisioner, where this user and machine can read it. */
async function storedState({
  settings,
  disk,
}: PlanParts): Promise<{ stored: State | null; stateProblem: string | null }> {
  const { statePath, desired } = settings;
  const without = (why: string) => ({
    stored: null,
    stateProblem: `The state file ${statePath} ${why}: what the provisioner remembers is not part of this plan, as its creates of the last hour and its pauses. Run this in the provisioner's container to include it.`,
  });
  try {
    const read = await readState(disk, statePath, desired.label);
    if (read === null) return without("does not exist here");
    return "state" in read ? { stored: read.state, stateProblem: null } : without(`cannot be used (${read.why})`);
  } catch (error) {
    if (!isFileSystemError(error)) throw error;
    return without(`cannot be read (${messageOf(error)})`);
  }
}

/** What nginx routes to; nothing where the file cannot be read. */
async function publishedBefore({ settings, disk }: PlanParts): Promise<Published> {
  const text = await disk.read(settings.upstreamPath).catch((error: unknown) => {
    if (!isFileSystemError(error)) throw error;
    return null;
  });
  const parsed = text === null ? null : parseUpstreamFile(text);
  const file = parsed?.ok === true && parsed.file.pod === settings.podName ? parsed.file : null;
  return { server: file?.server ?? null, instance: file?.instance ?? null };
}

async function observe({ settings, client, bans, probe, clock }: PlanParts, state: State, published: Published) {
  const { desired, allowLocal, podName } = settings;
  const alone = createAccountReadings({ client, clock, fleet: null });
  // A pass gives way to other pods with the same key; a person waits for the answer.
  const readings: AccountReadings = { ...alone, template: (name, age, signal) => alone.template(name, age, signal) };
  const slot = pollSlotOf(podName);
  const lists: ListReader = {
    begin: async () => undefined,
    async next() {
      const listedAt = clock.now();
      try {
        return { listedAt, list: known(await client.listInstances(desired.label)) };
      } catch (error) {
        return { listedAt, list: unknownBecause(asVastError(error)) };
      }
    },
    again: async () => null,
    wakeAt: (_last, _urgency, wantedAt) => wantedAt,
    templateIsNeeded: () => true,
  };
  const parts = { readings, bans, probe, clock, random: () => 0, desired, allowLocal, slot, own: null, lists };
  return createObserver(parts).observe(state, published, "now");
}

async function readCredit({ client }: PlanParts): Promise<Seen<number | null>> {
  try {
    return known(await client.readCredit());
  } catch (error) {
    return unknownBecause(asVastError(error));
  }
}

async function readTemplateChange({
  client,
  settings,
  wantedTemplate,
}: PlanParts): Promise<Seen<TemplateChange | null>> {
  if (wantedTemplate === null) return known(null);
  try {
    const [found] = await client.templates(settings.desired.templateName);
    if (found === undefined) return known({ kind: "create" });
    const fields = differences(wantedTemplate, found.row).map(({ field }) => field);
    return known(fields.length === 0 ? null : { kind: "edit", fields });
  } catch (error) {
    return unknownBecause(asVastError(error));
  }
}

/** A second search is made only where the first one does not show which offer a create would take. */
async function findPlanOffers(
  { client, settings, recordsOf }: PlanParts,
  { needs, state }: PlanDecision,
): Promise<PlanContext["offers"]> {
  const { query } = settings;
  if (needs === null)
    return {
      known: false,
      why: "Offers cannot be searched for without the template: it says how much disk they need.",
    };
  try {
    const found = await client.searchOffers(queryAlone(query, needs));
    const complete = needsCompleteSearch(found, query)
      ? await client.searchOffers(searchBody(query, needs, excludedMachines(state)))
      : null;
    const records = query.byExpectedCost ? await recordsOf(complete ?? found, state) : {};
    return { known: true, value: planOffers(found, complete, query, needs, state, records) };
  } catch (error) {
    return { known: false, why: `The offers are unknown (${asVastError(error).message}).` };
  }
}
