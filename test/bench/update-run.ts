// Steers a simulated run of one pod: when its instance has served for a while, another image is wanted. Measures what that costs. Touches
// the run that it steers.
import type { ContractTruth, PodTruth } from "../simulation/emulator-truth.ts";
import type { RunControl } from "../simulation/simulation.ts";

/** What an update uses of a run. */
export interface UpdatedRun extends Pick<RunControl, "now" | "inject"> {
  truth: {
    pods: readonly Pick<PodTruth, "label" | "serving">[];
    contracts: readonly Pick<ContractTruth, "label" | "endedAt" | "paid">[];
  };
}

export interface UpdateNumbers {
  /** Seconds in which no request was answered, from the change until it is over. */
  unserved: number;
  /** Seconds from the change until the new image serves and no other instance is left. */
  took: number;
  /** $ for instances while they served nobody. */
  idleDollars: number;
}

/** The image that is wanted from the change on. */
export const NEW_IMAGE = "example/app:2";
const QUIET_MS = 2 * 60_000;

export interface UpdateWatch {
  /** To be called each simulated second; true when the update is over. */
  look(run: UpdatedRun): boolean;
  /** Null: the update is not over. */
  numbers(): UpdateNumbers | null;
}

export function watchUpdate(): UpdateWatch {
  let changed: { at: number; idle: number } | null = null;
  let numbers: UpdateNumbers | null = null;
  return {
    look(run) {
      const { now, truth } = run;
      const [pod] = truth.pods;
      const last = pod?.serving.at(-1);
      if (pod === undefined || last === undefined || last.to <= now) return false;
      const idle = idleDollars(run, pod.label);
      if (changed === null) {
        if (now - last.from < QUIET_MS) return false;
        changed = { at: now, idle };
        // The provisioner is started again, and nginx routes on meanwhile: what is measured is the update.
        run.inject({ kind: "image", at: 0, image: NEW_IMAGE, losesDisk: false });
        return false;
      }
      const live = truth.contracts.filter(({ label, endedAt }) => label === pod.label && endedAt === null);
      if (live.length !== 1 || last.shows?.includes(NEW_IMAGE) !== true) return false;
      const served = pod.serving.reduce((sum, span) => {
        return sum + Math.max(0, Math.min(span.to, now) - Math.max(span.from, changed?.at ?? now));
      }, 0);
      const tookMs = now - changed.at;
      numbers = { unserved: (tookMs - served) / 1000, took: tookMs / 1000, idleDollars: idle - changed.idle };
      return true;
    },
    numbers: () => numbers,
  };
}

function idleDollars({ truth }: UpdatedRun, label: string): number {
  return truth.contracts
    .filter((contract) => contract.label === label)
    .reduce((sum, { paid }) => sum + paid.before + paid.after, 0);
}
