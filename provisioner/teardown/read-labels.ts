// Which labels are those of a StatefulSet's pods, and which of these pods the cluster wants. Touches the cluster's API.
import type { Cluster } from "../kubernetes/cluster.ts";
import { readNamespace } from "../kubernetes/pod-desired.ts";
import { podsOf, type ReapRequest, reapScope } from "./reap-scope.ts";

export interface PodLabels {
  /** A pod of the prefix may have an instance with this label. */
  isOfPods(label: string | null): boolean;
  /** Such a pod exists, or a StatefulSet wants it. */
  isWanted(label: string | null): boolean;
}

/** Only instances that were listed before this was called may be compared with it. */
export async function readLabels(cluster: Cluster, request: ReapRequest): Promise<PodLabels | { problem: string }> {
  const base = `namespaces/${cluster.namespace}`;
  const namespace = readNamespace(
    await cluster.list(`/apis/apps/v1/${base}/statefulsets`, "objects"),
    await cluster.list(`/api/v1/${base}/pods`, "metadata"),
  );
  if ("why" in namespace) return { problem: `the cluster gives no clear answer (${namespace.why})` };
  const scope = reapScope(request, namespace.sets, cluster.namespace);
  if ("problem" in scope) return scope;
  return {
    isOfPods: (label) => podsOf(label, request, scope).length > 0,
    isWanted: (label) => podsOf(label, request, scope).some(namespace.isDesired),
  };
}
