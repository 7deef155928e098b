// Why money served nobody: each interval of an own contract from which no pod is served is put down to what its instance did, the reason
// that its pod published, and what held the pod back. Reads the emulator and changes nothing.
import type { Emulator } from "../emulator/emulator.ts";
import { chargesCards, diskPerHour, total } from "../emulator/instances/billing.ts";
import { isListening } from "../emulator/instances/endpoints.ts";
import type { Instance } from "../emulator/instances/instance.ts";
import type { Disturbance, Truth } from "./emulator-truth.ts";

/** $ for instances that served nobody. The key is `instance | reason | held back by`. */
export interface Cause {
  cause: string;
  /** Before an instance served for the first time. */
  boot: number;
  /** Of instances that never served, and after serving. */
  waste: number;
}

export interface SpendingParts {
  emulator: Emulator;
  truth: Truth;
  now(): number;
  /** The reason that the pod's upstream file gives. */
  reasonOf(pod: number): string;
  isUp(pod: number): boolean;
  /** False while nothing comes through from the pod to its instances. */
  reaches(pod: number): boolean;
}

export interface Spending {
  /** To be called after every possible change. */
  observe(): void;
  /** The causes until now, the most expensive first. */
  causes(): Cause[];
}

interface Account {
  instance: Instance;
  pod: number;
  /** Null while a pod is served from it. */
  key: string | null;
  paid: number;
  hasServed: boolean;
  before: Map<string, number>;
  after: Map<string, number>;
}

const HOUR_MS = 3_600_000;

const WORDS: Readonly<Record<string, string>> = {
  api: "API fault",
  account: "account trouble",
  rights: "account trouble",
  network: "network",
  freeze: "frozen",
  disk: "full disk",
  "state-disk": "full disk",
  reloader: "reloader down",
};

export function createSpending(parts: SpendingParts): Spending {
  const { emulator, truth, now } = parts;
  const { world } = emulator;
  const podByLabel = new Map(truth.pods.map((pod, index) => [pod.label, index]));
  const open = new Map<number, Account>();
  const closed: Account[] = [];
  const deleted = new Set<number>();
  let disturbances: Disturbance[] = [];
  let [readDestroys, readDisturbances, readInstances] = [0, 0, 0];

  function readTruth(): void {
    for (; readDestroys < truth.destroys.length; readDestroys += 1) {
      const id = truth.destroys[readDestroys]?.id;
      if (id !== undefined) deleted.add(id);
    }
    disturbances = [...disturbances, ...truth.disturbances.slice(readDisturbances)].filter(({ to }) => to > now());
    readDisturbances = truth.disturbances.length;
    if (world.instances.size === readInstances) return;
    readInstances = world.instances.size;
    for (const instance of world.live.values()) {
      const pod = podByLabel.get(instance.label ?? "");
      if (pod === undefined || open.has(instance.id)) continue;
      const empty = { key: "", paid: 0, hasServed: false };
      open.set(instance.id, { instance, pod, ...empty, before: new Map(), after: new Map() });
    }
  }

  function isServed({ instance, pod }: Account): boolean {
    const last = truth.pods[pod]?.serving.at(-1);
    return last?.id === instance.id && last.to === Number.POSITIVE_INFINITY && parts.reaches(pod);
  }

  function keyOf({ instance, pod }: Account): string {
    const deletion = deleted.has(instance.id) ? "destroy sent, " : "";
    const held = disturbances
      .filter((one) => one.pod === null || one.pod === pod)
      .map(({ what }) => WORDS[what] ?? what);
    const heldBy = parts.isUp(pod) ? [...new Set(held)].sort().join(" + ") || "nothing" : "provisioner down";
    return `${deletion}${stateOf(instance)} | ${parts.reasonOf(pod)} | ${heldBy}`;
  }

  /** Adds what was paid since the last change to the cause that held until now. */
  function book(account: Account): void {
    const { instance, key, paid } = account;
    account.paid = charged(instance, world.time);
    if (key === null || account.paid === paid) return;
    const sums = account.hasServed ? account.after : account.before;
    sums.set(key, (sums.get(key) ?? 0) + account.paid - paid);
  }

  return {
    observe() {
      readTruth();
      for (const account of open.values()) {
        const served = isServed(account);
        const key = served ? null : keyOf(account);
        const ended = account.instance.destroyedAt !== null;
        if (key === account.key && !ended) continue;
        book(account);
        account.key = key;
        if (served) account.hasServed = true;
        if (!ended) continue;
        open.delete(account.instance.id);
        closed.push(account);
      }
    },
    causes() {
      const sums = new Map<string, Cause>();
      const add = (cause: string, kind: "boot" | "waste", dollars: number) => {
        const sum = sums.get(cause) ?? { cause, boot: 0, waste: 0 };
        sums.set(cause, { ...sum, [kind]: sum[kind] + dollars });
      };
      for (const account of open.values()) book(account);
      for (const { hasServed, before, after } of [...closed, ...open.values()]) {
        for (const [key, dollars] of before) add(key, hasServed ? "boot" : "waste", dollars);
        for (const [key, dollars] of after) add(key, "waste", dollars);
      }
      return [...sums.values()].sort((a, b) => b.boot + b.waste - a.boot - a.waste);
    },
  };
}

/** What it has cost until now. To bring its bill up to date would change the last digits of what the API answers. */
function charged(instance: Instance, now: number): number {
  const { bill, destroyedAt, gpuPerHour } = instance;
  if (destroyedAt !== null) return total(bill);
  const perHour = diskPerHour(instance) + (chargesCards(instance) ? gpuPerHour : 0);
  return total(bill) + ((now - bill.settledAt) / HOUR_MS) * perHour;
}

/** What the instance really does, in a few words. */
function stateOf(instance: Instance): string {
  const { actualStatus, curState, firstRunningAt, muted, reachable, serving } = instance;
  if (isListening(instance)) return "answers";
  if (curState === "stopped") return "stopped";
  if (actualStatus === "running") {
    if (muted) return "mute";
    if (!reachable) return "unreachable";
    return serving ? "ports not shown" : "app starts";
  }
  const word = actualStatus ?? "scheduled";
  return firstRunningAt !== null && !["exited", "offline", "unknown"].includes(word) ? `${word} again` : word;
}
