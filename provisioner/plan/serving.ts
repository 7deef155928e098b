// What may be served as long as nothing is changed. Pure.
import type { PublishedInstance } from "../../common/upstream-file.ts";
import type { Published } from "../model/observation.ts";
import type { Serving } from "../model/plan.ts";
import { isChanging } from "../state/updating.ts";
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

function publishedInstance(row: Instance): PublishedInstance {
  return { id: row.id, hostId: row.hostId, machineId: row.machineId, image: row.image, templateHash: row.templateHash };
}
