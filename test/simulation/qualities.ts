// Machines of different quality, which no list shows: whether an instance comes up, how fast, and how long it lives. The price is only
// loosely tied to it. Changes the machines and the instances of the emulator.
import type { Emulator } from "../emulator/emulator.ts";
import type { Instance } from "../emulator/instances/instance.ts";
import type { Machine } from "../emulator/market/machine.ts";
import { type Random, seededRandom } from "../emulator/random.ts";
import { sendCommand } from "./control-commands.ts";
import type { Fates } from "./fates.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface Quality {
  /** That an instance comes up at all. */
  bootChance: number;
  /** Mean life of an instance after its start. */
  lifeHours: number;
}

export interface QualitiesParts {
  emulator: Emulator;
  seed: number;
  time: VirtualTime;
  fates: Fates;
  /** Instances of others have no quality. */
  isOwn(label: string | null): boolean;
}

export interface Qualities {
  /** To be called after every possible change. */
  observe(): void;
  /** From now on every instance comes up and lives. */
  end(): void;
}

const HOUR_MS = 3_600_000;
// Of a machine's quality this part is its host's: who runs one machine badly runs the next one badly too.
const HOST_PART = 0.6;
// The worst machines live for half an hour on average, the best for two days: about what operators report of consumer hosts and of
// data centers.
const WORST_LIFE_HOURS = 0.5;
const BEST_LIFE_HOURS = 48;
const WORST_BOOT_CHANCE = 0.5;
// The best machines cost this much more than the worst on average; the spread of the market is wider.
const PRICE_OF_QUALITY = 0.25;
// The worst machines have this part of the bandwidth that they claim.
const WORST_BANDWIDTH = 0.15;
// The API's own estimate of the reliability says a little about the quality.
const RELIABILITY_SPREAD = 0.06;

/** What the machines are really like, by machine id; their prices and estimates follow from it loosely. */
export function gradeMachines(machines: Iterable<Machine>, random: Random): Map<number, Quality> {
  const hosts = new Map<number, number>();
  const qualities = new Map<number, Quality>();
  for (const machine of machines) {
    const host = hosts.get(machine.hostId) ?? random.next();
    hosts.set(machine.hostId, host);
    const grade = HOST_PART * host + (1 - HOST_PART) * random.next();
    machine.dph *= 1 + PRICE_OF_QUALITY * (grade - 0.5);
    machine.inetDown *= WORST_BANDWIDTH + (1 - WORST_BANDWIDTH) * grade;
    const reliability = 1 - RELIABILITY_SPREAD * (1 - grade) * random.between(0, 2);
    Object.assign(machine.facts, { reliability2: reliability, expected_reliability: reliability * 0.99 });
    qualities.set(machine.id, {
      bootChance: Math.min(1, WORST_BOOT_CHANCE + grade * (1.2 - WORST_BOOT_CHANCE)),
      lifeHours: WORST_LIFE_HOURS * (BEST_LIFE_HOURS / WORST_LIFE_HOURS) ** grade,
    });
  }
  return qualities;
}

export function createQualities({ emulator, seed, time, fates, isOwn }: QualitiesParts): Qualities {
  const { world } = emulator;
  const random = seededRandom(seed, "qualities");
  const qualities = gradeMachines(world.market.machines.values(), random);
  const known = new Set<number>();
  const starting = new Map<number, { instance: Instance; quality: Quality }>();
  const stuck = new Set<number>();
  let [read, ended] = [world.instances.size, false];

  function readNew(): void {
    if (world.instances.size === read) return;
    read = world.instances.size;
    for (const instance of world.live.values()) {
      const quality = qualities.get(instance.machine.id);
      if (known.has(instance.id) || quality === undefined || !isOwn(instance.label)) continue;
      known.add(instance.id);
      if (random.chance(quality.bootChance)) {
        starting.set(instance.id, { instance, quality });
        continue;
      }
      stuck.add(instance.id);
      sendCommand(emulator, "POST", `instances/${instance.id}/stick`);
      fates.hit(instance.id, deathOf("stick"), time.now());
    }
  }

  return {
    observe() {
      if (ended) return;
      readNew();
      for (const [id, { instance, quality }] of starting) {
        if (instance.firstRunningAt === null) continue;
        starting.delete(id);
        const lifeMs = -Math.log(1 - random.next()) * quality.lifeHours * HOUR_MS;
        const event = random.pick(["exit", "offline", "unknown"]);
        time.after(Math.round(lifeMs), () => {
          if (ended || !world.live.has(id)) return;
          sendCommand(emulator, "POST", `instances/${id}/${event}`);
          fates.hit(id, deathOf(event), time.now());
        });
      }
    },
    end() {
      ended = true;
      for (const id of stuck) if (world.live.has(id)) sendCommand(emulator, "POST", `instances/${id}/unstick`);
    },
  };
}

/** Nothing brings it back. */
function deathOf(event: string): Parameters<Fates["hit"]>[1] {
  return { kind: "instance", at: 0, pod: 0, event, body: {}, undo: null };
}
