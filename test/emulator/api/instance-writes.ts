// One instance: show, destroy, start, stop, label, reboot, recycle, another template, another bid.

import { spendable } from "../instances/billing.ts";
import type { Instance } from "../instances/instance.ts";
import { isLive } from "../instances/instance.ts";
import { change, end, interrupt, later, load, start, startQueued, stop } from "../instances/lifecycle.ts";
import { instanceRow } from "../instances/row.ts";
import { type Json, numberOrNull } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import type { World } from "../world.ts";
import { type Call, fields } from "./call.ts";
import { isVisible } from "./instance-list.ts";

/** The live contract `id`. A row that is still listed after its end does not count: a second destroy finds nothing. */
export function liveInstance(world: World, id: number): Instance | null {
  const instance = world.instances.get(id);
  return instance && isLive(instance) ? instance : null;
}

function missing(world: World, id: number): ApiResponse {
  if (world.settings.missingInstance === "not_found") return refusal(404, "not_found", "Instance not found");
  return refusal(404, "no_such_instance", `Instance ${id} not found.`);
}

/** A missing instance is not an error here: 200 with null. */
export function showInstance(world: World, call: Call): ApiResponse {
  const instance = world.instances.get(call.id);
  if (instance && isVisible(world, instance)) {
    const { volume_info: _, ...row } = instanceRow(world, instance); // only the list has it
    return json(200, { instances: row });
  }
  if (world.settings.showMissing === "404") return missing(world, call.id);
  return json(200, { instances: null });
}

export function destroyInstance(world: World, call: Call): ApiResponse {
  const instance = liveInstance(world, call.id);
  if (!instance) return missing(world, call.id);
  destroy(world, call, instance);
  return json(200, { success: true, msg: `destroying instance ${call.id}.` });
}

function destroy(world: World, call: Call, instance: Instance): void {
  const lag = call.effect?.kind === "linger" ? call.effect.seconds : world.settings.destroyLagSeconds;
  end(world, instance, lag * 1000, "api");
}

/** DELETE /instances/ with `{instance_ids: [...]}`: destroys those that exist. */
export function destroyInstances(world: World, call: Call): ApiResponse {
  const ids = fields(call).instance_ids;
  if (!Array.isArray(ids) || ids.length > MOST_IDS || !ids.every((id) => Number.isInteger(id))) {
    return refusal(400, "invalid_args", "invalid instance_id");
  }
  const found = ids.flatMap((id) => liveInstance(world, Number(id)) ?? []);
  if (found.length === 0) return refusal(404, "instances_not_found", "No instances found.");
  for (const instance of found) destroy(world, call, instance);
  return json(200, { success: true, msg: `destroying ${found.length} instances.` });
}

/** PUT /instances/{id}/: state, label or both. */
export function manageInstance(world: World, call: Call): ApiResponse {
  const instance = liveInstance(world, call.id);
  if (!instance) return missing(world, call.id);
  return manage(world, instance, fields(call));
}

/** PUT /instances/ with `{state, ids}`. */
export function manageInstances(world: World, call: Call): ApiResponse {
  const { ids, ...body } = fields(call);
  if (!Array.isArray(ids) || ids.length > MOST_IDS) return refusal(400, "invalid_args", "invalid instance_id");
  const found = ids.flatMap((id) => liveInstance(world, numberOrNull(id) ?? -1) ?? []);
  if (found.length === 0) return refusal(404, "invalid_args", "No instances found.");
  const answers = found.map((instance) => manage(world, instance, body));
  return answers.find((answer) => answer.status !== 200) ?? json(200, { success: true });
}

const LONGEST_LABEL = 1024;
const MOST_IDS = 64;

function manage(world: World, instance: Instance, body: Record<string, Json>): ApiResponse {
  const { label, state } = body;
  if (label === undefined && state === undefined) return refusal(400, "invalid_args", "error 400/3467: Invalid args");
  if (typeof label === "string" && label.length > LONGEST_LABEL) {
    return refusal(400, "label_too_long", "Please limit label length to 1024 characters, ideally less than 128.");
  }
  let msg: string | null = null;
  if (typeof label === "string" || label === null) {
    instance.label = label;
    msg = `label for ${instance.id} set to '${label ?? ""}'`;
  }
  if (state === "stopped") {
    if (instance.curState !== "stopped" || instance.startQueued) stop(world, instance, "stopped");
  } else if (state === "running") {
    if (world.account.missingBilling) return refusal(400, "missing_billing", "Please add a payment method.");
    if (spendable(world) <= 0) return refusal(400, "insufficient_credit", "Your account lacks credit.");
    if (!start(world, instance)) {
      const msg = "Required resources are currently unavailable, state change queued.";
      return world.settings.queuedStart === "slug"
        ? refusal(200, "resources_unavailable", msg)
        : json(200, { success: false, msg });
    }
  } else if (state !== undefined) {
    return json(400, { success: false, msg: "Invalid target state" });
  }
  return json(200, msg === null ? { success: true } : { success: true, msg });
}

/** Stops and starts the container on its GPUs. */
export function rebootInstance(world: World, call: Call): ApiResponse {
  const instance = liveInstance(world, call.id);
  if (instance?.curState !== "running") return notRunning(world, "invalid_args", "invalid instance_id");
  restartAs(world, instance, "rebooting");
  return json(200, { success: true });
}

/** Creates the container again, from a prepared template if there is one. */
export function recycleInstance(world: World, call: Call): ApiResponse {
  const instance = liveInstance(world, call.id);
  if (instance?.curState !== "running") return notRunning(world, "invalid_id", "Invalid instance id.");
  recycle(world, instance);
  return json(200, { success: true });
}

export function recycle(world: World, instance: Instance): void {
  instance.pulledImage = null; // the tag may be a new image by now
  if (instance.pendingSpec) Object.assign(instance, { spec: instance.pendingSpec, pendingSpec: null });
  restartAs(world, instance, "recycling");
}

/** The documented refusal, or the other one, which comes with 200. */
function notRunning(world: World, slug: string, msg: string): ApiResponse {
  const { notRunningStatus: status } = world.settings;
  return status === 200 ? refusal(200, "invalid_id", "Invalid instance id.") : refusal(400, slug, msg);
}

const RESTART_WORD_MS = 2000; // time before loading starts: docker's stop of an idle container

function restartAs(world: World, instance: Instance, word: string): void {
  interrupt(instance);
  change(world, instance, { actualStatus: word, serving: false, ports: null });
  later(world, instance, RESTART_WORD_MS, () => load(world, instance));
}

const BID_MIN = 0.001;
const BID_MAX_PER_CARD = 32;

/** A bid at the machine's minimum or above brings an outbid instance back. */
export function changeBid(world: World, call: Call): ApiResponse {
  const price = numberOrNull(fields(call).price);
  const instance = liveInstance(world, call.id);
  if (!instance) return refusal(404, "no_such_instance", "Instance with that ID does not exist.");
  if (!instance.isBid) return refusal(400, "invalid_args", "Can't change price of on-demand contract.");
  if (price === null || price < BID_MIN) return refusal(400, "invalid_args", "Please set a bid price >= 0.001.");
  const most = BID_MAX_PER_CARD * instance.cards.length;
  if (price > most) return refusal(400, "invalid_args", `Please set a bid price <= ${most}.`);
  change(world, instance, { gpuPerHour: price });
  if (instance.curState === "stopped" && price >= instance.machine.minBid * instance.cards.length) {
    outbidOthers(world, instance);
  }
  return json(200, { success: true });
}

function outbidOthers(world: World, instance: Instance): void {
  instance.machine.holders = instance.machine.holders.map((one, card) =>
    one === "stranger" && instance.cards.includes(card) ? null : one,
  );
  start(world, instance);
  startQueued(world);
}
