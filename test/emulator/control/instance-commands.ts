// Control commands for one instance: create it, show it, trigger an event.
import { z } from "zod";
import { plantInstance } from "../instances/contract.ts";
import { EVENTS } from "../instances/events.ts";
import { type Instance, isLive } from "../instances/instance.ts";
import { type ApiResponse, json } from "../message.ts";
import type { World } from "../world.ts";
import { type ControlCommand, notFound } from "./control-command.ts";
import { dumpInstance } from "./state-dump.ts";

/** POST instances: creates a live one from row fields. */
export function createInstance({ world, body }: ControlCommand): ApiResponse {
  const instance = plantInstance(world, z.record(z.string(), z.json()).parse(body));
  return json(200, { id: instance.id });
}

/** By id, or `any`: the newest live one. */
function findInstance(world: World, which: string): Instance | null {
  if (which !== "any") return world.instances.get(Number(which)) ?? null;
  return [...world.live.values()].at(-1) ?? null;
}

/** GET instances/WHICH */
export function showInstance({ world, parts }: ControlCommand): ApiResponse {
  const [which = ""] = parts;
  const instance = findInstance(world, which);
  return instance ? json(200, dumpInstance(world, instance)) : notFound(`instance ${which}`);
}

/** POST instances/WHICH/EVENT; an ended contract has no more events. */
export function triggerEvent({ world, body, parts, advance }: ControlCommand): ApiResponse {
  const [which = "", name = ""] = parts;
  const instance = findInstance(world, which);
  const event = EVENTS.get(name);
  if (!instance) return notFound(`instance ${which}`);
  if (!event) return notFound(`event ${name}; there are ${[...EVENTS.keys()].join(", ")}`);
  if (!isLive(instance)) return json(409, { error: `instance ${which} has ended` });
  event(world, instance, z.record(z.string(), z.unknown()).parse(body));
  advance();
  return json(200, { id: instance.id });
}
