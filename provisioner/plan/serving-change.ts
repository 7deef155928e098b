// What the serving loop publishes after a probe. Pure.
import { type Server, sameServer } from "../../common/upstream-file.ts";
import type { Policy } from "../model/desired.ts";
import { known, type Observation, type ProbeResult, type Published } from "../model/observation.ts";
import { interruptsInstance, type Plan } from "../model/plan.ts";
import type { PlanInput } from "./input.ts";
import { decide } from "./plan.ts";
import { applyPolicy } from "./policy.ts";

export type ServingChange = Pick<Plan, "state" | "reason" | "message" | "server" | "instance">;

/**
 * A server that no longer answers is withdrawn, and the same server is published again when it answers: nothing else changes before
 * a new list. `published` is what the upstream file routes to, `last` what it routed to last. The texts are those of the decision
 * table, so that the next pass of the main loop says the same. Null: nothing is to be published.
 */
export function servingChange(
  input: PlanInput,
  policy: Policy,
  last: Published,
  published: Server | null,
  probe: ProbeResult,
): ServingChange | null {
  const { instance, server } = last;
  if (instance === null || server === null) return null;
  const { id } = instance;
  const answers = input.state.tracks[id]?.serving === true;
  if (answers === (published !== null)) return null;
  const seen = onlyInstance(input.seen, id, probe);
  const { decision } = applyPolicy(decide({ ...input, seen }, last), policy);
  const { state, reason, message, serving, actions } = decision;
  if (!answers) return { state, reason, message, server: null, instance };
  const mayReturn =
    serving.instance?.id === id && sameServer(serving.server, server) && !interruptsInstance(actions, id);
  return mayReturn ? { state, reason, message, server, instance: serving.instance } : null;
}

/** The observation as if the served instance were the only one: which of several is kept is decided on a new list. */
function onlyInstance(seen: Observation, id: number, probe: ProbeResult): Observation {
  if (!seen.list.known) return { ...seen, publishedProbe: { instanceId: id, probe } };
  const instances = seen.instances.filter(({ row }) => row.id === id).map((one) => ({ ...one, probe }));
  return { ...seen, list: known(instances.map(({ row }) => row)), instances };
}
