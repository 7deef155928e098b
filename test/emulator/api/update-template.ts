// PUT /instances/update_template/{id}/: prepares another container, which the next recycle starts.

import { instanceRow } from "../instances/row.ts";
import { type JsonObject, numberOrNull, textOrNull } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import { templateHash } from "../templates/template.ts";
import type { World } from "../world.ts";
import { type Call, fields } from "./call.ts";
import { specFor } from "./container-spec.ts";
import { liveInstance } from "./instance-writes.ts";

/** Takes any of template_id, template_hash_id, image, args, env, onstart. The registry login cannot be changed. */
export function updateTemplate(world: World, call: Call): ApiResponse {
  const instance = liveInstance(world, call.id);
  if (!instance) return refusal(404, "no_such_instance", `Instance ${call.id} not found.`);
  const body = fields(call);
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
  const msg = "Template updated; recycle the instance to apply it.";
  return json(200, { success: true, updated_instance: instanceRow(world, instance), msg });
}

function hashOfId(world: World, body: JsonObject): string | null {
  const id = numberOrNull(body.template_id);
  const template = world.templates.find((one) => one.id === id);
  return template ? templateHash(template) : null;
}
