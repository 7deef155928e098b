// What the tests read of Kubernetes' objects. Pure.

interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  /** `containerd://<id>` */
  containerID?: string;
}

export interface PodObject {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  status: {
    phase: string;
    reason?: string;
    conditions?: { type: string; status: string }[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface SetObject {
  metadata: { generation: number };
  spec: { replicas: number };
  status: {
    observedGeneration?: number;
    replicas: number;
    readyReplicas?: number;
    updatedReplicas?: number;
  };
}

export const isReady = ({ metadata, status }: PodObject) =>
  metadata.deletionTimestamp === undefined &&
  (status.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false);

export const restartsOf = ({ status }: PodObject) =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].reduce(
    (sum, one) => sum + one.restartCount,
    0,
  );

/** The id of the container in the node's runtime. */
export function containerIdOf({ status }: PodObject, name: string): string {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const id = all.find((one) => one.name === name)?.containerID?.replace(/^.*:\/\//, "");
  if (id === undefined || id === "") throw new Error(`the container ${name} does not run`);
  return id;
}
