// What may be served as things stand, when nothing is changed. Pure.
import type { PublishedInstance } from "../../common/upstream-file.ts";
import type { Published } from "../model/observation.ts";
import type { Serving } from "../model/plan.ts";
import type { Instance } from "../vast/rows.ts";
import type { PlanInput } from "./input.ts";

/** The row's endpoint while its probe passes. */
export function servingNow(row: Instance, facts: PlanInput): Serving {
  const track = facts.state.tracks[row.id];
  const instance = publishedInstance(row);
  if (!track?.serving || track.endpoint === null) return { server: null, instance };
  return { server: { scheme: facts.desired.upstreamScheme, ...track.endpoint }, instance };
}

/**
 * What stays published while the list is unknown: the server that is published now, while its probe passes. A passing
 * TCP probe proves little, since the port may be a stranger's by now, and holds for a bounded time; an HTTP probe holds on.
 */
export function servingWhileUnknown(facts: PlanInput, published: Published): Serving {
  const { desired, state, limits, now } = facts;
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
