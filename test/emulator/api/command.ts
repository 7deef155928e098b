// PUT /instances/command/{id}/: one of three harmless commands on an instance's disk, whose output comes as a log does.
import { textOrNull } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import type { World } from "../world.ts";
import { type Call, fields } from "./call.ts";
import { liveInstance } from "./instance-writes.ts";
import { storeLog } from "./log-calls.ts";

const LONGEST_COMMAND = 512;
const ALLOWED = /^(ls|rm|du)(\s|$)/;

/** There is no disk: `ls` and `du` show an empty one. */
export function runCommand(world: World, call: Call): ApiResponse {
  const instance = liveInstance(world, call.id);
  if (!instance) return refusal(400, "invalid_container_id", "Invalid container id");
  const command = textOrNull(fields(call).command);
  if (command === null || command.length > LONGEST_COMMAND || !ALLOWED.test(command)) {
    return refusal(400, "invalid_args", "Only ls, rm and du are allowed, in at most 512 characters.");
  }
  if (instance.firstRunningAt === null) return refusal(400, "invalid_container", "The container was never started.");
  const output = command.startsWith("du") ? ["0\t."] : command.startsWith("ls") ? ["total 0"] : [];
  const url = `${call.base}${storeLog(world, output)}`;
  return json(200, { success: true, writeable_path: "/var/lib/docker/overlay2/", result_url: url });
}
