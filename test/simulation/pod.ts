// One pod of a run: its volumes, its nginx, and one provisioner process after another. Touches only what it is given.

import { parseJson } from "../../common/parse-json.ts";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import type { run } from "../../provisioner/commands/run.ts";
import { fleetKeys } from "../../provisioner/fleet/keys.ts";
import type { RedisConnection } from "../../provisioner/redis/connection.ts";
import { readProvisionerSettings } from "../../provisioner/settings.ts";
import { stateSchema } from "../../provisioner/state/schema.ts";
import type { WantedTemplate } from "../../provisioner/template/file.ts";
import type { ApiRequest } from "../emulator/message.ts";
import type { Random } from "../emulator/random.ts";
import { type PodDisk, podDisk, processDisk } from "./disk.ts";
import type { EndTruth, PodTruth, Span } from "./emulator-truth.ts";
import type { HeldProbes } from "./held-probes.ts";
import { instanceProbe, type ProbeParts } from "./instance-probe.ts";
import { type ApiConnection, apiAdapter, kindOf } from "./network.ts";
import { type KillPoint, newProcess, type Process } from "./process.ts";
import type { SharedRedis } from "./redis.ts";
import { type SimulatedReloader, simulatedReloader } from "./reloader.ts";
import { FIRST_IMAGE } from "./scenario.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What runs in a pod: the provisioner, or another program that a bench compares it with. */
export type Program = typeof run;

export interface PodParts {
  program: Program;
  time: VirtualTime;
  clockOffsetMs: number;
  random: Random;
  connection: ApiConnection;
  probe: Omit<ProbeParts, "random" | "healthPath" | "hold">;
  /** Holds the probes of a settled pod for so long. */
  hold: { ms: number; probes: HeldProbes } | null;
  redis: SharedRedis;
  env: Readonly<Record<string, string>>;
  image: string;
  /** The content of its template file; null without one. */
  templateFile: WantedTemplate | null;
  truth: PodTruth;
  /** Adds a line about the process to the timeline. */
  record(text: string): void;
  log(line: string): void;
  /** Bytes that a process wrote to disk. */
  wrote(path: string, text: string): void;
  /** Called when nginx serves something else. */
  changed(): void;
  /** Plants bugs in the program, for the tests of the laws. */
  alter(dependencies: Dependencies): Dependencies;
}

export interface Pod {
  /** The volumes of the pod that has the name now. */
  readonly disk: PodDisk;
  readonly reloader: SimulatedReloader;
  /** The desired image, and since when a process knows it. */
  image: { name: string; since: number };
  /** What a process reads from the template file when it starts. */
  templateFile: WantedTemplate | null;
  start(): void;
  kill(): void;
  /** Pauses the process; the returned function lets it continue. Null without a process. */
  freeze(): (() => void) | null;
  /** Kills the process when it next reaches `point`. Without a process it does nothing. */
  killAtPoint(point: KillPoint): void;
  /** SIGTERM, and SIGKILL after the grace period; `then` is called when the process has ended. */
  terminate(then: () => void): void;
  /** Calls `then` once when the current process has ended. */
  onEnd(then: () => void): void;
  isUp(): boolean;
  /** Replaces the pod: its volumes and its nginx are new. */
  replace(): void;
  /**
   * Replaces the pod while the former one's process keeps running. Returns a function that kills that process; null if there is
   * no process or it is about to end.
   */
  leaveBehind(): (() => void) | null;
}

// The paths are the programs' defaults.
export const UPSTREAM_PATH = "/var/run/vast-pod/upstream.json";
export const STATE_PATH = "/var/lib/vast-pod/provisioner.json";
// Kubernetes' default between SIGTERM and SIGKILL.
const GRACE_MS = 30_000;
// What an ordered end needs besides VAST_TERMINATE_SECONDS.
const GRACE_MORE_MS = 10_000;
// A request over loopback.
const ASK_MS = 2;
// Kubernetes waits before it restarts a crashed program; its first waits are about this long.
const CRASH_WAIT_MS = 10_000;

/** A template file with this text beside what the account's template has at first; null: only that. */
export function templateFile(readme: string | null): WantedTemplate {
  const fields = readme === null ? {} : { readme };
  return { image: FIRST_IMAGE, ports: ["8000:8000"], env: null, secretNames: [], login: null, fields, secrets: [] };
}

/** The instances that are to be destroyed, by the state in this file. */
function pendingIn(text: string | null): number[] {
  const state = text === null ? null : parseJson(text, stateSchema);
  return state !== null && "value" in state ? state.value.pendingDeletes.map(({ id }) => id) : [];
}

export function simulatedPod(parts: PodParts): Pod {
  const { time, truth, record } = parts;
  const newVolumes = () => {
    const disk = podDisk(UPSTREAM_PATH);
    return { disk, reloader: simulatedReloader(time, disk, UPSTREAM_PATH, parts.changed) };
  };
  let volumes = newVolumes();
  let current: Process | null = null;
  let ends: (() => void)[] = [];
  let ending: Process | null = null; // SIGTERM was sent to it
  let leftState: string | null = null; // by the process that ended last

  const ended = (process: Process, span: Span) => {
    span.to = time.now();
    if (current !== process) return;
    current = null;
    leftState = volumes.disk.read(STATE_PATH);
    const then = ends;
    ends = [];
    for (const one of then) one();
  };

  const pod: Pod = {
    get disk() {
      return volumes.disk;
    },
    get reloader() {
      return volumes.reloader;
    },
    image: { name: parts.image, since: time.now() },
    templateFile: parts.templateFile,
    isUp: () => current !== null,
    start() {
      if (current !== null) return;
      const span: Span = { from: time.now(), to: Number.POSITIVE_INFINITY };
      const number = truth.running.push(span) - 1;
      const process: Process = newProcess(
        time,
        () => {
          record("the provisioner is killed");
          ended(process, span);
        },
        parts.clockOffsetMs,
      );
      current = process;
      live(process, number).then(
        () => process.alive() && ended(process, span),
        (error: unknown) => {
          if (!process.alive()) return;
          record(`the provisioner crashed: ${error instanceof Error ? error.message : String(error)}`);
          ended(process, span);
          time.after(CRASH_WAIT_MS, pod.start);
        },
      );
    },
    kill: () => current?.kill(),
    freeze: () => current?.freeze() ?? null,
    killAtPoint: (point) => current?.killAtPoint(point),
    onEnd(then) {
      if (current === null) then();
      else ends.push(then);
    },
    terminate(then) {
      const process = current;
      if (process === null) return;
      if (ending === process) {
        ends.push(then); // its time runs since the first order
        return;
      }
      ending = process;
      const destroys = parts.env.VAST_ON_TERMINATE === "destroy";
      const due =
        time.now() + (destroys ? 1000 * Number(parts.env.VAST_TERMINATE_SECONDS ?? 100) + GRACE_MORE_MS : GRACE_MS);
      const end: EndTruth = { from: time.now(), to: Number.POSITIVE_INFINITY, due, killed: false };
      if (destroys) truth.ends.push(end);
      const pendingBefore = pendingIn(volumes.disk.read(STATE_PATH));
      ends.push(() => {
        end.to = time.now();
        end.killed = !process.alive() && end.to < due;
        end.recorded = pendingIn(leftState).filter((id) => !pendingBefore.includes(id));
        then();
      });
      process.whenRunning(() => process.stop.abort(new Error("SIGTERM")));
      time.after(due - time.now(), () => process === current && process.kill());
    },
    replace() {
      volumes = newVolumes();
      truth.replacedAt.push(time.now());
      parts.changed();
    },
    leaveBehind() {
      const process = current;
      if (process === null || ends.length > 0) return null;
      current = null;
      pod.replace();
      return process.kill;
    },
  };

  const leaseKey = () => fleetKeys(parts.connection.emulator.world.account.id).lease(truth.label);
  const ownerOf = (number: number) => `${truth.name} (process ${number})`;

  /** Records a create or destroy with the process that sends it. */
  function connectionOf(number: number): ApiConnection {
    const { observer } = parts.connection;
    const lease = leaseKey();
    const open = new Map<ApiRequest, PodTruth["acts"][number]>();
    const sent = (request: ApiRequest) => {
      if (kindOf(request) !== null) {
        const holder = parts.redis.peek(lease);
        const leaseOfOther = holder !== null && !holder.endsWith(ownerOf(number));
        const act = { at: time.now(), endedAt: Number.POSITIVE_INFINITY, process: number, leaseOfOther };
        truth.acts.push(act);
        open.set(request, act);
      }
      observer.sent(request);
    };
    const ended = (request: ApiRequest) => {
      const act = open.get(request);
      if (act !== undefined) act.endedAt = time.now();
      observer.ended(request);
    };
    return { ...parts.connection, observer: { ...observer, sent, ended } };
  }

  /** Records when the process gives its lease up. */
  function redisOf(process: Process, number: number): RedisConnection {
    const redis = parts.redis.connect(process.clock.sleep);
    const lease = leaseKey();
    return {
      ...redis,
      async removeMine(key, mine) {
        const isHeld = key === lease && parts.redis.peek(key)?.startsWith(mine) === true;
        await redis.removeMine(key, mine);
        if (isHeld) truth.releases.push({ at: time.now(), process: number });
      },
    };
  }

  function live(process: Process, number: number): Promise<boolean> {
    const { disk, reloader } = volumes;
    const read = readProvisionerSettings({
      env: { ...parts.env, VAST_TEMPLATE_IMAGE: pod.image.name },
      flags: {},
      readFile: () => "",
    });
    const settings = { ...read, template: pod.templateFile };
    const { random } = parts;
    const dependencies: Dependencies = {
      clock: process.clock,
      random: random.next,
      disk: processDisk(disk, {
        alive: process.alive,
        before: (path) => path === UPSTREAM_PATH || process.passes("state-before"),
        after(path, text) {
          parts.wrote(path, text);
          if (path === UPSTREAM_PATH) reloader.changed();
          process.passes(path === UPSTREAM_PATH ? "upstream-after" : "state-after");
        },
      }),
      adapter: apiAdapter(connectionOf(number), process),
      connectRedis: async () => redisOf(process, number),
      owner: ownerOf(number),
      probe: instanceProbe(
        {
          ...parts.probe,
          random,
          healthPath: settings.healthPath,
          ...(parts.hold === null ? {} : { hold: { ...parts.hold, isSettled: reloader.isSettled } }),
        },
        process,
      ),
      askReloader: async (signal) => {
        await process.clock.sleep(ASK_MS, signal);
        return reloader.applied();
      },
      askProxy: async () => null,
      isProxyGone: async () => false,
      openCluster: () => {
        throw new Error("no cluster");
      },
      inKubernetes: false,
      serveStatus: async (port) => ({ port, close: async () => undefined }),
      logTo: { write: parts.log },
    };
    return parts.program(settings, parts.alter(dependencies), process.stop.signal);
  }
  return pod;
}
