// `doctor --rent`: rents the cheapest acceptable offer once, waits until it answers, and destroys it, whatever happens in between. Touches
// the API, the instance and a state file of its own: what it holds is destroyed by the next run, if this one is killed.
import { stopwatch } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import { openSendWindow } from "../act/send-window.ts";
import { type OfferOutcome, tryOffer } from "../act/try-offer.ts";
import { noLease } from "../lease/lease.ts";
import type { Desired } from "../model/desired.ts";
import type { SearchQuery } from "../search/query.ts";
import { type Requirements, searchBody } from "../search/requirements.ts";
import { selectOffers } from "../search/select-offers.ts";
import { createdAs, createRefused, intend } from "../state/apply-outcome.ts";
import { emptyState, type State } from "../state/schema.ts";
import { type DestroyParts, destroyAll } from "../teardown/destroy-all.ts";
import { ownEndCalls } from "../teardown/end-calls.ts";
import { asVastError, VastError } from "../vast/errors.ts";
import type { Template } from "../vast/rows.ts";
import { type AwaitAnswerParts, awaitAnswer } from "./await-answer.ts";
import { type Finding, fail, ok, skip } from "./findings.ts";
import { CLEANUP_MS, costOf, type PricedOffer, planRent, type RentPlan } from "./rent-offer.ts";

export interface RentParts
  extends Pick<DestroyParts, "client" | "clock" | "log" | "load" | "confirm" | "print">,
    Pick<AwaitAnswerParts, "probe" | "allowLocal"> {
  desired: Desired;
  imageLogin: () => string | null;
  query: SearchQuery;
  needs: Requirements;
  template: Template;
  waitMs: number;
  maxDollars: number;
  save(state: State): Promise<void>;
  /** Removes the state file: nothing is left to destroy. */
  forget(): Promise<void>;
}

const CHECK = "rent";
const secondsOf = (ms: number) => `${Math.round(ms / 1000)} s`;

/** The label of trials beside the pods of this label. No pod and no reaper has it. */
export const trialLabel = (label: string) => `doctor=${label}`;

/** `stop`: the operator breaks it off. The instance is destroyed all the same. */
export async function rentOnce(parts: RentParts, stop: AbortSignal): Promise<Finding[]> {
  const { confirm, desired } = parts;
  const leftover = await cleanUp(parts, confirm);
  if (leftover !== null) return [leftover];
  const plan = await findPlan(parts, stop);
  if ("verdict" in plan) return [plan];
  if (!(await confirm(questionFor(plan, desired.label))))
    return [skip(CHECK, "nothing was rented: it was not confirmed")];
  const trial: Trial = { findings: [], paid: null };
  try {
    await tryOffers(parts, plan, trial, stop);
  } catch (error) {
    trial.findings.push(
      fail(CHECK, `broken off: ${messageOf(error)}`, "run it again; if this stays, report it as a defect"),
    );
  }
  const elapsedMs = stopwatch(parts.clock);
  const left = await cleanUp(parts, async () => true);
  if (left !== null) return [...trial.findings, left];
  if (trial.paid === null) return trial.findings;
  const dollars = costOf(trial.paid.dollarsPerHour, trial.paid.elapsedMs()).toFixed(4);
  const text = `destroyed and verified in ${secondsOf(elapsedMs())}; it cost at most about $${dollars}, without traffic`;
  return [...trial.findings, ok(CHECK, text)];
}

/** What happened so far. `paid`: since a create that may have made an instance was sent. */
interface Trial {
  findings: Finding[];
  paid: { dollarsPerHour: number; elapsedMs: () => number } | null;
}

async function findPlan(parts: RentParts, stop: AbortSignal): Promise<RentPlan | Finding> {
  const { client, needs, query, waitMs, maxDollars } = parts;
  try {
    const found = await client.searchOffers(searchBody(query, needs, []), stop);
    const { offers } = selectOffers(found, query, needs, { avoided: [], goneOffers: [] });
    const plan = planRent(offers, waitMs, maxDollars);
    return "why" in plan ? fail(CHECK, plan.why, plan.remedy) : plan;
  } catch (error) {
    return fail(CHECK, `nothing was rented: ${asVastError(error).message}`, "run it again");
  }
}

/** Offers one after another, until one is not gone; then waits for its instance. */
async function tryOffers(parts: RentParts, plan: RentPlan, trial: Trial, stop: AbortSignal): Promise<void> {
  const { clock, desired, print } = parts;
  const { findings } = trial;
  for (const offer of plan.offers) {
    if (stop.aborted) return void findings.push(skip(CHECK, "nothing was rented: broken off"));
    const elapsedMs = stopwatch(clock);
    const outcome = await createFrom(parts, offer, stop);
    if (outcome.kind === "gone") continue;
    if (["created", "left_contract", "unknown"].includes(outcome.kind))
      trial.paid = { dollarsPerHour: offer.dollarsPerHour, elapsedMs };
    if (outcome.kind !== "created") return void findings.push(judgeOutcome(outcome));
    const { contract: id } = outcome;
    findings.push(ok(CHECK, `instance ${id} created from offer ${offer.id} in ${secondsOf(elapsedMs())}`));
    print(`Instance ${id} is created. Waiting at most ${secondsOf(plan.waitMs)} until it answers.`);
    const answer = await awaitAnswer(
      { ...parts, label: desired.label, upstreamPort: desired.upstreamPort, progress: onChange(print) },
      id,
      plan.waitMs,
      stop,
    );
    const remedy = "correct what it names, or try again: another host may work";
    findings.push(
      answer.answers
        ? ok(CHECK, `it answered at ${answer.at} after ${secondsOf(elapsedMs())}`)
        : fail(CHECK, `instance ${id} did not answer: ${answer.why}`, remedy),
    );
    return;
  }
  findings.push(fail(CHECK, "all offers that were tried were taken by somebody else", "run it again"));
}

function questionFor({ offers, waitMs, mostDollars }: RentPlan, label: string): string {
  const [first] = offers;
  const what = first === undefined ? "" : ` (${first.gpuName}, $${first.dollarsPerHour.toFixed(3)}/h)`;
  return `Rent offer ${first?.id}${what} with the label ${label}, wait at most ${secondsOf(waitMs)} until it answers, and destroy it? It costs at most $${mostDollars.toFixed(2)}, without traffic.`;
}

/** The intent is on disk before the create is sent: whatever comes of it is found again. */
async function createFrom(parts: RentParts, offer: PricedOffer, stop: AbortSignal): Promise<OfferOutcome> {
  const { clock, desired, save, template } = parts;
  const { id: offerId, hostId, machineId, dollarsPerHour } = offer;
  const mayBeSent = openSendWindow(clock);
  const { label, image, templateName } = desired;
  const intent = { offerId, hostId, machineId, dollarsPerHour, label, startedAt: clock.now(), contract: null };
  const intended = intend(emptyState(label), intent);
  await save(intended);
  const action = {
    kind: "create",
    label,
    image,
    templateName,
    templateHash: template.hash,
    maxDollarsPerHour: null,
  } as const;
  const outcome = await tryOffer(
    { ...parts, mayMutate: async () => true },
    action,
    offer,
    template,
    mayBeSent,
    // A create that was sent is awaited: its answer names what has to be destroyed.
    { stop, abortMutations: new AbortController().signal },
  );
  if (outcome.kind === "created" || outcome.kind === "left_contract") await save(createdAs(intended, outcome.contract));
  else if (outcome.kind !== "unknown") await save(createRefused(intended));
  return outcome;
}

function judgeOutcome(outcome: Exclude<OfferOutcome, { kind: "created" | "gone" }>): Finding {
  switch (outcome.kind) {
    case "unknown":
      return fail(
        CHECK,
        "the API did not answer the create",
        "run it again; its instance, if there is one, is destroyed now",
      );
    case "not_sent":
      return skip(CHECK, "nothing was rented: the create was not sent");
    case "refused":
    case "left_contract":
      return fail(
        CHECK,
        `the create failed: ${outcome.failure.message}`,
        "check the image, the template and the right instance_write of the key",
      );
  }
}

/** Destroys what a trial has left. Null: nothing is left. Otherwise what may still be billed. */
async function cleanUp(parts: RentParts, confirm: DestroyParts["confirm"]): Promise<Finding | null> {
  const { clock, desired, forget } = parts;
  const { label } = desired;
  let waitedMs = stopwatch(clock);
  const remedy = `run doctor --rent again, or destroy the instances with the label ${label} in the console of Vast.ai`;
  try {
    const { done, left } = await destroyAll({
      ...parts,
      label,
      calls: ownEndCalls(parts.client, label),
      lease: noLease,
      provisionerRuns: async () => "no",
      adoptsAll: true,
      timeLeftMs: () => Math.max(0, CLEANUP_MS - waitedMs()),
      async confirm(question) {
        const yes = await confirm(question);
        waitedMs = stopwatch(clock); // thinking about the answer costs no time
        return yes;
      },
    });
    if (!done)
      return fail(
        CHECK,
        `a trial may still be billed${left.length === 0 ? "" : `: instance ${left.join(", ")}`}`,
        remedy,
      );
    await forget();
    return null;
  } catch (error) {
    if (error instanceof VastError) return fail(CHECK, `a trial may still be billed: ${error.message}`, remedy);
    throw error;
  }
}

function onChange(print: (text: string) => void): (text: string) => void {
  let last = "";
  return (text) => {
    if (text !== last) print(text);
    last = text;
  };
}
