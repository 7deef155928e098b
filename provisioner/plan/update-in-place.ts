// Whether an instance that differs is changed in place, and the decision that does so. Pure.
import { diskSpace } from "../model/disk-space.ts";
import type { ContainerSource, Decision, UpdateAction } from "../model/plan.ts";
import { mayHaveServed } from "../state/track.ts";
import { failedUpdate, isShown, updateOf } from "../state/updating.ts";
import type { Difference } from "./difference.ts";
import { banOn, tooManyRestarts } from "./housekeeping.ts";
import { noChange, type Rule, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";

// A row may report the disk with a rounded size.
const SAME_DISK_GB = 1;

/** The action that changes the instance in place; or why it has to be replaced, null where VAST_UPDATE_STRATEGY says so. */
export type InPlace = { action: UpdateAction } | { action: null; why: string | null };

export function inPlace(kept: KeptInstance, difference: Difference, situation: Situation): InPlace {
  const { limits, state, desired, now } = situation;
  if (limits.updateStrategy !== "in-place") return { action: null, why: null };
  const { row } = kept;
  const { template } = state;
  if (template === null) return { action: null, why: "the template is not known" };
  const why = obstacle(kept, difference, situation, template);
  if (why !== null) return { action: null, why };
  const wantedGb = diskSpace(template);
  const grows = row.diskGb !== null && wantedGb > row.diskGb + SAME_DISK_GB;
  const { reason, wanted, reported } = difference;
  const action = {
    kind: "update",
    id: row.id,
    reason,
    image: desired.image,
    templateHash: template.hash,
    diskGb: grows ? wantedGb : null,
    difference: { wanted, reported },
    before: containerOf(kept, template.hash, now),
    statusBefore: row.statusMessage,
    undoes: null,
  } as const;
  return { action };
}

/**
 * What it can go back to: a container that has long not answered is not worth that. One that was not made from a template, by hand for
 * instance, keeps its image with the template that is wanted: the API takes no image without one.
 */
function containerOf({ row, track }: KeptInstance, wantedHash: string, now: number): ContainerSource | null {
  const { image, templateHash } = row;
  return image !== "" && mayHaveServed(track, now) ? { image, templateHash: templateHash ?? wantedHash } : null;
}

function obstacle(
  { row, phase }: KeptInstance,
  { wanted }: Difference,
  { state, serving, seen, limits }: Situation,
  template: NonNullable<Situation["state"]["template"]>,
): string | null {
  const failed = failedUpdate(state, row.id, wanted);
  if (failed !== null) return `that was tried once: ${failed}`;
  if (phase.phase !== "running" && serving.server === null) return "it does not run";
  const ban = banOn(row, { seen });
  if (ban !== undefined) return `its ${ban.kind} ${ban.id} is banned (${ban.reason})`;
  // Its host is banned in this very pass, and its new container would be one that was never ready.
  if (tooManyRestarts(row, { seen, limits }))
    return `it restarted more than ${limits.restartThreshold} times (BLACKLIST_RESTART_THRESHOLD)`;
  const wantedGb = diskSpace(template);
  if (row.diskGb !== null && wantedGb < row.diskGb - SAME_DISK_GB)
    return `its disk of ${row.diskGb} GB cannot become smaller, and the template has ${wantedGb} GB`;
  const { templateBefore: before } = state;
  const portsDiffer = before !== null && before.hash === row.templateHash && before.portFlags !== template.portFlags;
  return portsDiffer && template.portFlags !== undefined ? "the template publishes other ports than before" : null;
}

/** The decision for an action of `inPlace`. */
export function updateInPlace(action: UpdateAction, message: string, { serving, now }: Situation): Decision {
  const { reason } = action;
  return { reason, message, state: "provisioning", serving, actions: [action], checkedAt: now, nextCheckAt: now };
}

export const UPDATING_RULE: Rule = {
  name: "updating",
  observed: "its container is being replaced in place, for at most 120 s, and no list has shown the new image and hash",
  plan: "wait for that list; after 120 s it counts as failed, and the instance is replaced",
  decide: withInstance(({ row, name }, situation) => {
    const updating = updateOf(situation.state, row.id);
    // A container that is shown is judged like that of any new instance.
    if (updating === null || updating.recycledAt === null || isShown(updating, row, situation.seen.listedAt))
      return null;
    const { undo, image } = updating;
    const what = undo ? `goes back to image ${image}` : "is being updated in place";
    const message = `${name} ${what}: its container is created again on the same machine`;
    return noChange(situation, "updating", message, "provisioning");
  }),
};
