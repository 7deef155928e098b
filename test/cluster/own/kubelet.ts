// The settings of kubelet and kube-proxy in our own cluster. Pure.
import { DOMAIN, NODE_IP, POD_RANGE } from "./addresses.ts";
import { RUNTIME_SOCKET } from "./containerd.ts";

export const kubeletConfig = (folder: string, authority: string, cgroup: string) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  containerRuntimeEndpoint: `unix://${RUNTIME_SOCKET}`,
  cgroupDriver: "cgroupfs",
  cgroupRoot: `/${cgroup}`,
  failCgroupV1: false,
  failSwapOn: false,
  clusterDNS: [NODE_IP],
  clusterDomain: DOMAIN,
  authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: authority } },
  authorization: { mode: "Webhook" },
  podLogsDir: `${folder}/pod-logs`,
  volumePluginDir: `${folder}/volume-plugins`,
  // The machine's disk is not ours: only a full one counts.
  evictionHard: { "nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "50Mi" },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  // The shortest: the tests wait for what the kubelet sees.
  syncFrequency: "10s",
});

export const proxyConfig = (kubeconfig: string) => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  mode: "iptables",
  clusterCIDR: POD_RANGE,
  clientConnection: { kubeconfig },
  // The machine's limits stay as they are: they cannot be changed from a network namespace.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
});
