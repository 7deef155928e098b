// The label under which a pod's instance is found. Pure.

/**
 * The label, with the pod's name in it. Kubernetes fills a name in only in a container's own `env`, and only behind its
 * definition, where a patch of kustomize does not put it: unfilled it would be one label for all pods, and each would end the
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
