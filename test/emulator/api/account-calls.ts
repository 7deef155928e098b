// The account as its owner sees it, and the list of GPU names, which the vendor's client reads at every start.
import { spendable } from "../instances/billing.ts";
import { type ApiResponse, json } from "../message.ts";
import type { World } from "../world.ts";

/** Accounts that pay in advance show a balance of 0 and their money in `credit`. */
export function showUser(world: World): ApiResponse {
  const { account } = world;
  return json(200, {
    id: account.id,
    api_key: account.key, // older clients of the vendor fail without it, newer ones remove it from what they print
    key_id: account.keyId,
    email: account.email,
    username: account.username,
    fullname: account.username,
    balance: account.balance,
    credit: Number((spendable(world) - account.balance).toFixed(6)),
    balance_threshold: 0,
    balance_threshold_enabled: false,
    has_billing: !account.missingBilling,
    ssh_key: world.sshKeys[0]?.key ?? null,
    sid: "C-0",
  });
}

/** GET /gpu_names/unique/, which needs no key. */
export function gpuNames(world: World): ApiResponse {
  const names = new Set([...world.market.machines.values()].map((machine) => machine.gpu.name));
  return json(200, { gpu_names: [...names].sort() });
}
