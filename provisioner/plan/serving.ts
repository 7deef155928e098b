// What may be served as long as nothing is changed. Pure.
import type { PublishedInstance } from "../../common/upstream-file.ts";
import { isOutdated } from "../model/matches-desired.ts";
import type { Published } from "../model/observation.ts";
import { interruptsInstance, type Plan, type Serving } from "../model/plan.ts";
import { isChanging, isShown, updateOf } from "../state/updating.ts";
import type { Instance } from "../vast/rows.ts";
import type { PlanInput } from "./input.ts";

/** The instance's endpoint while its probe passes. */
export function servingNow(row: Instance, { desired, state }: PlanInput): Serving {
  const track = state.tracks[row.id];
  const instance = publishedInstance(row);
  const isProven = !isChanging(state, row.id);
  if (!isProven || !track?.serving || track.endpoint === null) return { server: null, instance };
  return { server: { scheme: desired.upstreamScheme, ...track.endpoint }, instance };
}

/**
 * While the list is unknown: the server that is published now, while its probe passes. A TCP probe proves little, because the
 * port may belong to somebody else by now, so it counts for a limited time only; an HTTP probe counts without a limit.
 */
export function servingWhileUnknown({ desired, state, limits, now }: PlanInput, published: Published): Serving {
  const { server, instance } = published;
  if (server === null || instance === null) return { server: null, instance };
  const track = state.tracks[instance.id];
  const endpoint = track?.endpoint;
  const same = endpoint?.host === server.host && endpoint.port === server.port;
  const unknownForMs = now - (state.listUnknownSince ?? now);
  const mayStay = track?.serving === true && same && (limits.httpProbe || unknownForMs <= limits.unknownMaxMs);
  return { server: mayStay ? { ...server, scheme: desired.upstreamScheme } : null, instance };
}

/**
 * What may be served once it answers, also if the next lists are refused: a list has just shown that the planned instance runs, and at
 * which address. Null: the plan serves it, or is about to interrupt it, or another one is wanted.
 */
export function servedOnceItAnswers(
  { server, instance, actions }: Pick<Plan, "server" | "instance" | "actions">,
  { desired, state, seen }: Pick<PlanInput, "desired" | "state" | "seen">,
): Published | null {
  if (server !== null || instance === null || interruptsInstance(actions, instance.id)) return null;
  const track = state.tracks[instance.id];
  if (!track?.endpoint || track.runningSince === null || track.stopped !== null) return null;
  if (state.pendingDeletes.some(({ id }) => id === instance.id)) return null;
  const updating = updateOf(state, instance.id);
  if (updating !== null && isChanging(state, instance.id) && !isShown(updating, instance, seen.listedAt)) return null;
  // An outdated one is given up as a rule, unless its replacement waits.
  const outdated = isOutdated(instance, desired, state.template);
  if (outdated === null || (outdated && state.heldReplacement?.instanceId !== instance.id)) return null;
  return { server: { scheme: desired.upstreamScheme, ...track.endpoint }, instance };
}

function publishedInstance(row: Instance): PublishedInstance {
  return { id: row.id, hostId: row.hostId, machineId: row.machineId, image: row.image, templateHash: row.templateHash };
}
