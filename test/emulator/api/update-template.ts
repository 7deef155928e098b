// PUT /instances/update_template/{id}/: prepares another container, which the next recycle starts; with `recycle` the call does so itself.

import type { Instance } from "../instances/instance.ts";
import { change } from "../instances/lifecycle.ts";
import { instanceRow } from "../instances/row.ts";
import { type JsonObject, numberOrNull, textOrNull } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import { templateHash } from "../templates/template.ts";
import type { World } from "../world.ts";
import { type Call, fields } from "./call.ts";
import { specFor } from "./container-spec.ts";
import { SMALLEST_DISK_GB } from "./create.ts";
import { liveInstance, recycle } from "./instance-writes.ts";

/** Takes any of template_id, template_hash_id, image, args, env, onstart; and image_login, disk and recycle, unless set otherwise. */
export function updateTemplate(world: World, call: Call): ApiResponse {
  const instance = liveInstance(world, call.id);
  if (!instance) return refusal(404, "not_found", `Instance ${call.id} not found.`);
  const body = fields(call);
  if (body.id !== undefined && world.settings.idInBody === "refused")
    return refusal(400, "invalid_args", "params duplicated in URL and body: ['id']");
  const extras = EXTRAS.filter((name) => body[name] !== undefined && body[name] !== null);
  if (extras.length > 0 && world.settings.templateUpdateExtras === "refused")
    return refusal(400, "invalid_args", `error 400/3467: Invalid args: ${extras.join(", ")}`);
  const extrasApply = world.settings.templateUpdateExtras === "applied";
  const problem = extrasApply ? diskProblem(instance, body) : null;
  if (problem !== null) return refusal(400, "invalid_args", problem);
  const current = instance.pendingSpec ?? instance.spec;
  const hash = textOrNull(body.template_hash_id) ?? hashOfId(world, body);
  const wished: JsonObject = {
    image: textOrNull(body.image) ?? (hash === null ? current.image : null),
    template_hash_id: hash,
    env: body.env ?? (hash === null ? { ...current.env } : null),
    args: body.args ?? (hash === null ? current.args : null),
    onstart: body.onstart ?? (hash === null ? current.onstart : null),
    runtype: current.runtype,
  };
  const made = specFor(world, wished);
  if (!made.ok) return refusal(400, "invalid_args", made.problem);
  const { spec } = made.value;
  const { templateId, templateHash: oldHash, templateName } = current;
  instance.pendingSpec = hash === null ? { ...spec, templateId, templateHash: oldHash, templateName } : spec;
  if (extrasApply) applyExtras(world, instance, body);
  const msg =
    instance.pendingSpec === null ? "Template updated." : "Template updated; recycle the instance to apply it.";
  return json(200, { success: true, updated_instance: instanceRow(world, instance), msg });
}

const EXTRAS = ["image_login", "disk", "recycle"] as const;

/** A disk can only grow. */
function diskProblem(instance: Instance, body: JsonObject): string | null {
  const disk = numberOrNull(body.disk);
  if (body.disk === undefined || body.disk === null) return null;
  if (disk === null || disk < SMALLEST_DISK_GB) return "error 400/3468: Invalid args: disk must be at least 8";
  if (disk < instance.disk) return "error 400/3468: Invalid args: disk cannot be made smaller";
  return disk > instance.machine.diskGb ? "error 400/3468: Invalid args: the machine has not that much disk" : null;
}

function applyExtras(world: World, instance: Instance, body: JsonObject): void {
  change(world, instance, {
    disk: numberOrNull(body.disk) ?? instance.disk,
    imageLogin: textOrNull(body.image_login) ?? instance.imageLogin,
  });
  if (body.recycle === true && instance.curState === "running") recycle(world, instance);
}

function hashOfId(world: World, body: JsonObject): string | null {
  const id = numberOrNull(body.template_id);
  const template = world.templates.find((one) => one.id === id);
  return template ? templateHash(template) : null;
}
