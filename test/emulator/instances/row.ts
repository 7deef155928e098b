// An instance as the list and the single show return it, with the reported quirks of the real rows. Pure.
import type { Json, JsonObject } from "../json.ts";
import { driverNumber, storagePerHour } from "../market/offer-row.ts";
import type { World } from "../world.ts";
import { diskPerHour } from "./billing.ts";
import type { Instance } from "./instance.ts";
import { directRange, portMap } from "./ports.ts";

/** Columns stored on the contract: only these can be filtered and sorted by; the others are computed for each answer. */
export const STORED_COLUMNS: ReadonlySet<string> = new Set(
  (
    "id label actual_status cur_state next_state intended_status machine_id host_id gpu_name verification template_id " +
    "template_hash_id template_name image_uuid image_runtype start_date end_date is_bid min_bid status_msg onstart " +
    "public_ipaddr geolocation bundle_id static_ip hosting_type ssh_idx ssh_host ssh_port jupyter_token"
  ).split(" "),
);

/** The image as requested, until a rule for it says that a running container shows it under another name. */
function reportedImage({ settings }: World, { spec, firstRunningAt }: Instance): string {
  const rule = Object.hasOwn(settings.images, spec.image) ? settings.images[spec.image] : undefined;
  return firstRunningAt === null ? spec.image : (rule?.runningAs ?? spec.image);
}

/** The row at the world's time. */
export function instanceRow(world: World, instance: Instance): JsonObject {
  const { machine, spec } = instance;
  const shown = world.time >= instance.portsShownAt && instance.ip !== null && instance.firstRunningAt !== null;
  return {
    ...steadyFields(instance),
    id: instance.id,
    label: instance.label,
    actual_status: instance.actualStatus,
    cur_state: instance.curState,
    next_state: instance.nextState,
    intended_status: instance.intendedStatus,
    status_msg: instance.statusMsg,
    image_uuid: reportedImage(world, instance),
    image_args: spec.args,
    image_runtype: spec.runtype,
    extra_env: Object.entries(spec.env).map(([name, value]) => [name, value]),
    onstart: spec.onstart,
    template_id: spec.templateId,
    template_hash_id: spec.templateHash,
    template_name: spec.templateName,
    public_ipaddr: shown && instance.ip !== null ? `${instance.ip}${world.settings.trailingNewline ? "\n" : ""}` : null,
    local_ipaddrs: shown ? "10.0.0.5 172.17.0.1 \n" : null,
    ports: portMap(world, instance),
    direct_port_start: directRange(world, instance).start,
    direct_port_end: directRange(world, instance).end,
    ...sshFields(world, instance, shown),
    start_date: instance.createdAt / 1000,
    end_date: instance.endDate,
    duration: (world.time - instance.createdAt) / 1000,
    uptime_mins: null,
    ...prices(instance),
    flops_per_dphtotal:
      (machine.gpu.flops * instance.cards.length) / (instance.gpuPerHour + diskPerHour(instance) || 1),
    ...usage(instance),
    disk_space: instance.disk,
    jupyter_token: instance.jupyterToken,
    rentable: false,
    external: false,
    webpage: null,
    logo: "/static/logos/none.png",
    country_code: null,
    credit_balance: null,
    credit_discount: null,
    credit_discount_max: 0.4,
    client_run_time: 1.1,
    host_run_time: 2_592_000,
    time_remaining: "",
    time_remaining_isbid: "",
    score: null,
    volume_info: [],
    ...instance.overrides,
  };
}

const steady = new WeakMap<Instance, JsonObject>();

/** The constant fields of the machine and its rented part. Cached, because every poll needs them. */
function steadyFields(instance: Instance): JsonObject {
  const known = steady.get(instance);
  if (known) return known;
  const { machine, cards } = instance;
  const fields: JsonObject = {
    machine_id: machine.id,
    host_id: machine.hostId,
    bundle_id: machine.id * 16 + cards.length,
    ...hardware(instance),
  };
  for (const name of MACHINE_FACTS) fields[name] = machine.overrides[name] ?? machine.facts[name] ?? null;
  steady.set(instance, fields);
  return fields;
}

const MACHINE_FACTS = (
  "cpu_arch cpu_cores cpu_name cpu_ram inet_up inet_down inet_up_cost inet_down_cost reliability2 geolocation verification " +
  "hosting_type cuda_max_good driver_version direct_port_count static_ip pci_gen pcie_bw mobo_name os_version bw_nvlink disk_name"
).split(" ");

function sshFields(world: World, instance: Instance, shown: boolean): JsonObject {
  const direct = (shown && instance.ports?.find((port) => port.container === 22 && port.protocol === "tcp")) || null;
  if (!/ssh|jupyter/.test(instance.spec.runtype)) {
    return { ssh_host: null, ssh_port: null, ssh_idx: null, machine_dir_ssh_port: null };
  }
  const index = (instance.id % 9) + 1;
  return {
    ssh_host: `ssh${index}.vast.invalid`, // the vendor's proxy, with a domain that does not exist
    ssh_port: 10_000 + (instance.id % 50_000),
    ssh_idx: String(index),
    machine_dir_ssh_port: world.time >= instance.portsShownAt ? (direct?.host ?? null) : null,
  };
}

function prices(instance: Instance): JsonObject {
  const disk = diskPerHour(instance);
  const total = instance.gpuPerHour + disk;
  const cost = {
    gpuCostPerHour: instance.gpuPerHour,
    diskHour: disk,
    totalHour: total,
    discountTotalHour: 0,
    discountedTotalPerHour: total,
  };
  return {
    is_bid: instance.isBid,
    min_bid: instance.machine.minBid * instance.cards.length,
    dph_base: instance.gpuPerHour,
    dph_total: total,
    storage_cost: instance.machine.storageCost,
    storage_total_cost: storagePerHour(instance.machine.storageCost, instance.disk),
    vram_costperhour: instance.gpuPerHour / instance.machine.gpu.ramMb,
    search: cost,
    // The current price: a stopped contract pays only for its disk.
    instance: instance.curState === "running" ? cost : { ...cost, gpuCostPerHour: 0, totalHour: disk },
  };
}

function hardware(instance: Instance): JsonObject {
  const { machine, cards } = instance;
  const { gpu } = machine;
  const share = cards.length / machine.holders.length;
  const cores = typeof machine.facts.cpu_cores === "number" ? machine.facts.cpu_cores : 16;
  return {
    gpu_name: gpu.name,
    gpu_arch: "nvidia",
    num_gpus: cards.length,
    gpu_frac: share,
    gpu_ram: gpu.ramMb,
    gpu_totalram: gpu.ramMb * cards.length,
    gpu_mem_bw: gpu.memoryBandwidth,
    gpu_lanes: 16,
    compute_cap: gpu.computeCap,
    total_flops: gpu.flops * cards.length,
    dlperf: null,
    dlperf_per_dphtotal: null,
    cpu_cores_effective: cores * share,
    disk_bw: machine.diskBandwidth,
    driver_vers: driverNumber(machine.facts.driver_version),
  };
}

function usage(instance: Instance): JsonObject {
  const running: Json = instance.actualStatus === "running" ? 0 : null;
  return {
    gpu_util: running,
    gpu_temp: running === null ? null : 38,
    cpu_util: running ?? 0,
    mem_limit: running === null ? null : 15.7,
    mem_usage: running,
    vmem_usage: running,
    disk_usage: -1, // -1: not known
    disk_util: -1,
  };
}
