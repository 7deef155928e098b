// The label under which a pod's instance is found. Pure.

/**
 * The label, with the pod's name filled in. Kubernetes fills in a variable only in a container's own `env` and only after its
 * definition, and a kustomize patch may put it before. Unfilled, all pods would have one label, and each would destroy the
 * others' instances as duplicates.
 */
export function labelOf({
  VAST_LABEL: label,
  POD_NAME: podName,
}: {
  VAST_LABEL: string | undefined;
  POD_NAME: string;
}): string {
  return label?.replaceAll(/\$\{POD_NAME\}|\$\(POD_NAME\)/g, () => podName) ?? `k8s_pod=${podName}`;
}
