// Starts all pods again, one after another, as a StatefulSet does when its template changes. Touches the pods.
import type { Pod } from "./pod.ts";
import type { Injection } from "./scenario.ts";
import type { VirtualTime } from "./virtual-time.ts";

type Changing = Extract<Injection, { kind: "image" | "template-file" }>;

/** A change of what all pods read when they start. */
export interface TemplateChange<P> extends Pick<Changing, "kind" | "losesDisk"> {
  /** Sets in the pod what has changed, before it starts again. */
  want(pod: P, i: number): void;
}

// Between two pods: about the time until the new one is ready.
const STEP_MS = 20_000;
// A large set is rolled out several pods at a time: one by one, 200 pods would take longer than a run has after its faults.
const MOST_MS = 20 * 60_000;

/**
 * The returned function rolls one change out. `restart` is called when the process of a pod has ended. As in Kubernetes there is one
 * rollout, to the newest template: a change begins it anew, and a pod that it has not reached before never has what the newest replaces.
 */
export function createRollouts<P extends Pick<Pod, "isUp" | "terminate">>(
  { time, pods }: { time: Pick<VirtualTime, "after">; pods: readonly P[] },
  restart: (pod: P, losesDisk: boolean) => void,
): (change: TemplateChange<P>) => void {
  const changes: TemplateChange<P>[] = [];
  const taken = new Map<P, number>();

  /** Sets what has changed since the pod was reached last. Undefined: it has the newest template. */
  function take(pod: P, i: number): TemplateChange<P> | undefined {
    const missed = changes.slice(taken.get(pod) ?? 0);
    taken.set(pod, changes.length);
    for (const kind of ["image", "template-file"] as const) missed.findLast((one) => one.kind === kind)?.want(pod, i);
    return missed.at(-1);
  }

  return (change) => {
    const revision = changes.push(change);
    const stepMs = Math.min(STEP_MS, MOST_MS / pods.length);
    pods.forEach((pod, i) => {
      time.after(i * stepMs, () => {
        if (revision < changes.length || taken.get(pod) === revision) return;
        const begin = () => {
          const newest = take(pod, i);
          if (newest !== undefined) restart(pod, newest.losesDisk);
        };
        if (pod.isUp()) pod.terminate(begin);
        else take(pod, i);
      });
    });
  };
}
