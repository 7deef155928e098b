// A contract: everything the emulator knows about one instance, from create to long after its end. Data only.
import type { Json, JsonObject } from "../json.ts";
import type { Machine } from "../market/machine.ts";

/** How the container is created. A later `update_template` prepares another one, which a recycle starts. */
export interface ContainerSpec {
  /** As resolved: `image_uuid`. */
  image: string;
  /** Environment and docker flags: `NAME` -> value, `-p 8000:8000` -> "1". */
  env: Readonly<Record<string, string>>;
  runtype: string;
  onstart: string | null;
  args: Json;
  templateId: number | null;
  templateHash: string | null;
  templateName: string | null;
}

/** One published port of the container. */
export interface PublishedPort {
  container: number;
  protocol: "tcp" | "udp";
  host: number;
}

export interface Bill {
  gpuDollars: number;
  diskDollars: number;
  /** Billed for each gigabyte, and in no price per hour. */
  trafficDollars: number;
  /** When it was last updated, epoch ms. */
  settledAt: number;
}

export interface Instance {
  id: number;
  askId: number;
  machine: Machine;
  cards: readonly number[];
  spec: ContainerSpec;
  pendingSpec: ContainerSpec | null;
  label: string | null;
  /** GB. */
  disk: number;
  /** `-u user -p password host`, a secret. */
  imageLogin: string | null;
  apiKey: string;
  /** Which image the machine has for it. */
  pulledImage: string | null;
  jupyterToken: string;
  /** $/h for the GPUs; a bid makes the contract interruptible. */
  gpuPerHour: number;
  isBid: boolean;
  /** When the contract ends, epoch seconds. */
  endDate: number;
  /** What its host asks for the GPUs from the end of the contract on, $/h; null: nothing is announced. */
  priceIncrease: { id: number; gpuPerHour: number; createdAt: number } | null;

  intendedStatus: "running" | "stopped";
  curState: string;
  nextState: string;
  actualStatus: string | null;
  statusMsg: string | null;
  /** A start is queued because another customer has the GPUs. */
  startQueued: boolean;

  ip: string | null;
  ports: PublishedPort[] | null;
  /** From when `ports` and the address show, epoch ms. */
  portsShownAt: number;
  /** From here on the GPUs are charged, epoch ms. */
  firstRunningAt: number | null;
  runningSince: number | null;

  /** The container's program runs and listens. */
  serving: boolean;
  /** It runs but nothing listens. */
  muted: boolean;
  /** The machine answers, whatever status the API shows. */
  reachable: boolean;
  stuck: boolean;
  answerDelayMs: number;
  answerStatus: number | null;

  createdAt: number;
  visibleAt: number;
  /** When the contract ended, epoch ms. */
  destroyedAt: number | null;
  /** Until when its row is still listed after that. */
  goneAt: number | null;
  endedBy: string | null;
  bill: Bill;
  /** Incremented to cancel all scheduled steps. */
  epoch: number;
  /** Row fields that a test has overridden. */
  overrides: JsonObject;
}

/** The contract has not ended. */
export function isLive(instance: Instance): boolean {
  return instance.destroyedAt === null;
}

/** It has the GPUs, and pays for them once it has run. */
export function holdsCards(instance: Instance): boolean {
  return isLive(instance) && instance.curState === "running";
}
