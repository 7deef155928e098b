// What an operator's client sets in the account: ssh keys, and environment variables for every instance.
import { textOrNull } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import type { SshKey, World } from "../world.ts";
import { type Call, fields } from "./call.ts";

function sshKeyRow({ account }: World, { id, key, createdAt }: SshKey) {
  return { id, user_id: account.id, key, created_at: new Date(createdAt).toISOString(), deleted_at: null };
}

/** GET /ssh/: a list, but 404 without a key (observed). */
export function listSshKeys(world: World): ApiResponse {
  if (world.sshKeys.length === 0) return refusal(404, "not_found", "No ssh keys found.");
  return json(
    200,
    world.sshKeys.map((key) => sshKeyRow(world, key)),
  );
}

export function addSshKey(world: World, call: Call): ApiResponse {
  const key = textOrNull(fields(call).ssh_key);
  if (key === null) return refusal(400, "invalid_args", "ssh_key is required");
  const added = { id: world.nextSshKeyId++, key, createdAt: world.time };
  world.sshKeys.push(added);
  return json(200, { success: true, key: { ...sshKeyRow(world, added), public_key: key } });
}

export function changeSshKey(world: World, call: Call): ApiResponse {
  const known = world.sshKeys.find(({ id }) => id === call.id);
  const key = textOrNull(fields(call).ssh_key);
  if (!known) return refusal(404, "not_found", "SSH key not found.");
  if (key === null) return refusal(400, "invalid_args", "ssh_key is required");
  known.key = key;
  return json(200, { success: true, key: sshKeyRow(world, known) });
}

export function removeSshKey(world: World, call: Call): ApiResponse {
  const left = world.sshKeys.filter(({ id }) => id !== call.id);
  if (left.length === world.sshKeys.length) return refusal(404, "not_found", "SSH key not found.");
  world.sshKeys = left;
  return json(200, { success: true });
}

/** GET /secrets/: values are never shown, so none is kept. */
export function listVariables(world: World): ApiResponse {
  return json(200, {
    success: true,
    secrets: Object.fromEntries([...world.variables].map((name) => [name, "********"])),
  });
}

/** POST and PUT /secrets/ with `{key, value}`. */
export function setVariable(world: World, call: Call): ApiResponse {
  const name = textOrNull(fields(call).key);
  if (name === null) return refusal(400, "invalid_args", "key is required");
  const known = world.variables.has(name);
  if (known !== (call.method === "PUT"))
    return refusal(400, "invalid_args", known ? `${name} exists already.` : `${name} does not exist.`);
  world.variables.add(name);
  return json(200, { success: true, msg: `Environment variable ${known ? "updated" : "created"} successfully.` });
}

export function removeVariable(world: World, call: Call): ApiResponse {
  const name = textOrNull(fields(call).key);
  if (name === null || !world.variables.delete(name))
    return refusal(404, "not_found", "Environment variable not found.");
  return json(200, { success: true, msg: "Environment variable deleted successfully." });
}
