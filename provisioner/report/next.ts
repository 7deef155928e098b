// What the pod waits for, until when, and what happens then: the decision table is asked about later instants with what is known now.
// So every limit of every rule is found, and none is written down twice. Pure.
import type { LoopState } from "../loop-state.ts";
import type { Desired, Limits, Policy } from "../model/desired.ts";
import type { Observation } from "../model/observation.ts";
import { OURS, type Ownership } from "../model/ownership.ts";
import { type Action, type Decision, interruptsInstance } from "../model/plan.ts";
import { REASON_TEXTS } from "../model/reason-texts.ts";
import type { Reason } from "../model/reasons.ts";
import { decide } from "../plan/plan.ts";
import { applyPolicy } from "../plan/policy.ts";
import { applyObservation } from "../state/apply-observation.ts";
import type { State } from "../state/schema.ts";
import type { StatusDocument } from "./status-document.ts";

/** What the decisions depend on besides what is observed. */
export interface DecisionSettings {
  desired: Desired;
  limits: Limits;
  policy: Policy;
  firstCreateWaitMs: number;
}

type Next = NonNullable<StatusDocument["next"]>;
type Mutation = Extract<Action, { kind: "create" | "destroy" | "update" | "raise_bid" | "ban" | "forget_intent" }>;

const FIRST_STEP_MS = 1000;
// Almost a month: no limit of a rule that has one is longer.
const HORIZON_MS = 2 ** 31;

/** Null before the first pass. */
export function nextOf(loop: LoopState, settings: DecisionSettings, now: number): Next | null {
  const { plan, seen, nextPassAt } = loop;
  if (plan === null || seen === null) return null;
  const lookAt = nextPassAt === null ? null : iso(Math.max(nextPassAt, now));
  const at = (later: number) => decisionAt(loop, seen, settings, later);
  const present = at(now);
  if (mutations(present).length > 0)
    return {
      waitsFor: whatHolds(loop, present, settings),
      lookAt,
      deadline: null,
      afterwards: consequence(present, loop, settings),
    };
  const { waitsFor, afterwards } = REASON_TEXTS[present.reason];
  const id = plan.instance?.id;
  const named = (text: string) => text.replaceAll("{instance}", id === undefined ? "the instance" : `instance ${id}`);
  const changesAt = firstChange(present, at, now);
  return {
    waitsFor: named(waitsFor),
    lookAt,
    deadline: changesAt === null ? null : iso(changesAt),
    afterwards: changesAt === null ? named(afterwards) : consequence(at(changesAt), loop, settings),
  };
}

/** What is decided at an instant if nothing changes until then. */
function decisionAt(loop: LoopState, seen: Observation, settings: DecisionSettings, now: number): Decision {
  const { desired, limits, firstCreateWaitMs } = settings;
  const later = { ...seen, listedAt: now };
  const state = applyObservation(loop.state, later, desired, firstCreateWaitMs, now);
  const published = { server: loop.file?.server ?? null, instance: loop.file?.instance ?? null };
  const ownership = ownershipAt(loop.ownership, now);
  return decide({ desired, seen: later, state, ownership, now, limits }, published);
}

function ownershipAt(ownership: Ownership, now: number): Ownership {
  return ownership.kind === "unknown" && ownership.until !== null && ownership.until <= now ? OURS : ownership;
}

/** When another decision is made for the first time (epoch ms), or null. */
function firstChange(present: Decision, at: (now: number) => Decision, now: number): number | null {
  // Nothing that only time has changed is undone by time alone. Most pods serve, and wait for nothing.
  if (isSame(present, at(now + HORIZON_MS))) return null;
  let same = now;
  for (let step = FIRST_STEP_MS; step <= HORIZON_MS; step *= 2) {
    if (isSame(present, at(now + step))) {
      same = now + step;
      continue;
    }
    let other = now + step;
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      if (isSame(present, at(middle))) same = middle;
      else other = middle;
    }
    return other;
  }
  return null;
}

/** Messages count down, so they are not compared. */
function isSame(a: Decision, b: Decision): boolean {
  if (a.reason !== b.reason || a.state !== b.state) return false;
  if ((a.serving.server === null) !== (b.serving.server === null)) return false;
  return mutations(a).join() === mutations(b).join();
}

/** What the decision would create, destroy, update, ban or forget, as sentences without an end. */
function mutations({ actions }: Decision): string[] {
  return actions.flatMap((action): string[] => (isMutation(action) ? [sentenceOf(action)] : []));
}

function isMutation(action: Action): action is Mutation {
  return ["create", "destroy", "update", "raise_bid", "ban", "forget_intent"].includes(action.kind);
}

function sentenceOf(action: Mutation): string {
  switch (action.kind) {
    case "create":
      return "an instance is created";
    case "destroy":
      return action.reason === "still_listed"
        ? `the destroy of instance ${action.id} is sent again`
        : `instance ${action.id} is destroyed (${action.reason})`;
    case "update":
      return `instance ${action.id} is updated in place (${action.reason})`;
    case "raise_bid":
      return `the bid of instance ${action.id} is raised`;
    case "ban":
      return action.target === null ? "no host can be banned" : `${action.target.kind} ${action.target.id} is banned`;
    case "forget_intent":
      return "the create is given up, and another instance is created";
  }
}

/** What is done by the decision, in one sentence. */
function consequence(decision: Decision, { state }: LoopState, { policy, desired }: DecisionSettings): string {
  const done = mutations(decision);
  if (done.length === 0) return decision.message;
  const { reason, serving, actions } = decision;
  const isKept = actions.some(({ kind }) => kind === "update");
  if ((!isKept && interruptsInstance(actions, serving.instance?.id)) || reason === "create_never_appeared") {
    const waits = WAITING_REASONS.has(reason) || (reason === "app_not_listening" && isAgain(state, desired));
    done.push(waits ? "the next create waits" : "another one is created");
  }
  const last = done.at(-1);
  const sentence = done.length === 1 ? `${last}` : `${done.slice(0, -1).join(", ")}, and ${last}`;
  if (!isSuppressed(decision, policy)) return sentence;
  return `nothing, because VAST_POLICY=${policy} suppresses it; otherwise ${sentence}`;
}

// The image or the template's disk is at fault: the state then holds a backoff (state/apply-outcome.ts).
const WAITING_REASONS: ReadonlySet<Reason> = new Set(["image_unavailable", "disk_too_small"]);

function isAgain({ notListening }: State, { revision }: Desired): boolean {
  return notListening?.wanted === revision;
}

function isSuppressed(decision: Decision, policy: Policy): boolean {
  return mutations(applyPolicy(decision, policy).decision).length < mutations(decision).length;
}

/** Why what is decided has not been done yet. */
function whatHolds({ plan, problem }: LoopState, present: Decision, { policy }: DecisionSettings): string {
  if (plan?.reason === "waiting_for_turn") return REASON_TEXTS.waiting_for_turn.waitsFor;
  if (problem !== null) return "the state file and the upstream file to become writable";
  if (isSuppressed(present, policy)) return "a person, or another VAST_POLICY";
  return "the next pass";
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
