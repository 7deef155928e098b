// Decides on SIGTERM whether the instance is kept, or destroyed because the pod is no longer wanted. Touches the cluster's API
// and, through its parts, the upstream file, the reloader and the API of Vast.
import type { Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/logging.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { desiredBy, ownerOf, type PodDesired } from "../kubernetes/pod-desired.ts";
import type { OnTerminate, Policy } from "../model/desired.ts";
import type { DestroyOutcome } from "./destroy-all.ts";

export interface TerminateParts {
  onTerminate: OnTerminate;
  policy: Policy;
  podName: string;
  clock: Clock;
  log: Logger;
  /** Throws an error that says what to do when there is no cluster. */
  openCluster(): Cluster;
  /** Makes nginx stop using the instance. */
  withdraw(): Promise<void>;
  /** Whether a create is unresolved: its outcome is unknown, or its instance is not listed yet. */
  createPending(): Promise<boolean>;
  /** Destroys all instances of our label and verifies it with a list. */
  destroy(): Promise<DestroyOutcome>;
}

// The API server may be restarted just while a node is drained: three attempts over some seconds.
const TRIES = 3;
const PAUSE_MS = 2000;
// The instance of a create that was sent just before SIGTERM may be listed late; Kubernetes grants two minutes for everything.
const CREATE_WAIT_MS = 45_000;

/** True when every instance of the label is destroyed and verified; false also when it was to be kept. */
export async function destroyUnlessDesired(parts: TerminateParts): Promise<boolean> {
  const { onTerminate, policy, clock, log } = parts;
  if (onTerminate === "keep") return false;
  const { desired, why } = onTerminate === "destroy" ? ALWAYS_DESTROY : await isPodDesired(parts);
  const line = { event: "terminate", desired } as const;
  if (desired === "unknown") {
    log.warn(
      line,
      `VAST_ON_TERMINATE=scale-down: the instance is kept because the cluster gives no clear answer (${why})`,
    );
    return false;
  }
  if (desired === "yes") {
    log.info(line, `VAST_ON_TERMINATE=scale-down: the instance is kept because ${why}`);
    return false;
  }
  if (policy !== "sync") {
    log.warn(line, `the instance is kept because VAST_POLICY=${policy}, although ${why}`);
    return false;
  }
  log.info(line, `the instance will be destroyed because ${why}`);
  try {
    await parts.withdraw();
    const until = clock.now() + CREATE_WAIT_MS;
    let pending = await parts.createPending();
    while (pending && clock.now() < until) {
      await clock.sleep(PAUSE_MS);
      pending = await parts.createPending();
    }
    const { done } = await parts.destroy();
    return done && !(pending && (await parts.createPending()));
  } catch (error) {
    log.error({ event: "terminate", err: error }, `the instance could not be destroyed: ${messageOf(error)}`);
    return false;
  }
}

const ALWAYS_DESTROY: PodDesired = { desired: "no", why: "VAST_ON_TERMINATE=destroy" };

async function isPodDesired({ podName, clock, openCluster }: TerminateParts): Promise<PodDesired> {
  let cluster: Cluster;
  try {
    cluster = openCluster();
  } catch (error) {
    return { desired: "unknown", why: messageOf(error) };
  }
  for (let tries = 1; ; tries += 1) {
    const answer = await askOnce(cluster, podName);
    if (answer.desired !== "unknown" || tries === TRIES) return answer;
    await clock.sleep(PAUSE_MS);
  }
}

async function askOnce(cluster: Cluster, podName: string): Promise<PodDesired> {
  const base = `namespaces/${cluster.namespace}`;
  const owner = ownerOf(podName, await cluster.get(`/api/v1/${base}/pods/${podName}`));
  if ("why" in owner) return { desired: "unknown", why: owner.why };
  const path = `/apis/apps/v1/${base}/statefulsets/${owner.name}`;
  return desiredBy(owner.name, podName, await cluster.get(path));
}

/** What is wrong with the setting, known already at the start; or null. */
export function terminateWarning(
  onTerminate: OnTerminate,
  inKubernetes: boolean,
  openCluster: () => Cluster,
): string | null {
  if (onTerminate === "destroy" && inKubernetes)
    return "VAST_ON_TERMINATE=destroy destroys the instance at every restart of the pod: use scale-down to destroy it only when the pod is no longer wanted";
  if (onTerminate !== "scale-down") return null;
  try {
    openCluster();
    return null;
  } catch (error) {
    return `VAST_ON_TERMINATE=scale-down cannot work here and the instance is always kept: ${messageOf(error)}`;
  }
}
