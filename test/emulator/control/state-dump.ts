// The answer of `/_emulator/state`: every contract ever created with its costs, templates, account. Pure but for updating bills.
import { maskLogin } from "../api/request-record.ts";
import { settle, spendable } from "../instances/billing.ts";
import type { Instance } from "../instances/instance.ts";
import { instanceRow } from "../instances/row.ts";
import type { JsonObject } from "../json.ts";
import { templateRow } from "../templates/template.ts";
import type { World } from "../world.ts";

export function stateOf(world: World): object {
  const { key: _, ...account } = world.account;
  return {
    now: instant(world.time),
    instances: [...world.instances.values()].map((instance) => dumpInstance(world, instance)),
    templates: world.templates.map(templateRow),
    account: { ...account, spendable: spendable(world) },
    hosts: [...world.hosts].map(([id, rule]) => ({ id, ...rule })),
    faults: world.faults.map((fault) => ({ ...fault })),
    settings: world.settings,
    offers: world.market.offers.size,
    requests: world.requestCount,
  };
}

/** All row fields, and data that the API never shows. Secrets are masked. */
export function dumpInstance(world: World, instance: Instance): JsonObject {
  settle(world, instance);
  return {
    ...instanceRow(world, instance),
    jupyter_token: "[secret]",
    askId: instance.askId,
    createdAt: instant(instance.createdAt),
    destroyedAt: instance.destroyedAt === null ? null : instant(instance.destroyedAt),
    endedBy: instance.endedBy,
    listed: world.time >= instance.visibleAt && (instance.goneAt === null || world.time < instance.goneAt),
    firstRunningAt: instance.firstRunningAt === null ? null : instant(instance.firstRunningAt),
    cost: { gpu: instance.bill.gpuDollars, disk: instance.bill.diskDollars, traffic: instance.bill.trafficDollars },
    imageLogin: instance.imageLogin === null ? null : maskLogin(instance.imageLogin),
    startQueued: instance.startQueued,
    stuck: instance.stuck,
    muted: instance.muted,
    serving: instance.serving,
    ip: instance.ip,
    endpoints: (instance.ports ?? []).map((port) => ({ ...port })),
  };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
