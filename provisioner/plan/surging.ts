// The rule for an outdated instance and its replacement, or its create. Pure.
import { CREATE_DEADLINE_MS } from "../model/deadlines.ts";
import type { ObservedInstance } from "../model/observation.ts";
import { type Action, type Decision, interruptsInstance } from "../model/plan.ts";
import { FAILED_RULES } from "./failed-instance.ts";
import { replacement } from "./replacement.ts";
import { noChange, type Rule } from "./rule.ts";
import { type KeptInstance, onlyWith, type Situation } from "./situation.ts";
import { isSuperseded } from "./superseded.ts";
import { UNRESPONSIVE_RULES } from "./unresponsive.ts";

export const SURGING_RULE: Rule = {
  name: "surging",
  observed:
    "`VAST_UPDATE_STRATEGY=surge`, and beside an instance that differs, or whose contract ends, or that is on demand where a bid is wanted, there is one of which that is not true, or a create that may have made one",
  plan: "publish the new one when its probe passes, and only then drain and destroy the old one; destroy the new one when a rule below would, or after `BLACKLIST_BAN_AFTER_SECONDS`",
  decide(situation) {
    const { surge, instances } = situation;
    if (surge === null) return createPending(situation);
    const { old, next } = surge;
    const others = instances.filter(({ row }) => row.id !== old.row.id && row.id !== next.row.id);
    if (others.length > 0) return tooMany(others, situation);
    if (isOfOther(next, situation)) return leftAlone(old, next, situation);
    if (next.track.serving) return switched(old, next, situation);
    const dead = old.track.serving ? null : ending(old, situation);
    if (dead !== null) return dead;
    return failed(next, situation) ?? waiting(old, next, situation);
  },
};

/**
 * The provisioner that started later ends its surge itself, when its nginx has switched. If it does not come back, two would be paid for
 * without an end.
 */
function isOfOther({ track }: KeptInstance, situation: Situation): boolean {
  return isSuperseded(situation) && situation.now - track.waitingSince <= situation.limits.banAfterMs;
}

function leftAlone(old: KeptInstance, next: KeptInstance, situation: Situation): Decision {
  const message = `${next.name} replaces ${old.name} for a provisioner that started later: both are left to it`;
  return noChange(situation, "surging", message, stateOf(situation));
}

/** As for any duplicate: beside two instances that belong together, every other one is. */
function tooMany(others: readonly ObservedInstance[], situation: Situation): Decision {
  const actions = others.map(({ row: { id, hostId, machineId } }): Action => {
    return { kind: "destroy", id, hostId, machineId, reason: "duplicate" };
  });
  const ids = others.map(({ row }) => row.id).join(", ");
  const message = `${situation.instances.length} instances have the label ${situation.desired.label}: one and its replacement are kept, destroyed: ${ids}`;
  return { ...noChange(situation, "duplicate", message, stateOf(situation)), actions, nextCheckAt: situation.now };
}

function waiting(old: KeptInstance, next: KeptInstance, situation: Situation): Decision {
  const progress =
    next.track.runningSince === null
      ? `is ${next.row.actualStatus ?? "being scheduled"}`
      : "runs and does not answer yet";
  const message = `${purpose(situation)}${old.name} serves until ${next.name} does, which replaces it and ${progress}`;
  return noChange(situation, "surging", message, stateOf(situation));
}

/** An update, or the end of a contract, shows in the two rows; that this saves money does not. */
function purpose({ state: { surge } }: Situation): string {
  return surge?.old.toBid ? `back to ${surge.old.wanted}: ` : "";
}

function switched({ row, name }: KeptInstance, next: KeptInstance, situation: Situation): Decision {
  const { id, hostId, machineId } = row;
  const actions: Action[] = [{ kind: "destroy", id, hostId, machineId, reason: "duplicate" }];
  const message = `${purpose(situation)}${next.name} serves in place of ${name}, which is destroyed`;
  return { ...noChange(situation, "surging", message, "ready"), actions, nextCheckAt: situation.now };
}

/** The decision that destroys this instance, if there is one. */
function ending(one: KeptInstance, situation: Situation): Decision | null {
  const alone = onlyWith(one, situation);
  for (const rule of [...FAILED_RULES, ...UNRESPONSIVE_RULES]) {
    const decision = rule.decide(alone);
    if (decision !== null) return interruptsInstance(decision.actions, one.row.id) ? decision : null;
  }
  return null;
}

/** The replacement is given up: by the rules for any instance, or because two are paid for long enough. */
function failed(next: KeptInstance, situation: Situation): Decision | null {
  const { serving, now, limits } = situation;
  const end =
    ending(next, situation) ?? (now - next.track.waitingSince > limits.banAfterMs ? tooLate(next, situation) : null);
  return end && { ...end, serving, state: stateOf(situation) };
}

function tooLate({ row, track, name }: KeptInstance, situation: Situation): Decision {
  const reason = track.runningSince === null ? "start_timeout" : "app_not_listening";
  const seconds = situation.limits.banAfterMs / 1000;
  const message = `${name} was to replace another instance and has not served within BLACKLIST_BAN_AFTER_SECONDS (${seconds} s); it is destroyed`;
  return replacement(row, situation, reason, message);
}

function createPending(situation: Situation): Decision | null {
  const { state, kept, now, instances } = situation;
  const { intent } = state;
  if (intent === null || kept === null || instances.length !== 1 || intent.besides?.id !== kept.row.id) return null;
  const isOver = now - intent.startedAt >= CREATE_DEADLINE_MS;
  const what = `${kept.name} is to be replaced; `;
  if (!isOver)
    return noChange(
      situation,
      "surging",
      `${what}the instance that was created to replace it is not listed yet`,
      stateOf(situation),
    );
  // It is destroyed by its id (housekeeping.ts).
  if (intent.contract !== null)
    return noChange(
      situation,
      "surging",
      `${what}instance ${intent.contract} was created and is not listed`,
      stateOf(situation),
    );
  const message = `${what}a create with an unknown outcome left no instance within ${CREATE_DEADLINE_MS / 1000} s`;
  const actions: Action[] = [{ kind: "forget_intent" }];
  return { ...noChange(situation, "surging", message, stateOf(situation)), actions, nextCheckAt: now };
}

const stateOf = ({ serving, kept }: Situation) => {
  if (serving.server !== null) return "ready";
  return kept?.track.wasReady ? "unavailable" : "provisioning";
};
