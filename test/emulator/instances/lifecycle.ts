// The state machine of an instance: from null over loading and created to running, and every way to leave it. Changes only
// instances, GPUs and the agenda.
import { release, take } from "../market/offer.ts";
import { seconds, type World } from "../world.ts";
import { dollarsPerHour, settle, spendable, total } from "./billing.ts";
import { pullOf, UNPACKED } from "./images.ts";
import { type Instance, isLive } from "./instance.ts";
import { publishPorts } from "./ports.ts";

/** Changes an instance: updates its bill before, and the time when the credit is used up after. */
export function change(world: World, instance: Instance, changes: Partial<Instance>): void {
  settle(world, instance);
  Object.assign(instance, changes);
  watchCredit(world);
}

/** Its image was downloaded, unless its layers are on the machine already. One that hangs in the pull or ends there is not billed. */
function billDownload(world: World, { spec, machine, bill, pulledImage }: Instance): void {
  if (!world.settings.billDownloads || pulledImage === spec.image) return;
  const perGb = machine.facts.inet_down_cost;
  if (typeof perGb === "number") bill.trafficDollars += pullOf(spec.image, world.settings).sizeGb * perGb;
}

/** Runs `step` after `delayMs` unless it is cancelled before. */
export function later(world: World, instance: Instance, delayMs: number, step: () => void): void {
  const { epoch } = instance;
  world.agenda.add(world.time + delayMs, () => {
    if (instance.epoch === epoch && isLive(instance)) step();
  });
}

/** Cancels all scheduled steps of the instance. */
export function interrupt(instance: Instance): void {
  instance.epoch += 1;
}

// From the start of a failing container to its exit.
const CRASH_MS = 1000;

interface BootPlan {
  /** Each from the step before, ms. */
  scheduleMs: number;
  pullMs: number;
  startMs: number;
}

function bootPlan(world: World, instance: Instance): BootPlan {
  const fixed = world.hosts.get(instance.machine.hostId)?.bootSeconds ?? world.settings.bootSeconds;
  if (fixed !== null) return { scheduleMs: fixed * 100, pullMs: fixed * 800, startMs: fixed * 100 };
  const { random } = world;
  const known = instance.pulledImage === instance.spec.image; // its layers are on the machine already
  const sizeGb = known ? 0 : pullOf(instance.spec.image, world.settings).sizeGb;
  const pull = (sizeGb * 8000) / instance.machine.inetDown; // GB over Mbit/s
  const unpack = (sizeGb * UNPACKED * 1000) / instance.machine.diskBandwidth;
  return {
    scheduleMs: random.between(1000, 8000),
    pullMs: (pull + unpack) * 1000 * random.between(1, 1.4) + 2000,
    startMs: random.between(500, 4000),
  };
}

/** Starts a new contract that has its GPUs. */
export function boot(world: World, instance: Instance): void {
  interrupt(instance);
  later(world, instance, bootPlan(world, instance).scheduleMs, () => load(world, instance));
}

/** Pulls the image and creates the container. */
export function load(world: World, instance: Instance): void {
  interrupt(instance);
  const plan = bootPlan(world, instance);
  const { failure, unpackedGb } = pullOf(instance.spec.image, world.settings);
  change(world, instance, { actualStatus: "loading", statusMsg: "Pulling from the registry\n", serving: false });
  if (failure !== null) {
    later(world, instance, Math.min(plan.pullMs, 20_000), () => change(world, instance, { statusMsg: `${failure}\n` }));
    return;
  }
  if (unpackedGb > instance.disk) {
    const text = "failed to register layer: failed to extract layer: write: no space left on device\n";
    later(world, instance, plan.pullMs, () => {
      billDownload(world, instance);
      change(world, instance, { statusMsg: text });
    });
    return;
  }
  later(world, instance, plan.pullMs, () => {
    if (isHeld(world, instance)) return;
    billDownload(world, instance);
    change(world, instance, { actualStatus: "created", statusMsg: null, pulledImage: instance.spec.image });
    later(world, instance, plan.startMs, () => {
      if (!isHeld(world, instance)) run(world, instance);
    });
  });
}

/** A stuck instance, or one on a host that never boots, stays where it is. */
function isHeld(world: World, instance: Instance): boolean {
  return instance.stuck || world.hosts.get(instance.machine.hostId)?.neverBoots === true;
}

/** Continues an instance that was held. */
export function unhold(world: World, instance: Instance): void {
  if (!isLive(instance) || isHeld(world, instance) || instance.curState !== "running") return;
  if (instance.actualStatus === null || instance.actualStatus === "loading" || instance.actualStatus === "created") {
    load(world, instance);
  }
}

/** The container runs: ports get their numbers, new ones unless `keepPorts`, which show a little later. */
export function run(world: World, instance: Instance, keepPorts = false): void {
  interrupt(instance);
  if (!keepPorts || instance.ports === null) publishPorts(world, instance);
  const fixed = world.settings.portLagSeconds ?? (world.settings.bootSeconds !== null ? 0 : null);
  const lagMs = fixed === null ? world.random.between(0, 6000) : fixed * 1000;
  const runtype = instance.spec.runtype.split(" ")[0] ?? "args";
  const { crash } = pullOf(instance.spec.image, world.settings);
  change(world, instance, {
    actualStatus: "running",
    curState: "running",
    nextState: "running",
    statusMsg: `success, running ${instance.spec.image.replaceAll(":", "_")}/${runtype}\n`,
    portsShownAt: world.time + lagMs,
    firstRunningAt: instance.firstRunningAt ?? world.time,
    runningSince: world.time,
    reachable: true,
    serving: world.settings.appSeconds === 0 && crash === null,
  });
  if (crash !== null) {
    later(world, instance, CRASH_MS, () =>
      change(world, instance, { actualStatus: "exited", statusMsg: `${crash}\n` }),
    );
    return;
  }
  if (world.settings.appSeconds > 0) {
    later(world, instance, world.settings.appSeconds * 1000, () => change(world, instance, { serving: true }));
  }
}

/** The contract frees its GPUs and still costs its disk. */
export function stop(world: World, instance: Instance, intended: "running" | "stopped"): void {
  interrupt(instance);
  const { actualStatus } = instance;
  const keeps = actualStatus === null || actualStatus === "offline" || actualStatus === "unknown";
  change(world, instance, {
    intendedStatus: intended,
    curState: "stopped",
    nextState: "stopped",
    actualStatus: keeps ? actualStatus : "exited",
    ports: null,
    serving: false,
    startQueued: false,
  });
  release(world.market, instance.machine, instance.id, world.random, seconds(world));
  startQueued(world);
}

/** Starts a stopped contract or an exited container. Returns false if another customer has the GPUs: then the start is queued. */
export function start(world: World, instance: Instance): boolean {
  if (instance.curState === "running") {
    if (instance.actualStatus === "exited") later(world, instance, 1000, () => load(world, instance));
    return true;
  }
  if (!take(world.market, instance.machine, instance.cards, instance.id, world.random, seconds(world))) {
    change(world, instance, { intendedStatus: "running", nextState: "running", startQueued: true });
    return false;
  }
  change(world, instance, {
    intendedStatus: "running",
    curState: "running",
    nextState: "running",
    startQueued: false,
  });
  later(world, instance, 1000, () => load(world, instance));
  return true;
}

/** Runs every queued start whose GPUs are free now. */
export function startQueued(world: World): void {
  for (const instance of world.live.values()) {
    if (instance.startQueued) start(world, instance);
  }
}

/** Ends the contract. Its row is still listed for `lingerMs`. */
export function end(world: World, instance: Instance, lingerMs: number, endedBy: string): void {
  if (!isLive(instance)) return;
  interrupt(instance);
  settle(world, instance);
  world.live.delete(instance.id);
  world.spentOnEnded += total(instance.bill);
  Object.assign(instance, {
    destroyedAt: world.time,
    goneAt: world.time + lingerMs,
    endedBy,
    serving: false,
    startQueued: false,
  });
  if (lingerMs > 0) world.lingering.push(instance);
  release(world.market, instance.machine, instance.id, world.random, seconds(world));
  startQueued(world);
  watchCredit(world);
}

/** Schedules the time when the credit is used up: then everything is stopped. */
export function watchCredit(world: World): void {
  const rate = dollarsPerHour(world);
  world.brokeAt = rate <= 0 ? null : world.time + Math.max(0, (spendable(world) / rate) * 3_600_000);
}

/** The account has no credit: every contract is stopped. Their disks still cost. */
export function stopAll(world: World): void {
  world.brokeAt = null;
  for (const instance of world.live.values()) instance.startQueued = false; // no instance may take the GPUs that another one frees
  for (const instance of world.live.values()) {
    if (instance.curState !== "stopped") stop(world, instance, "stopped");
  }
}
