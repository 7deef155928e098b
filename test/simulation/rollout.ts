// Starts all pods again, one after another, as a StatefulSet does when its template changes. Touches the pods.
import type { Pod } from "./pod.ts";
import type { VirtualTime } from "./virtual-time.ts";

// Between two pods: about the time until the new one is ready.
const STEP_MS = 20_000;
// A large set is rolled out several pods at a time: one by one, 200 pods would take longer than a run has after its faults.
const MOST_MS = 20 * 60_000;

/** `want` changes what a pod reads when it starts; `restart` is called when its process has ended. */
export function rollOut(
  { time, pods }: { time: VirtualTime; pods: readonly Pod[] },
  want: (pod: Pod, i: number) => void,
  restart: (pod: Pod) => void,
): void {
  const stepMs = Math.min(STEP_MS, MOST_MS / pods.length);
  pods.forEach((pod, i) => {
    time.after(i * stepMs, () => {
      const begin = () => {
        want(pod, i);
        restart(pod);
      };
      if (pod.isUp()) pod.terminate(begin);
      else want(pod, i);
    });
  });
}
