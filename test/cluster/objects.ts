// What the tests read of Kubernetes' objects. Types only.

interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
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
