// The rules for an instance as it is wanted or not: duplicates, another image or template, and serving. Pure.
import { phaseOf } from "../model/instance-phase.ts";
import type { Action, Decision } from "../model/plan.ts";
import { type HeldReason, heldReplacement, wasRefused } from "../state/held-replacement.ts";
import { replacementAllowedAt } from "../state/replacements.ts";
import { PASSES_TO_RETURN } from "../state/track.ts";
import type { Instance } from "../vast/rows.ts";
import { BACK_TO_BID_RULE } from "./back-to-bid.ts";
import { type Difference, differenceOf } from "./difference.ts";
import { spentBudget } from "./no-instance.ts";
import { ready } from "./ready.ts";
import { replacement } from "./replacement.ts";
import { BLOCKED_MS, NEXT_CHECK_MS, noChange, type Rule, SERVING_MS, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";
import { surgeStart } from "./surge-start.ts";
import { inPlace, updateInPlace } from "./update-in-place.ts";

// Each destroy waits for its rate limit: with more of them in one pass the next list, and what it may show, would be late.
const MOST_DUPLICATES = 4;

export const DUPLICATE_RULE: Rule = {
  name: "duplicate",
  observed: "two or more instances with the label",
  plan: "keep the best (serving, not stopped, right image and hash, running, starting, the oldest, in this order) and destroy up to four others in a pass",
  decide: withInstance(({ row, name }, situation) => {
    const { instances, desired, serving, now } = situation;
    if (instances.length < 2) return null;
    const others = instances
      .map((one) => one.row)
      .filter(({ id }) => id !== row.id)
      .slice(0, MOST_DUPLICATES);
    const actions = others.map((other): Action => {
      const { id, hostId, machineId } = other;
      return { kind: "destroy", id, hostId, machineId, reason: endOf(other, situation) };
    });
    const ids = others.map(({ id }) => id).join(", ");
    const message = `${instances.length} instances have the label ${desired.label}: ${name} is kept, destroyed: ${ids}`;
    const state = serving.server === null ? "provisioning" : "ready";
    return { ...noChange(situation, "duplicate", message, state), actions, nextCheckAt: now };
  }),
};

/** A replacement that was outbid or stopped while the outdated instance serves has failed: it is no duplicate. */
function endOf(row: Instance, { state, now }: Situation): "duplicate" | "instance_outbid" | "instance_stopped" {
  const phase = phaseOf(row, row.createdAt ?? now, now);
  if (row.id !== state.surge?.newId || phase.phase !== "lost") return "duplicate";
  return phase.status === "outbid" || phase.status === "stopped" ? `instance_${phase.status}` : "duplicate";
}

export const DESIRED_RULES: readonly Rule[] = [
  {
    name: "replacement_held",
    observed:
      "it differs, and a short time ago its destroy or update was refused; or it serves, and its update has failed or nothing could be created: no credit, no offer, the API refuses (with `VAST_UPDATE_PRECHECK=none` only for a surge)",
    plan: "keep it, and serve it if it answers; `blocked` with this reason; try again with exponential backoff, what serves only when the API takes changes again, where the account or key was the cause",
    decide: withInstance((kept, situation) => {
      const { state, serving, now } = situation;
      const difference = differenceOf(kept, situation);
      const held = difference && heldReplacement(state, kept.row.id, difference.wanted, now);
      if (!held || isOverruled(held.reason, situation) || (serving.server === null && !wasRefused(held.reason)))
        return null;
      return noChange(situation, held.reason, held.message, "blocked", Math.min(SERVING_MS, held.until - now));
    }),
  },
  {
    name: "replacement_budget",
    observed:
      "it serves and differs, and two instances were replaced for a difference within an hour, one of them for this setting",
    plan: "keep serving until an hour after the earlier one; `blocked: replacement_budget`",
    decide: withInstance((kept, situation) => {
      const { state, desired, serving, now } = situation;
      const difference = differenceOf(kept, situation);
      if (difference === null || serving.server === null || isUnproven(difference, situation)) return null;
      const allowedAt = replacementAllowedAt(state, desired.revision, now);
      if (allowedAt === null) return null;
      const { wanted, reported } = difference;
      const message = `${kept.name} has ${reported}, but ${wanted} is wanted; it serves on, because ${state.replacements.length} instances were replaced for such differences within an hour. The next replacement is possible at ${new Date(allowedAt).toISOString()}: find out what changes the image or the template so often`;
      return noChange(situation, "replacement_budget", message, "blocked", SERVING_MS);
    }),
  },
  {
    name: "no_create_left",
    observed: "it serves, differs and is not updated in place, and `VAST_MAX_CREATES_PER_HOUR` is reached",
    plan: "keep serving until a create is an hour old; `blocked: create_budget`",
    decide: withInstance((kept, situation) => {
      const difference = differenceOf(kept, situation);
      const spent = spentBudget(situation);
      if (difference === null || spent === null || situation.serving.server === null) return null;
      if (isUnproven(difference, situation) || inPlace(kept, difference, situation).action !== null) return null;
      const { wanted, reported } = difference;
      const message = `${kept.name} has ${reported}, but ${wanted} is wanted; it serves on, because nothing may be created: ${spent.message}`;
      return noChange(situation, "create_budget", message, "blocked", SERVING_MS);
    }),
  },
  {
    name: "image_changed",
    observed: "the image differs",
    plan: "replace it, or with `VAST_UPDATE_STRATEGY=in-place` its container where that is possible; with `surge` create another one while it serves",
    decide: withInstance((kept, situation) => replaceIfDifferent("image_changed", kept, situation)),
  },
  {
    name: "template_changed",
    observed: "the template hash differs (a missing hash counts once the instance is older than 10 min)",
    plan: "the same",
    decide: withInstance((kept, situation) => replaceIfDifferent("template_changed", kept, situation)),
  },
  {
    name: "not_converging",
    observed:
      "it serves and differs, and the last replacement was made for the same desired value, but no instance has had that value for 5 min since",
    plan: "keep it until the setting changes; `blocked: not_converging`",
    // Without a server the rules below decide: an instance that is also broken would be billed and serve nobody.
    decide: withInstance((kept, situation) => {
      const difference = differenceOf(kept, situation);
      if (difference === null || situation.serving.server === null) return null;
      const { wanted, reported } = difference;
      const message = `${kept.name} is a replacement but still has ${reported}, and ${wanted} is wanted; it is kept. Write the setting as the API reports it, or correct it; if another provisioner uses this label, give each its own VAST_LABEL`;
      return noChange(situation, "not_converging", message, "blocked", BLOCKED_MS);
    }),
  },
  BACK_TO_BID_RULE,
  {
    name: "instance_ready",
    observed: "its probe passes, and no two lists in a row show that its contract is stopped",
    plan: "publish it, whatever its `actual_status`, `status_msg`, bans and restarts are; a price above `VAST_MAX_DPH` is reported",
    decide: withInstance((kept, situation) => (situation.serving.server === null ? null : ready(kept, situation))),
  },
  {
    name: "answers_again",
    observed: "its probe failed three times and has passed once since",
    plan: "wait for the next probe: only that decides",
    decide: withInstance(({ track, name }, situation) => {
      if (track.passesMissing === 0 || track.passesMissing >= PASSES_TO_RETURN) return null;
      return waitFor(
        track,
        situation,
        "instance_unreachable",
        `${name} answers again; it is served after one more passing probe`,
      );
    }),
  },
];

/** Nothing is changed while the instance is expected to become ready. */
export function waitFor(
  { wasReady }: KeptInstance["track"],
  situation: Situation,
  reason: "instance_unreachable" | "instance_lost" | "raising_bid",
  message: string,
  waitMs = NEXT_CHECK_MS,
): Decision {
  return noChange(situation, reason, message, wasReady ? "unavailable" : "provisioning", waitMs);
}

function replaceIfDifferent(reason: Difference["reason"], kept: KeptInstance, situation: Situation): Decision | null {
  const difference = differenceOf(kept, situation);
  if (difference === null || difference.reason !== reason) return null;
  const { wanted, reported } = difference;
  if (isUnproven(difference, situation) || hasFailed(kept, difference, situation)) return null;
  if (replacementAllowedAt(situation.state, situation.desired.revision, situation.now) !== null) return null;
  if (situation.limits.updateStrategy === "surge") {
    const start = surgeStart(kept, difference, situation);
    if (start !== "replace") return start;
  }
  const update = inPlace(kept, difference, situation);
  const what = `${kept.name} has ${reported}, but ${wanted} is wanted`;
  if (update.action !== null) return updateInPlace(update.action, `${what}; it is updated in place`, situation);
  const because = update.why === null ? "" : `, because it cannot be updated in place: ${update.why}`;
  const message = `${what}; it is replaced${because}${riskOf(situation)}`;
  return replacement(kept.row, situation, reason, message, { wanted, reported });
}

/** VAST_UPDATE_PRECHECK=none does not wait until another instance can be created; a surge has to, since it creates first. */
function isOverruled(reason: HeldReason, { limits }: Situation): boolean {
  const waits = limits.updatePrecheck === "offer" || limits.updateStrategy === "surge";
  return !waits && !wasRefused(reason) && reason !== "update_failed";
}

/** Nothing can find out before whether the next instance will come up. */
function riskOf({ serving, limits }: Situation): string {
  if (serving.server === null || limits.updateStrategy !== "recreate") return "";
  return ". Nothing serves until the next one does, and an image that cannot be pulled costs this instance (VAST_UPDATE_STRATEGY=surge or in-place prevents that)";
}

/** Its update was taken back a short time ago: if it does not serve, the rules below judge it. */
function hasFailed({ row }: KeptInstance, { wanted }: Difference, { state, now }: Situation): boolean {
  return heldReplacement(state, row.id, wanted, now)?.reason === "update_failed";
}

/** The last replacement was made for the same desired value, and nothing shows that it could have helped: another one may not either. */
function isUnproven({ wanted }: Difference, { state }: Situation): boolean {
  return state.converging?.wanted === wanted;
}
