// Events of an instance from outside the API: crashes, lost hosts, outbids, moves. A test or a simulation triggers them by name.
// Changes instances, GPUs and the agenda.
import { z } from "zod";
import { release, take } from "../market/offer.ts";
import { seconds, type World } from "../world.ts";
import { settle } from "./billing.ts";
import { expire, watchEnd } from "./contract-end.ts";
import type { Instance } from "./instance.ts";
import {
  change,
  end,
  interrupt,
  later,
  load,
  run,
  start,
  startQueued,
  stop,
  unhold,
  watchCredit,
} from "./lifecycle.ts";
import { publishPorts } from "./ports.ts";

type Body = Record<string, unknown>;

const OCI_TEXT =
  "Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: " +
  "runc create failed: unable to start container process: error during container init: failed to inject CDI devices: " +
  "unresolvable CDI devices nvidia.com/gpu=0: unknown\nError: failed to start containers: ";

const HANDLERS: Readonly<Record<string, (world: World, instance: Instance, body: Body) => void>> = {
  /** The contract ends at once, as if destroyed in the console. */
  kill: (world, instance) => end(world, instance, 0, "console"),
  /** The container exits. */
  exit: (world, instance, body) => {
    const { text } = z.object({ text: z.string().optional() }).parse(body);
    interrupt(instance);
    change(world, instance, { actualStatus: "exited", serving: false, ...(text ? { statusMsg: `${text}\n` } : {}) });
  },
  /** The API hears nothing from the machine; with `{"reachable":true}` the instance still answers. */
  offline: (world, instance, body) => lose(world, instance, "offline", body),
  unknown: (world, instance, body) => lose(world, instance, "unknown", body),
  /** Running again, on the same ports. Does nothing if another instance of the account has its GPUs. */
  recover: (world, instance) => {
    const { market, random } = world;
    if (instance.curState !== "running") {
      release(market, instance.machine, "stranger", random, seconds(world));
      if (!take(market, instance.machine, instance.cards, instance.id, random, seconds(world))) return; // ours, elsewhere
    }
    Object.assign(instance, { stuck: false, muted: false, answerStatus: null, answerDelayMs: 0 });
    change(world, instance, { intendedStatus: "running", startQueued: false, reachable: true });
    run(world, instance, true);
  },
  /** The address (if one is given) and the port numbers change. */
  move: (world, instance, body) => {
    const { ip } = z.object({ ip: z.string().min(1).optional() }).parse(body);
    if (ip) instance.ip = ip;
    if (instance.ports !== null) publishPorts(world, instance);
  },
  /** Exits, loads and runs again with new port numbers. A stopped one has no container to restart. */
  restart: (world, instance) => {
    if (instance.curState !== "running") return;
    interrupt(instance);
    change(world, instance, { actualStatus: "exited", serving: false, ports: null });
    later(world, instance, 1000, () => load(world, instance));
  },
  /** A higher bid takes the GPUs. */
  outbid: (world, instance, body) => {
    const { minBid } = z.object({ minBid: z.number().positive().optional() }).parse(body);
    instance.machine.minBid = minBid ?? (instance.gpuPerHour / instance.cards.length) * 1.1;
    instance.isBid = true;
    stop(world, instance, world.settings.outbidIntendedStatus);
    take(world.market, instance.machine, instance.cards, "stranger", world.random, seconds(world));
    instance.startQueued = true; // it runs again, perhaps weeks later, when the other bid ends
  },
  /** The machine's container runtime is broken: created, never started. */
  "oci-failure": (world, instance) => {
    stop(world, instance, "running");
    change(world, instance, { actualStatus: "created", statusMsg: `${OCI_TEXT}C.${instance.id}\n` });
  },
  "pull-failure": (world, instance, body) => {
    const { text } = z.object({ text: z.string().default("manifest unknown") }).parse(body);
    interrupt(instance);
    change(world, instance, { actualStatus: "loading", serving: false, ports: null, statusMsg: `${text}\n` });
  },
  /** It runs, but nothing listens. */
  mute: (_, instance) => {
    instance.muted = true;
  },
  unmute: (_, instance) => {
    instance.muted = false;
  },
  /** It never gets beyond loading. */
  stick: (world, instance) => {
    instance.stuck = true;
    if (instance.curState !== "running") return;
    if (instance.actualStatus !== null && instance.actualStatus !== "loading") {
      interrupt(instance);
      change(world, instance, { actualStatus: "loading", serving: false, ports: null });
    }
  },
  unstick: (world, instance) => {
    instance.stuck = false;
    unhold(world, instance);
  },
  /** The row reports another image. */
  image: (_, instance, body) => {
    instance.spec = { ...instance.spec, image: z.object({ image: z.string() }).parse(body).image };
  },
  label: (_, instance, body) => {
    instance.label = z.object({ label: z.string().nullable() }).parse(body).label;
  },
  /** Its server answers late. */
  slow: (_, instance, body) => {
    instance.answerDelayMs = z.object({ delayMs: z.number().min(0) }).parse(body).delayMs;
  },
  /** Its server answers with this status; null means normally again. */
  fail: (_, instance, body) => {
    instance.answerStatus = z.object({ status: z.int().min(200).max(599).nullable() }).parse(body).status;
  },
  stop: (world, instance) => stop(world, instance, "stopped"),
  start: (world, instance) => {
    start(world, instance);
  },
  /** Another customer rents the GPUs of a stopped instance. */
  relet: (world, instance) => {
    take(world.market, instance.machine, instance.cards, "stranger", world.random, seconds(world));
  },
  /** The other customer leaves; a queued start runs. */
  free: (world, instance) => {
    release(world.market, instance.machine, "stranger", world.random, seconds(world));
    startQueued(world);
  },
  /** Its host asks for another price for the GPUs, $/h. */
  "price-increase": (world, instance, body) => {
    const { gpuPerHour } = z.object({ gpuPerHour: z.number().positive() }).parse(body);
    instance.priceIncrease = { id: world.nextIncreaseId++, gpuPerHour, createdAt: world.time };
  },
  /** It transfers data, which is billed apart. */
  traffic: (world, instance, body) => {
    settle(world, instance);
    instance.bill.trafficDollars += z.object({ dollars: z.number().min(0) }).parse(body).dollars;
    watchCredit(world);
  },
  /** The machine's contract period ends in so many seconds, whatever was agreed. */
  "ends-in": (world, instance, body) => {
    instance.endDate = seconds(world) + z.object({ seconds: z.number().positive() }).parse(body).seconds;
    instance.machine.endDate = instance.endDate;
    watchEnd(world, instance);
  },
  /** The machine's contract period is over. */
  expire: (world, instance) => {
    instance.endDate = seconds(world);
    instance.machine.endDate = instance.endDate;
    expire(world, instance);
  },
  /** Overrides the row's computed fields. */
  row: (_, instance, body) => {
    const fields = z.record(z.string(), z.json()).parse(body);
    instance.overrides = { ...instance.overrides, ...fields };
  },
};

/** The events by name. Each throws a ZodError if its body is invalid. */
export const EVENTS = new Map(Object.entries(HANDLERS));

function lose(world: World, instance: Instance, status: "offline" | "unknown", body: Body): void {
  const { reachable } = z.object({ reachable: z.boolean().default(false) }).parse(body);
  interrupt(instance);
  change(world, instance, { actualStatus: status, reachable });
}
