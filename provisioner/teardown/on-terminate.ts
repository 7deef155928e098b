// Decides on SIGTERM whether the instance is kept, or destroyed because the pod is no longer wanted. Touches the cluster's API
// and, through its parts, the upstream file, the reloader and the API of Vast.
import type { Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/logging.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { desiredBy, isNamespaceDeleted, ownerOf, type PodDesired } from "../kubernetes/pod-desired.ts";
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
  /** How long the work may still go on. */
  timeLeftMs(): number;
  /** Makes nginx stop using the instance. */
  withdraw(): Promise<void>;
  /** Destroys all instances of our label and verifies it with a list. */
  destroy(): Promise<DestroyOutcome>;
}

const PAUSE_MS = 2000;

/** What came of the destroy; null when the instance was to be kept. */
export async function destroyUnlessDesired(parts: TerminateParts): Promise<DestroyOutcome | null> {
  const { onTerminate, policy, log } = parts;
  if (onTerminate === "keep") return null;
  const { desired, why } = onTerminate === "destroy" ? ALWAYS_DESTROY : await isPodDesired(parts);
  const line = { event: "terminate", desired } as const;
  if (desired === "unknown") {
    log.warn(
      line,
      `VAST_ON_TERMINATE=scale-down: the instance is kept because the cluster gives no clear answer (${why})`,
    );
    return null;
  }
  if (desired === "yes") {
    log.info(line, `VAST_ON_TERMINATE=scale-down: the instance is kept because ${why}`);
    return null;
  }
  if (policy !== "sync") {
    log.warn(line, `the instance is kept because VAST_POLICY=${policy}, although ${why}`);
    return null;
  }
  log.info(line, `the instance will be destroyed because ${why}`);
  try {
    await parts.withdraw();
  } catch (error) {
    // The pod ends, and its nginx with it: a proxy that points at nothing for that time is better than an instance nobody uses.
    log.warn(
      { event: "terminate", err: error },
      `nginx could not be told to stop using the instance (${messageOf(error)}); it is destroyed all the same`,
    );
  }
  return parts.destroy();
}

const ALWAYS_DESTROY: PodDesired = { desired: "no", why: "VAST_ON_TERMINATE=destroy", final: true };

/** An API server that is restarted or overloaded is asked until the time is over. */
async function isPodDesired({ podName, clock, openCluster, timeLeftMs }: TerminateParts): Promise<PodDesired> {
  let cluster: Cluster;
  try {
    cluster = openCluster();
  } catch (error) {
    return { desired: "unknown", why: messageOf(error), final: true };
  }
  for (;;) {
    const answer = await askOnce(cluster, podName);
    if (answer.final || timeLeftMs() <= PAUSE_MS) return answer;
    await clock.sleep(PAUSE_MS);
  }
}

async function askOnce(cluster: Cluster, podName: string): Promise<PodDesired> {
  const answer = await askForStatefulSet(cluster, podName);
  if (answer.desired === "no") return answer;
  // Since Kubernetes 1.33 the pods of a namespace end first: their StatefulSet is there and wants them until they have gone.
  const { namespace } = cluster;
  if (!isNamespaceDeleted(namespace, await cluster.get(`/api/v1/namespaces/${namespace}`))) return answer;
  return { desired: "no", why: `the namespace ${namespace} is being deleted`, final: true };
}

async function askForStatefulSet(cluster: Cluster, podName: string): Promise<PodDesired> {
  const base = `namespaces/${cluster.namespace}`;
  const owner = ownerOf(podName, await cluster.get(`/api/v1/${base}/pods/${podName}`));
  if ("why" in owner) return { desired: "unknown", ...owner };
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
