// Puts the container of before back where an update in place does not come up: a typo in an image must not cost the instance. Pure.
import { type Decision, interruptsInstance, type UpdateAction } from "../model/plan.ts";
import type { DestroyReason } from "../model/reasons.ts";
import { type Updating, updateOf } from "../state/updating.ts";
import { noChange, type Rule, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";

// The calls that go back are sent again after this time: nobody is served until then.
const AGAIN_MS = 30_000;

// What the new container can be to blame for. The machine has started the one of before.
const UNDONE_REASONS: ReadonlySet<DestroyReason> = new Set([
  "image_unavailable",
  "disk_too_small",
  "host_failed",
  "start_timeout",
  "app_not_listening",
]);

/** The decision, in which an updated instance that would be destroyed for its new container goes back to the one of before. */
export function withUndo(decision: Decision, situation: Situation): Decision {
  const { kept, state } = situation;
  if (kept === null || !interruptsInstance(decision.actions, kept.row.id)) return decision;
  const destroy = decision.actions.find((action) => action.kind === "destroy" && action.id === kept.row.id);
  const updating = updateOf(state, kept.row.id);
  if (destroy?.kind !== "destroy" || !UNDONE_REASONS.has(destroy.reason)) return decision;
  if (updating === null || updating.recycledAt === null || updating.before === null) return decision;
  return undoDecision(kept, updating, updating.before, whyOf(decision, kept), situation);
}

export const UNDO_RULE: Rule = {
  name: "update_undone",
  observed: "an update in place is being taken back, and the calls for that have not both been accepted",
  plan: "send them again after 30 s",
  decide: withInstance((kept, situation) => {
    const updating = updateOf(situation.state, kept.row.id);
    if (updating === null || updating.undo === null || updating.recycledAt !== null) return null;
    const { undo, sentAt, image } = updating;
    if (sentAt === null || situation.now - sentAt >= AGAIN_MS)
      return undoDecision(kept, updating, updating, undo.why, situation);
    const message = `${kept.name} goes back to image ${image}, as soon as the API accepts it`;
    return noChange(situation, "update_failed", message, "provisioning");
  }),
};

function undoDecision(
  { row, name }: KeptInstance,
  { wanted }: Updating,
  { image, templateHash }: Pick<UpdateAction, "image" | "templateHash">,
  why: string,
  { serving, now }: Situation,
): Decision {
  const reason = "update_failed";
  const action: UpdateAction = {
    kind: "update",
    id: row.id,
    reason,
    image,
    templateHash,
    diskGb: null,
    difference: { wanted, reported: `image ${image}` },
    before: null,
    statusBefore: row.statusMessage,
    undoes: why,
  };
  const message = `${name} could not be updated to ${wanted}; it goes back to image ${image}: ${why}`;
  return { reason, message, state: "provisioning", serving, actions: [action], checkedAt: now, nextCheckAt: now };
}

/** Why the instance would be destroyed, without its name and without what follows. */
function whyOf({ message }: Decision, { name }: KeptInstance): string {
  const what = message.startsWith(name) ? message.slice(name.length).replace(/^:? /, "") : message;
  return what.replace(/; it is (replaced|destroyed)\b.*$/s, "");
}
