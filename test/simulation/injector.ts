// Starts and ends the faults of a scenario. Touches the emulator, the pods and Redis.

import type { Emulator } from "../emulator/emulator.ts";
import { isObject, type JsonObject, parseJson } from "../emulator/json.ts";
import { breakHosts, createTwin, sendCommand, settingOf } from "./control-commands.ts";
import type { Disturbance, Truth } from "./emulator-truth.ts";
import { createFates, type Fates } from "./fates.ts";
import { type Pod, templateFile } from "./pod.ts";
import type { KillPoint } from "./process.ts";
import type { SharedRedis } from "./redis.ts";
import { createRollouts } from "./rollout.ts";
import type { Injection } from "./scenario.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface InjectorParts {
  time: VirtualTime;
  emulator: Emulator;
  redis: SharedRedis;
  pods: readonly Pod[];
  truth: Truth;
  record(pod: number | null, text: string): void;
  /** Called after every change. */
  observe(): void;
}

export interface Injector {
  inject(injection: Injection): void;
  /** The error code of the pod's connections at the moment, or null. */
  failureTo(what: "api" | "instances", pod: number): string | null;
  readonly fates: Fates;
  /** Ends all faults. */
  endFaults(): void;
}

// A process that does not reach its kill point in this time is killed where it is.
const KILL_POINT_WAIT_MS = 10 * 60_000;
const RESTART_MS = 3000;
// A reloader that was down applies the file this soon after its start.
const RELOADER_STARTS_MS = 6000;
// Delayed answers and late rows can show this long after their fault.
const EFFECT_LASTS_MS = 130_000;

export function createInjector(parts: InjectorParts): Injector {
  const { time, emulator, redis, pods, truth } = parts;
  const { world } = emulator;
  const broken: { what: "api" | "instances"; pod: number | null; code: string }[] = [];
  const lasting = new Set<() => void>();
  const normal = { ...world.settings };
  const fates = createFates(truth.faultsEnd);

  /** Calls `end` after `ms`, or when all faults end. */
  const last = (ms: number, end: () => void) => {
    const once = () => {
      if (!lasting.delete(once)) return;
      end();
      parts.observe();
    };
    lasting.add(once);
    time.after(ms, once);
  };
  const disturb = (what: string, pod: number | null, afterglowMs: number): (() => void) => {
    const span: Disturbance = { from: time.now(), to: Number.POSITIVE_INFINITY, pod, what };
    truth.disturbances.push(span);
    return () => {
      span.to = time.now() + afterglowMs;
    };
  };
  /** The pod's live instance: the serving one, else the newest. */
  const instanceOf = (pod: number): number | null => {
    const label = truth.pods[pod]?.label;
    const serving = truth.pods[pod]?.serving.at(-1);
    const own = [...world.live.values()].filter((one) => one.label === label);
    return own.find((one) => one.id === serving?.id)?.id ?? own.at(-1)?.id ?? null;
  };
  const restart = (pod: Pod, downMs: number, losesDisk: boolean) => {
    if (losesDisk) pod.replace();
    time.after(downMs, pod.start);
  };
  const rollOut = createRollouts(parts, (pod, losesDisk) => restart(pod, RESTART_MS, losesDisk));

  const killAt = (pod: Pod, point: KillPoint | null, then: () => void) => {
    let over = false;
    pod.onEnd(() => {
      over = true;
      then();
    });
    if (point === null) pod.kill();
    else pod.killAtPoint(point);
    time.after(KILL_POINT_WAIT_MS, () => {
      if (!over) pod.kill();
    });
  };

  function inject(injection: Injection): void {
    switch (injection.kind) {
      case "api-fault": {
        const answer = parseJson(sendCommand(emulator, "POST", "faults", injection.rule));
        const id = isObject(answer) ? answer.id : null;
        const over = disturb("api", null, EFFECT_LASTS_MS);
        last(injection.forMs, () => {
          sendCommand(emulator, "DELETE", `faults/${id}`);
          over();
        });
        break;
      }
      case "api-settings": {
        sendCommand(emulator, "POST", "settings", injection.set);
        const back: JsonObject = {};
        for (const name of Object.keys(injection.set)) back[name] = settingOf(normal, name);
        const over = disturb("api", null, EFFECT_LASTS_MS);
        last(injection.forMs, () => {
          sendCommand(emulator, "POST", "settings", back);
          over();
        });
        break;
      }
      case "account": {
        sendCommand(emulator, "POST", "account", injection.set);
        const over = disturb("scopes" in injection.set ? "rights" : "account", null, 0);
        last(injection.forMs, () => {
          sendCommand(emulator, "POST", "account", injection.back);
          over();
        });
        break;
      }
      case "network": {
        const fault = { what: injection.to, pod: injection.pod, code: injection.code };
        broken.push(fault);
        const over = disturb("network", injection.pod, 0);
        last(injection.forMs, () => {
          broken.splice(broken.indexOf(fault), 1);
          over();
        });
        break;
      }
      case "instance": {
        const id = instanceOf(injection.pod);
        if (id === null) return;
        sendCommand(emulator, "POST", `instances/${id}/${injection.event}`, injection.body);
        fates.hit(id, injection, time.now());
        const { undo } = injection;
        if (undo === null) break;
        last(undo.afterMs, () => {
          sendCommand(emulator, "POST", `instances/${id}/${undo.event}`);
          fates.recovered(id);
        });
        break;
      }
      case "twin":
        createTwin(emulator, truth.pods[injection.pod]?.label ?? null);
        break;
      case "bad-host": {
        const id = instanceOf(injection.pod);
        const host = id === null ? undefined : world.instances.get(id)?.machine.hostId;
        if (host === undefined) return;
        sendCommand(emulator, "POST", `hosts/${host}`, { neverBoots: true });
        last(injection.forMs, () => void sendCommand(emulator, "POST", `hosts/${host}`, { neverBoots: false }));
        break;
      }
      case "bad-hosts":
        breakHosts(emulator, injection.every);
        break;
      case "rented-out": {
        const cheapest = [...world.market.offers.values()].sort((a, b) => a.machine.dph - b.machine.dph || a.id - b.id);
        for (const offer of cheapest.slice(0, injection.offers)) {
          if (world.market.offers.has(offer.id)) sendCommand(emulator, "DELETE", `offers/${offer.id}`);
        }
        break;
      }
      case "short-offers": {
        const cheapest = [...world.market.offers.values()].sort((a, b) => a.machine.dph - b.machine.dph || a.id - b.id);
        for (const { machine } of cheapest.slice(0, injection.offers))
          if (machine.holders.every((holder) => typeof holder !== "number"))
            machine.endDate = time.now() / 1000 + injection.seconds;
        break;
      }
      case "template":
        sendCommand(emulator, "PATCH", "templates/demo", { readme: injection.readme });
        break;
      case "image":
        rollOut({
          ...injection,
          want(pod, i) {
            pod.image = { name: injection.image, since: time.now() };
            truth.pods[i]?.imageChanges.push(time.now());
          },
        });
        break;
      case "template-file":
        rollOut({
          ...injection,
          want(pod) {
            pod.templateFile = templateFile(injection.readme);
          },
        });
        break;
      case "restart": {
        const pod = pods[injection.pod];
        if (pod === undefined || !pod.isUp()) return;
        const then = () => restart(pod, injection.downMs, injection.losesDisk);
        if (injection.how === "terminate") pod.terminate(then);
        else killAt(pod, injection.point, then);
        break;
      }
      case "freeze": {
        const thaw = pods[injection.pod]?.freeze() ?? null;
        if (thaw === null) return;
        const over = disturb("freeze", injection.pod, 0);
        last(injection.forMs, () => {
          thaw();
          over();
        });
        break;
      }
      case "end": {
        const pod = pods[injection.pod];
        if (pod === undefined || !pod.isUp()) return;
        const ids = injection.rules.map((rule) => {
          const answer = parseJson(sendCommand(emulator, "POST", "faults", rule));
          return isObject(answer) ? answer.id : null;
        });
        const { disk } = pod;
        const over = injection.diskFull ? disturb("disk", injection.pod, 0) : null;
        if (injection.diskFull) disk.full = true;
        pod.terminate(() => {
          for (const id of ids) sendCommand(emulator, "DELETE", `faults/${id}`);
          if (injection.diskFull) disk.full = false;
          over?.();
          time.after(injection.downMs, pod.start);
        });
        break;
      }
      case "overlap": {
        const pod = pods[injection.pod];
        const end = pod?.leaveBehind() ?? null;
        if (pod === undefined || end === null) return;
        last(injection.forMs, end);
        time.after(RESTART_MS, pod.start);
        break;
      }
      case "redis-away": {
        redis.away = true;
        const span = { from: time.now(), to: Number.POSITIVE_INFINITY };
        truth.redisUnreliable.push(span);
        last(injection.forMs, () => {
          redis.away = false;
          span.to = time.now();
        });
        break;
      }
      case "redis-flush":
        redis.flush();
        truth.redisUnreliable.push({ from: time.now(), to: time.now() });
        break;
      case "disk-full": {
        const pod = pods[injection.pod];
        if (pod === undefined) return;
        pod.disk.full = true;
        const over = disturb("disk", injection.pod, 0);
        last(injection.forMs, () => {
          pod.disk.full = false;
          over();
        });
        break;
      }
      case "state-disk-full": {
        const pod = pods[injection.pod];
        if (pod === undefined) return;
        const { disk } = pod;
        disk.stateFull = true;
        const over = disturb("state-disk", injection.pod, 0);
        last(injection.forMs, () => {
          disk.stateFull = false;
          over();
        });
        break;
      }
      case "reloader-down": {
        const pod = pods[injection.pod];
        if (pod === undefined) return;
        pod.reloader.down = true;
        const over = disturb("reloader", injection.pod, RELOADER_STARTS_MS);
        last(injection.forMs, () => {
          pod.reloader.down = false;
          pod.reloader.changed();
          over();
        });
        break;
      }
    }
    parts.observe();
  }

  return {
    inject,
    fates,
    failureTo: (what, pod) =>
      broken.find((one) => one.what === what && (one.pod === null || one.pod === pod))?.code ?? null,
    endFaults() {
      for (const end of [...lasting]) end();
      // Strangers who outbid creates all the time are a fault, too: a pod without a fallback may use up its creates for an hour.
      sendCommand(emulator, "POST", "settings", { outbidAtCreateProbability: 0 });
    },
  };
}
