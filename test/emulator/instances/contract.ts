// Creates contracts: rented ones from an offer, and ones that a test defines. Changes instances, GPUs and the agenda.
import type { Json, JsonObject } from "../json.ts";
import type { Machine } from "../market/machine.ts";
import { namedMachine, partialOfferSchema } from "../market/seed.ts";
import { seconds, type World } from "../world.ts";
import { watchEnd } from "./contract-end.ts";
import type { ContainerSpec, Instance } from "./instance.ts";
import { change, run, watchCredit } from "./lifecycle.ts";
import { publishPorts } from "./ports.ts";

export interface Terms {
  askId: number;
  machine: Machine;
  cards: readonly number[];
  spec: ContainerSpec;
  label: string | null;
  disk: number;
  imageLogin: string | null;
  /** $/h for the GPUs. */
  gpuPerHour: number;
  isBid: boolean;
}

/** A new contract; `boot` starts it. */
export function newContract(world: World, terms: Terms): Instance {
  const id = world.nextInstanceId;
  world.nextInstanceId += world.random.integer(1, 9);
  const instance: Instance = {
    ...terms,
    id,
    pendingSpec: null,
    pulledImage: null,
    apiKey: world.random.hex(64),
    jupyterToken: world.random.hex(64),
    intendedStatus: "running",
    curState: "running",
    nextState: "running",
    actualStatus: null,
    statusMsg: null,
    startQueued: false,
    ip: null,
    ports: null,
    portsShownAt: 0,
    firstRunningAt: null,
    runningSince: null,
    serving: false,
    muted: false,
    reachable: true,
    stuck: false,
    answerDelayMs: 0,
    answerStatus: null,
    createdAt: world.time,
    visibleAt: world.time + world.settings.visibilityLagSeconds * 1000,
    destroyedAt: null,
    goneAt: null,
    endedBy: null,
    endDate: terms.machine.endDate,
    priceIncrease: null,
    bill: { gpuDollars: 0, diskDollars: 0, trafficDollars: 0, settledAt: world.time },
    epoch: 0,
    overrides: {},
  };
  world.instances.set(id, instance);
  world.live.set(id, instance);
  watchEnd(world, instance);
  watchCredit(world);
  return instance;
}

/** A live instance on its own machine, with the row fields of a test. It runs unless `actual_status` says otherwise. */
export function plantInstance(world: World, fields: JsonObject): Instance {
  const partial = partialOfferSchema.parse(pickMachineFields(fields));
  const machine = namedMachine(world.market, partial, world.random, seconds(world));
  const terms: Terms = {
    askId: 0,
    machine,
    cards: machine.holders.map((_, card) => card),
    spec: {
      image: text(fields.image_uuid) ?? "example/app:1",
      env: pairs(fields.extra_env) ?? { "-p 8000:8000": "1" },
      runtype: text(fields.image_runtype) ?? "args",
      onstart: text(fields.onstart),
      args: fields.image_args ?? null,
      templateId: typeof fields.template_id === "number" ? fields.template_id : null,
      templateHash: text(fields.template_hash_id),
      templateName: text(fields.template_name),
    },
    label: text(fields.label),
    disk: typeof fields.disk_space === "number" ? fields.disk_space : 20,
    imageLogin: null,
    gpuPerHour: machine.dph * machine.holders.length,
    isBid: fields.is_bid === true,
  };
  const instance = newContract(world, terms);
  machine.holders = machine.holders.map(() => instance.id);
  if (typeof fields.start_date === "number") instance.createdAt = fields.start_date * 1000;
  instance.visibleAt = world.time;
  const status = fields.actual_status;
  if (status === undefined || status === "running") {
    run(world, instance);
  } else {
    if (status === "exited" || status === "offline" || status === "unknown") publishPorts(world, instance);
    change(world, instance, { actualStatus: typeof status === "string" ? status : null });
  }
  change(world, instance, {
    curState: text(fields.cur_state) ?? instance.curState,
    nextState: text(fields.next_state) ?? instance.nextState,
    intendedStatus: fields.intended_status === "stopped" ? "stopped" : "running",
    statusMsg: text(fields.status_msg) ?? instance.statusMsg,
  });
  instance.overrides = Object.fromEntries(Object.entries(fields).filter(([name]) => !MODELLED.has(name)));
  return instance;
}

// Fields that the instance itself stores, so that a later event can change them.
const MODELLED = new Set(
  (
    "id label image_uuid extra_env image_runtype onstart image_args template_id template_hash_id template_name is_bid disk_space " +
    "actual_status cur_state next_state intended_status status_msg start_date machine_id host_id gpu_name num_gpus dph_total dph_base " +
    "storage_cost min_bid end_date"
  ).split(" "),
);

function pickMachineFields(fields: JsonObject): JsonObject {
  const names = [
    "machine_id",
    "host_id",
    "gpu_name",
    "num_gpus",
    "dph_total",
    "dph_base",
    "storage_cost",
    "min_bid",
    "end_date",
  ];
  return Object.fromEntries(names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])));
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function pairs(value: Json | undefined): Record<string, string> | null {
  if (!Array.isArray(value)) return null;
  return Object.fromEntries(value.map((pair) => (Array.isArray(pair) ? [String(pair[0]), String(pair[1])] : [])));
}
