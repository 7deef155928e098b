// The pods that a manifest creates, as the policies check them. Pure.
import type { Manifest } from "./kustomize.ts";

interface SecurityContext {
  privileged?: boolean;
  allowPrivilegeEscalation?: boolean;
  readOnlyRootFilesystem?: boolean;
  runAsUser?: number;
  runAsNonRoot?: boolean;
  capabilities?: { drop?: string[]; add?: string[] };
  seccompProfile?: { type: string };
}

interface ContainerProbe {
  httpGet?: { path: string };
  periodSeconds?: number;
}

export interface Container {
  name: string;
  image: string;
  restartPolicy?: string;
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef: { name: string } }[];
  ports?: { name: string; containerPort: number }[];
  resources?: { requests?: { cpu?: string; memory?: string }; limits?: { memory?: string } };
  securityContext?: SecurityContext;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  startupProbe?: ContainerProbe;
  livenessProbe?: ContainerProbe;
  readinessProbe?: ContainerProbe;
  lifecycle?: { preStop?: { exec: { command: string[] } } };
}

/** A pod's spec with the labels of its template. */
export interface Pod {
  labels?: Record<string, string>;
  initContainers?: Container[];
  containers: Container[];
  securityContext?: SecurityContext;
  shareProcessNamespace?: boolean;
  automountServiceAccountToken?: boolean;
  terminationGracePeriodSeconds?: number;
  volumes?: { name: string }[];
}

interface Template {
  metadata?: { labels?: Record<string, string> };
  spec: Omit<Pod, "labels">;
}

export function podTemplatesOf(manifest: Manifest): Pod[] {
  const spec = manifest.spec as { template?: Template; jobTemplate?: { spec: { template: Template } } } | undefined;
  const template = spec?.template ?? spec?.jobTemplate?.spec.template;
  if (template === undefined) return [];
  const { labels } = template.metadata ?? {};
  return [{ ...template.spec, ...(labels === undefined ? {} : { labels }) }];
}

export function containersOf(manifest: Manifest): Container[] {
  return podTemplatesOf(manifest).flatMap((pod) => [...(pod.initContainers ?? []), ...pod.containers]);
}
