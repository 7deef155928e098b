// What becomes of the instance when the program is told to end: kept, or ended where nobody wants the pod any more.
// Touches the cluster's API, and through what it is handed the upstream file, the reloader and the API of Vast.
import type { Clock } from "../../common/clock.ts";
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
  /** Throws a sentence with the remedy where there is no cluster to ask. */
  openCluster(): Cluster;
  /** Has nginx let go of what is served. */
  withdraw(): Promise<void>;
  /** Whether a create is still unresolved: its instance is not listed, or was never answered for. */
  createPending(): Promise<boolean>;
  /** Ends all instances of our label and confirms it by a read. */
  destroy(): Promise<DestroyOutcome>;
}

// The API server may be replaced at the very moment in which a node is drained: three questions, over some seconds.
const TRIES = 3;
const PAUSE_MS = 2000;
// A create that was sent just before the end may show its row late; Kubernetes grants two minutes for all of it.
const CREATE_WAIT_MS = 45_000;

/** Answers whether every instance of the label was ended and seen to be gone; false also where it was to be kept. */
export async function destroyUnlessDesired(parts: TerminateParts): Promise<boolean> {
  const { onTerminate, policy, clock, log } = parts;
  if (onTerminate === "keep") return false;
  const { wanted, why } = onTerminate === "destroy" ? ALWAYS_DESTROY : await ask(parts);
  const line = { event: "terminate", wanted } as const;
  if (wanted === "doubt") {
    log.warn(
      line,
      `VAST_ON_TERMINATE=scale-down: the instance is kept, since the cluster gives no clear answer (${why})`,
    );
    return false;
  }
  if (wanted === "yes") {
    log.info(line, `VAST_ON_TERMINATE=scale-down: the instance is kept, since ${why}`);
    return false;
  }
  if (policy !== "sync") {
    log.warn(line, `the instance is kept, as VAST_POLICY=${policy} has it, although ${why}`);
    return false;
  }
  log.info(line, `the instance is ended, since ${why}`);
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
    log.error({ event: "terminate", err: error }, `the instance could not be ended: ${sentence(error)}`);
    return false;
  }
}

const ALWAYS_DESTROY: PodDesired = { wanted: "no", why: "VAST_ON_TERMINATE=destroy ends it at every stop" };

async function ask({ podName, clock, openCluster }: TerminateParts): Promise<PodDesired> {
  let cluster: Cluster;
  try {
    cluster = openCluster();
  } catch (error) {
    return { wanted: "doubt", why: sentence(error) };
  }
  for (let tries = 1; ; tries += 1) {
    const answer = await askOnce(cluster, podName);
    if (answer.wanted !== "doubt" || tries === TRIES) return answer;
    await clock.sleep(PAUSE_MS);
  }
}

async function askOnce(cluster: Cluster, podName: string): Promise<PodDesired> {
  const base = `namespaces/${cluster.namespace}`;
  const owner = ownerOf(podName, await cluster.get(`/api/v1/${base}/pods/${podName}`));
  if ("why" in owner) return { wanted: "doubt", why: owner.why };
  return desiredBy(owner.name, podName, await cluster.get(`/apis/apps/v1/${base}/statefulsets/${owner.name}`));
}

/** What is doubtful about the setting already at the start, or null. */
export function terminateWarning(
  onTerminate: OnTerminate,
  inKubernetes: boolean,
  openCluster: () => Cluster,
): string | null {
  if (onTerminate === "destroy" && inKubernetes)
    return "VAST_ON_TERMINATE=destroy ends the instance at every restart of the pod: scale-down ends it only where the pod is no longer wanted";
  if (onTerminate !== "scale-down") return null;
  try {
    openCluster();
    return null;
  } catch (error) {
    return `VAST_ON_TERMINATE=scale-down cannot work here and the instance is always kept: ${sentence(error)}`;
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
